/**
 * Builds `dist/` from `src/` when it is missing or older. Plain JavaScript without dependencies, because it must work
 * right after an install that runs no scripts. Several processes may start at once: one builds, the others wait.
 */
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { takeLock } from "./lock.js";

/** Root of the package: the folder that holds `package.json`. */
export const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));

/** Number, newest change and total size of the sources: changes with any edit, added or removed file. */
function fingerprint(root) {
  let count = 0;
  let newest = 0;
  let bytes = 0;
  const visit = (path) => {
    const stat = statSync(path);
    if (stat.isDirectory()) {
      for (const name of readdirSync(path)) visit(join(path, name));
    } else {
      count++;
      bytes += stat.size;
      newest = Math.max(newest, Math.round(stat.mtimeMs));
    }
  };
  for (const path of ["src", "tsconfig.json", "tsconfig.build.json"]) visit(join(root, path));
  return `${count} files, ${bytes} bytes, changed ${newest}`;
}

/** True if `dist/` was built from the sources as they are; an installed package has no sources and is never built. */
export function isCurrent(root = ROOT) {
  if (!existsSync(join(root, "src"))) return true;
  const stamp = join(root, "dist", ".built");
  return existsSync(stamp) && readFileSync(stamp, "utf8") === fingerprint(root);
}

/**
 * The compiler, which ends with the process that waits for it: a killed one cannot end it. A compiler never waits, so a thread
 * beside it looks whether its parent has become another.
 */
const WITH_PARENT = `
  const { Worker } = require("node:worker_threads");
  const look = "const { workerData: parent } = require('node:worker_threads');" +
    "setInterval(() => { if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL'); }, 100);";
  new Worker(look, { eval: true, workerData: Number(process.argv.splice(1, 1)[0]) }).unref();
  require(process.argv[1]);
`;

/** What the schema says about each key, for whoever imports this with Node. */
const KEY_DOCS = `
  const { describedKeys } = await import(process.argv[1]);
  const short = (value) => (JSON.stringify(value).length > 60 ? "" : " Default: " + JSON.stringify(value) + ".");
  const text = ({ doc, type, ...entry }) => doc + " Value: " + type + "." + short(entry.default);
  console.log(JSON.stringify(describedKeys().map((entry) => [entry.key, text(entry)])));
`;

/** Writes the schema's documentation of the keys into the declarations, where editors show it for `RunConfig`. */
function documentKeys(root) {
  const declarations = join(root, "dist", "config", "schema.d.ts");
  if (!existsSync(declarations)) return;
  const describe = pathToFileURL(join(root, "dist", "config", "describe.js")).href;
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", KEY_DOCS, describe], {
    encoding: "utf8",
  });
  if (!stdout) throw new Error(`the keys of a configuration cannot be documented:\n${stderr}`);
  const docs = new Map(JSON.parse(stdout));
  // the compiler leaves the file as it is while its own text would be the same
  const plain = readFileSync(declarations, "utf8").replace(/^ {4}\/\*\* .* \*\/\n(?= {4}\w+: KeyEntry<)/gm, "");
  const documented = plain.replace(/^ {4}(\w+): KeyEntry</gm, (line, key) => `    /** ${docs.get(key)} */\n${line}`);
  writeFileSync(declarations, documented);
}

/**
 * Builds if needed; says so on standard error.
 * @throws Error with the compiler's output if the build fails
 */
export function build(root = ROOT) {
  if (isCurrent(root)) return;
  const compiler = join(root, "node_modules", "typescript", "bin", "tsc");
  if (!existsSync(compiler)) {
    throw new Error(
      `the TypeScript compiler is missing: ${compiler}. Run "npm install" in ${root} first, or "npm start", which does.`,
    );
  }
  const { release } = takeLock(join(root, ".cache", "build.lock"));
  try {
    if (isCurrent(root)) return;
    const before = fingerprint(root);
    const start = performance.now();
    process.stderr.write("building dist/ ...\n");
    rmSync(join(root, "dist", ".built"), { force: true });
    // By its path: node_modules/.bin/tsc may belong to another version of TypeScript.
    const result = spawnSync(
      process.execPath,
      ["-e", WITH_PARENT, String(process.pid), compiler, "-p", "tsconfig.build.json"],
      {
        cwd: root,
        encoding: "utf8",
      },
    );
    if (result.status !== 0) {
      throw new Error(`the build failed:\n${result.stdout ?? ""}${result.stderr ?? ""}${result.error?.message ?? ""}`);
    }
    documentKeys(root);
    writeFileSync(join(root, "dist", ".built"), before);
    process.stderr.write(`built in ${((performance.now() - start) / 1000).toFixed(1)} s\n`);
  } finally {
    release();
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  try {
    build();
  } catch (error) {
    process.stderr.write(`error: ${error.message}\n`);
    process.exitCode = 1;
  }
}
