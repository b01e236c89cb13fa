/** The program as a process. */
import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

export const ROOT = fileURLToPath(new URL("../..", import.meta.url));
export const LAUNCHER = fileURLToPath(new URL("../../bin/atmorep.js", import.meta.url));

export interface Outcome {
  code: number | null;
  stdout: string;
  stderr: string;
}

/** Runs a program to its end. */
export function runProgram(program: string, args: readonly string[], cwd = ROOT, env = process.env): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...args], { cwd, env, stdio: ["ignore", "pipe", "pipe"] });
    const out = { stdout: "", stderr: "" };
    child.stdout.on("data", (chunk) => {
      out.stdout += chunk;
    });
    child.stderr.on("data", (chunk) => {
      out.stderr += chunk;
    });
    child.on("error", reject);
    child.on("close", (code) => resolve({ code, ...out }));
  });
}

/** Runs `atmorep` with `args`. */
export function atmorep(args: readonly string[], cwd = ROOT, env = process.env): Promise<Outcome> {
  return runProgram(process.execPath, [LAUNCHER, ...args], cwd, env);
}
