/** Fetching TensorFlow's library: Python's wheel of it, of which only the libraries are kept. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import { AtmorepError } from "../../errors.js";
import { INSTALL_FOLDER } from "../native.js";
import { unsupportedSystem } from "../tensorflow/index.js";
import { type Extraction, extractWheel, wheelEntries } from "./wheel.js";

/** Version of TensorFlow that the engine is tested with. */
export const TENSORFLOW_VERSION = "2.21.0";
/** Python whose wheels are taken; the libraries do not depend on it, and no Python of that version is needed. */
const WHEEL_PYTHON = "3.11";
const KERNELS = "@tensorflow/tfjs-node-gpu@4.22.0";

export interface InstallOptions {
  /** with NVIDIA's libraries (several GB) */
  gpu?: boolean;
  /** folder to fill (default: `.engine` of the checkout) */
  folder?: string;
  /** a wheel that is there already, in place of a download */
  wheel?: string;
  /** told what is being done */
  report?: (line: string) => void;
}

export interface Installed {
  folder: string;
  files: string[];
  /** bytes on disk */
  bytes: number;
  seconds: number;
}

/**
 * Downloads the wheel with pip, checks it and keeps the libraries. A folder that was there is replaced at the end.
 *
 * @throws AtmorepError `failed` if the system is not supported or pip does not work, `input` for a damaged wheel
 */
export async function installEngine(options: InstallOptions = {}): Promise<Installed> {
  const { gpu = false, folder = INSTALL_FOLDER, report = () => {} } = options;
  const unsupported = unsupportedSystem();
  if (unsupported) throw new AtmorepError("failed", unsupported, { fix: "Use --engine wasm, which runs everywhere." });
  const system = `${process.platform} ${process.arch}`;
  if (gpu && system !== "linux x64") {
    throw new AtmorepError("usage", "TensorFlow's libraries for NVIDIA GPUs exist for Linux on x64 only", {
      where: "--gpu",
      found: system,
      fix: "Leave --gpu out.",
    });
  }
  const began = performance.now();
  await mkdir(join(folder, ".."), { recursive: true });
  const work = await mkdtemp(join(folder, "..", ".engine-"));
  try {
    const wheels = options.wheel ? [options.wheel] : await download(work, gpu, report);
    const next = join(work, "libraries");
    const files: string[] = [];
    let bytes = 0;
    for (const wheel of wheels) {
      const extractions = await wanted(wheel, next);
      if (extractions.length === 0) continue;
      report(`unpacking ${basename(wheel)}`);
      bytes += await extractWheel(wheel, extractions);
      files.push(...extractions.map(({ file }) => file.replace(next, folder)));
    }
    if (files.length === 0) {
      throw new AtmorepError("input", "no library of TensorFlow in the wheel", { where: wheels.join(", ") });
    }
    await rm(folder, { recursive: true, force: true });
    await rename(next, folder);
    await installKernels(report);
    return { folder, files, bytes, seconds: (performance.now() - began) / 1000 };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

async function download(work: string, gpu: boolean, report: (line: string) => void): Promise<string[]> {
  const onlyProcessor = process.platform === "linux" && process.arch === "x64" ? "tensorflow-cpu" : "tensorflow";
  const name = `${gpu ? "tensorflow[and-cuda]" : onlyProcessor}==${TENSORFLOW_VERSION}`;
  report(`downloading ${name} with pip (${gpu ? "about 3 GB" : "about 275 MB"})`);
  const folder = join(work, "wheels");
  const only = ["--only-binary=:all:", "--python-version", WHEEL_PYTHON];
  const command = ["-m", "pip", "download", "--disable-pip-version-check", ...only, ...(gpu ? [] : ["--no-deps"])];
  try {
    await promisify(execFile)("python3", [...command, "--dest", folder, name], { maxBuffer: 1 << 26 });
  } catch (error) {
    const { stderr, message } = error as { stderr?: string; message: string };
    throw new AtmorepError("failed", `pip could not download ${name}`, {
      found: (stderr || message).trim().split("\n").slice(-3).join(" "),
      fix: "Check that python3 -m pip works and reaches a package index; or give a wheel: engine install --wheel FILE.",
    });
  }
  return (await readdir(folder)).map((file) => join(folder, file));
}

/** TensorFlow's libraries side by side in `tensorflow/`, NVIDIA's below `nvidia/` as the wheels lay them out. */
async function wanted(wheel: string, folder: string): Promise<Extraction[]> {
  const library = /^tensorflow\/libtensorflow_(cc|framework)\.(so\.2|2\.dylib)$/;
  const nvidia = /^nvidia\/.*\/lib\/[^/]*\.so[^/]*$/;
  const entries = (await wheelEntries(wheel)).filter((name) => library.test(name) || nvidia.test(name));
  return entries.map((entry) => ({ entry, file: join(folder, entry) }));
}

/** tfjs-node's JavaScript without its binary, where the user's project does not have it. */
async function installKernels(report: (line: string) => void): Promise<void> {
  const require = createRequire(import.meta.url);
  try {
    require.resolve(`${KERNELS.slice(0, KERNELS.lastIndexOf("@"))}/package.json`);
  } catch {
    report(`adding ${KERNELS} without its binary`);
    // a checkout has its own node_modules; as a dependency the program finds those of the project around it
    const own = join(INSTALL_FOLDER, "..");
    const root = existsSync(join(own, "node_modules")) ? own : process.cwd();
    const add = ["install", "--ignore-scripts", "--no-save", "--no-audit", "--no-fund", KERNELS];
    await promisify(execFile)("npm", add, { cwd: root }).catch((error: Error & { stderr?: string }) => {
      throw new AtmorepError("failed", `npm could not add ${KERNELS}`, {
        where: root,
        found: (error.stderr || error.message).trim().split("\n").slice(0, 3).join(" "),
        fix: `Run it yourself: npm install --ignore-scripts ${KERNELS}`,
      });
    });
  }
}
