/** `src/kernel` as a package of its own, in a TypeScript project that has nothing of AtmoRep. */
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";

const python = process.env.ATMOREP_TEST_PYTHON ?? "";
const NAME = "plain-typescript";
const VERSION = "9.8.7";
let folder: string;
let project: string;

function run(command: string, args: readonly string[], cwd: string, env = {}) {
  const path = `${dirname(process.execPath)}:${dirname(python)}:${process.env.PATH}`;
  const done = spawnSync(command, args, { cwd, encoding: "utf8", env: { ...process.env, PATH: path, ...env } });
  expect(done.status, `${command} ${args.join(" ")}\n${done.stdout}\n${done.stderr}`).toBe(0);
  return done;
}

const write = (file: string, value: unknown) =>
  writeFileSync(file, typeof value === "string" ? value : JSON.stringify(value));

/** The package: the kernel's sources compiled, and what they import. */
function pack(source: string): string {
  const { dependencies } = JSON.parse(readFileSync("package.json", "utf8"));
  const own = Object.fromEntries(["tslab", "typescript", "zeromq"].map((name) => [name, dependencies[name]]));
  mkdirSync(source);
  cpSync("src/kernel", join(source, "src"), { recursive: true });
  const shape = { version: VERSION, type: "module", files: ["dist", "kernel.js"], bin: { [NAME]: "kernel.js" } };
  write(join(source, "package.json"), { name: NAME, ...shape, dependencies: own });
  const { compilerOptions } = JSON.parse(readFileSync("tsconfig.json", "utf8"));
  const output = { ...compilerOptions, noEmit: false, rootDir: "src", outDir: "dist" };
  write(join(source, "tsconfig.json"), { compilerOptions: output, include: ["src"] });
  write(
    join(source, "kernel.js"),
    `#!/usr/bin/env node
import { startKernel } from "./dist/main.js";
startKernel({ connectionFile: process.argv[2], name: ${JSON.stringify(NAME)}, version: ${JSON.stringify(VERSION)}, cacheFolder: new URL(".cache", import.meta.url).pathname });
`,
  );
  symlinkSync(resolve("node_modules"), join(source, "node_modules"));
  run(process.execPath, [resolve("node_modules/typescript/bin/tsc"), "-p", "."], source);
  rmSync(join(source, "node_modules"));
  run("npm", ["pack", "--silent"], source);
  return join(source, readdirSync(source).find((name) => name.endsWith(".tgz")) as string);
}

beforeAll(() => {
  expect(python, "ATMOREP_TEST_PYTHON names a Python with Jupyter").not.toBe("");
  folder = mkdtempSync(join(tmpdir(), "kernel-alone-"));
  const tarball = pack(join(folder, "package"));
  project = join(folder, "project");
  mkdirSync(join(project, "kernels", NAME), { recursive: true });
  write(join(project, "package.json"), { name: "plain", private: true, type: "module" });
  run("npm", ["install", "--no-audit", "--no-fund", tarball], project);
  const entry = join(project, "node_modules", NAME, "kernel.js");
  const argv = ["node", "--no-force-async-hooks-checks", entry, "{connection_file}"];
  const spec = { argv, display_name: "Plain TypeScript", language: "typescript", interrupt_mode: "message" };
  write(join(project, "kernels", NAME, "kernel.json"), spec);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("passes the official tests where nothing of AtmoRep is, under a name and a version of its own", () => {
  expect(readdirSync(join(project, "node_modules"))).not.toContain("atmorep");
  const env = { JUPYTER_PATH: project, ATMOREP_TEST_KERNEL_NAME: NAME };
  // the first cell also loads the compiler for the first time, for which the official tests do not wait on a busy machine
  const ask = `from jupyter_client.manager import start_new_kernel
import json
manager, client = start_new_kernel(kernel_name="${NAME}", startup_timeout=300)
client.execute_interactive("6 * 7", timeout=300, output_hook=lambda message: None)
print(json.dumps(client.kernel_info(reply=True, timeout=60)["content"]))
manager.shutdown_kernel(now=True)`;
  const info = JSON.parse(run(python, ["-c", ask], project, env).stdout.trim().split("\n").at(-1) ?? "");
  expect(info).toMatchObject({ implementation: NAME, implementation_version: VERSION });
  const { stderr } = run(python, [resolve("test/jupyter/suite.py")], project, env);
  expect(stderr).toContain("Ran 13 tests");
  expect(stderr).not.toContain("skipped");
});
