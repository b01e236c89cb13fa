/** Wheels as pip downloads them, and a pip that gives them. */
import { createHash } from "node:crypto";
import { chmodSync, existsSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { zipSync } from "fflate";

type Files = Record<string, Buffer>;

export const TENSORFLOW_FILES: Files = {
  "tensorflow/libtensorflow_cc.so.2": Buffer.alloc(70_000, "code"),
  "tensorflow/libtensorflow_framework.so.2": Buffer.from("more code"),
  "tensorflow/python/large.py": Buffer.from("print('not wanted')"),
};

export const LLVM_FILES: Files = {
  "llvmlite/binding/libllvmlite.so": Buffer.alloc(30_000, "LLVM"),
  "llvmlite/binding/ffi.py": Buffer.from("print('not wanted')"),
  "llvmlite-0.50.0.dist-info/licenses/LICENSE": Buffer.from("BSD-2-Clause"),
  "llvmlite-0.50.0.dist-info/licenses/LICENSE.thirdparty": Buffer.from("Apache-2.0"),
};

/** libblosc2: a stand-in of its wheel is unpacked by --wheel alone, since pip's must have the hash of the real one. */
export const BLOSC_FILES: Files = {
  "blosc2/lib/libblosc2.so": Buffer.from("decoder"),
  "blosc2/lib/libblosc2.so.9": Buffer.from("decoder"),
  "blosc2/__init__.py": Buffer.from(""),
  "blosc2-4.14.1.dist-info/licenses/LICENSE.txt": Buffer.from("BSD"),
};

/** ecCodes, in two wheels; as with libblosc2 stand-ins are unpacked by --wheel alone. */
export const ECCODES_FILES: Files = {
  "eccodeslib/lib64/libeccodes.so": Buffer.from("unpacker"),
  "eccodeslib/lib64/libeccodes_memfs.so": Buffer.from("definitions"),
  "eccodeslib/bin/grib_ls": Buffer.from("not wanted"),
  "eccodeslib-2.50.0.33.dist-info/licenses/LICENSE": Buffer.from("Apache-2.0"),
};
export const ECKIT_FILES: Files = {
  "eckitlib/lib64/libeckit_geo.so": Buffer.from("needed"),
  "eckitlib/include/eckit.h": Buffer.from("not wanted"),
  "eckitlib.libs/libproj-1.so.25": Buffer.from("needed too"),
};

/**
 * Writes a wheel.
 * @param distribution such as `llvmlite-0.50.0`
 * @param record the files whose checksums it lists: not its own if it is damaged
 */
export function writeWheel(path: string, distribution: string, files: Files, record: Files = files): string {
  const lines = Object.entries(record).map(([name, bytes]) => {
    const sum = createHash("sha256").update(bytes).digest("base64url");
    return `${name},sha256=${sum},${bytes.length}`;
  });
  writeFileSync(path, zipSync({ ...files, [`${distribution}.dist-info/RECORD`]: Buffer.from(lines.join("\n")) }));
  return path;
}

/**
 * Makes a `python3` whose pip gives wheels by the start of what it is asked for, and fails without one.
 *
 * @param wheels paths; `hang` in place of one: a download that takes a minute
 * @returns a PATH with it, and what pip was asked for so far
 */
export function fakePip(root: string, wheels: Record<string, string>): { path: string; asked: () => string[] } {
  const folder = mkdtempSync(join(root, "pip-"));
  const log = join(folder, "log");
  const script = `#!${process.execPath}
const fs = require("node:fs"), path = require("node:path");
const wanted = process.argv.at(-1), target = process.argv[process.argv.indexOf("--dest") + 1];
fs.appendFileSync(${JSON.stringify(log)}, wanted + "\\n");
const found = Object.entries(${JSON.stringify(wheels)}).find(([name]) => wanted.startsWith(name))?.[1];
if (!found) { console.error("no index here"); process.exit(1); }
fs.mkdirSync(target, { recursive: true });
if (found === "hang") setTimeout(() => {}, 60_000);
else fs.copyFileSync(found, path.join(target, path.basename(found)));
`;
  writeFileSync(join(folder, "python3"), script);
  chmodSync(join(folder, "python3"), 0o755);
  return {
    path: `${folder}${delimiter}${process.env.PATH}`,
    asked: () => (existsSync(log) ? readFileSync(log, "utf8").trim().split("\n") : []),
  };
}
