/** Programs whose operations on files are counted, logged, or fail: `shim.c`, compiled by gcc and preloaded. */
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Outcome, ROOT } from "../../support/cli.js";

/** What happens at an operation: `eio` it fails, `full` there is no space from there on, `kill` the process dies. */
export type Fault = "eio" | "full" | "kill";

export interface Watched extends Outcome {
  signal: NodeJS.Signals | null;
  /** operations counted */
  operations: number;
}

let library: string | undefined;

function compiled(): string {
  if (library) return library;
  const folder = mkdtempSync(join(tmpdir(), "atmorep-shim-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  library = join(folder, "shim.so");
  const source = fileURLToPath(new URL("shim.c", import.meta.url));
  execFileSync("gcc", ["-shared", "-fPIC", "-O1", "-Wall", "-Werror", "-o", library, source, "-ldl"]);
  return library;
}

/**
 * Runs a command line to its end, watched below a folder.
 * @param folder absolute, without links in its path
 * @param fault the n-th operation, from 1, and what happens there
 * @param log file that the operations are written to, which must not lie in the folder
 */
export function watched(
  [program, ...args]: readonly string[],
  folder: string,
  { fault, log, env = {} }: { fault?: { at: number; what: Fault }; log?: string; env?: Record<string, string> } = {},
): Promise<Watched> {
  const aside = mkdtempSync(join(tmpdir(), "atmorep-shim-"));
  const shared = join(aside, "shared");
  writeFileSync(shared, new Uint8Array(4096));
  mkdirSync(folder, { recursive: true });
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: ROOT,
      env: {
        ...process.env,
        UV_USE_IO_URING: "0",
        ...env,
        LD_PRELOAD: compiled(),
        ATMOREP_FAULT_ROOT: folder,
        ATMOREP_FAULT_SHARED: shared,
        ...(fault && { ATMOREP_FAULT_AT: String(fault.at), ATMOREP_FAULT_DO: fault.what }),
        ...(log && { ATMOREP_FAULT_LOG: log }),
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const outcome = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) {
      child[name].on("data", (chunk) => {
        outcome[name] += chunk;
      });
    }
    child.on("error", reject);
    child.on("close", (code, signal) => {
      const operations = Number(readFileSync(shared).readBigInt64LE(8));
      rmSync(aside, { recursive: true, force: true });
      resolve({ code, signal, operations, ...outcome });
    });
  });
}
