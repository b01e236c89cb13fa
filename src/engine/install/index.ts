/**
 * Fetching native libraries: TensorFlow's for the native engine, LLVM, which compiles kernels of our own for it, and
 * libblosc2, which decodes stores; and, only if it is asked for, ecCodes, which unpacks GRIB. They come as Python's wheels,
 * of which only the libraries are kept. What is there and whole is not fetched again.
 */
import { rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { AtmorepError } from "../../errors.js";
import { cleanLeftovers, makeAside } from "../../formats/atomic.js";
import { INSTALL_FOLDER } from "../folder.js";
import { unsupportedSystem } from "../tensorflow/index.js";
import { type PartList, readWhole } from "./installed.js";
import { installJavascript } from "./javascript.js";
import { BLOSC_PART, LLVM, ONLY, type OnlyName, PARTS, type Part, TENSORFLOW } from "./parts.js";
import { downloadWheels } from "./pip.js";
import { unpackPart } from "./unpack.js";
import { wheelEntries } from "./wheel.js";

export interface InstallOptions {
  /** with NVIDIA's libraries (several GB) */
  gpu?: boolean;
  /** with LLVM for kernels of our own (default); they are written for processors, so never with `gpu` */
  kernels?: boolean;
  /** one part alone: the others stay as they are */
  only?: OnlyName;
  /** folder to fill (default: `.engine` of the checkout) */
  folder?: string;
  /** wheels of TensorFlow, LLVM, blosc2, or eccodeslib with eckitlib, that are there already, in place of any download */
  wheel?: readonly string[];
  /** told what is being done */
  report?: (line: string) => void;
  /** stops; what was there stays */
  signal?: AbortSignal;
}

export interface InstalledPart {
  name: string;
  version: string;
  /** folder of the library, and the environment variable that can name it */
  folder: string;
  variable: string;
  files: string[];
  /** bytes on disk */
  bytes: number;
  seconds: number;
  /** false: it was there */
  fetched: boolean;
}

export interface Installed {
  folder: string;
  parts: InstalledPart[];
  /** why LLVM or libblosc2 is not there though it was asked for; everything works without */
  failed: AtmorepError | null;
}

/** What the two steps of an installation share. */
interface Task extends Required<Pick<InstallOptions, "folder" | "report">>, Pick<InstallOptions, "signal"> {
  /** temporary folder beside the install folder */
  work: string;
}

/**
 * Fetches what is missing with pip, checks it and keeps the libraries. A part is replaced when it is complete.
 *
 * @throws AtmorepError `failed` if the system is not supported or pip does not fetch TensorFlow, `input` for a damaged wheel
 */
export async function installEngine(options: InstallOptions = {}): Promise<Installed> {
  const { gpu = false, kernels = true, wheel = [], only, folder = INSTALL_FOLDER, report = () => {}, signal } = options;
  refuseSystem(gpu);
  const work = await makeAside(resolve(folder));
  const task: Task = { folder, work, report, signal };
  try {
    await cleanLeftovers(folder);
    if (wheel.length > 0) {
      const parts = await unpackGiven(wheel, task);
      if (parts.some(({ name }) => name === TENSORFLOW.name)) await installJavascript(report);
      return { folder, parts, failed: null };
    }
    const parts = only === undefined || only === "tensorflow" ? [await ensure(TENSORFLOW, gpu, task)] : [];
    if (parts.length > 0) await installJavascript(report);
    signal?.throwIfAborted();
    if (only !== undefined) {
      if (only !== "tensorflow") parts.push(await ensure(ONLY[only], false, task));
      return { folder, parts, failed: null };
    }
    if (gpu && kernels) report("without LLVM: our own kernels are written for processors");
    const more = [...(gpu || !kernels ? [] : [LLVM]), BLOSC_PART];
    const failures: AtmorepError[] = [];
    for (const part of more) {
      try {
        parts.push(await ensure(part, false, task));
      } catch (error) {
        signal?.throwIfAborted();
        failures.push(without(part, error as Error));
      }
    }
    return { folder, parts, failed: failures[0] ?? null };
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

function refuseSystem(gpu: boolean): void {
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
}

/** The part as it is there, if it is whole and what is asked for; else out of pip's wheels. */
async function ensure(part: Part, gpu: boolean, task: Task): Promise<InstalledPart> {
  const began = performance.now();
  const [first] = part.folders;
  const there = await readWhole(task.folder, first);
  const forGpu = there?.files.some(({ file }) => file.startsWith("nvidia/")) ?? false;
  if (there?.version === part.version && forGpu === gpu) return describe(part, there, task, began, false);
  const download = part.download(gpu);
  task.report(`downloading ${download.requirement} with pip (${download.size})`);
  const wheels = await downloadWheels(download, join(task.work, `${first}-wheels`), task.signal);
  return unpack(part, wheels, task, began, true);
}

/** Every part that the wheels hold. */
async function unpackGiven(wheels: readonly string[], task: Task): Promise<InstalledPart[]> {
  const entries = (await Promise.all(wheels.map(wheelEntries))).flat();
  const given = PARTS.filter(({ library }) => entries.some((entry) => library.test(entry)));
  if (given.length === 0) {
    throw new AtmorepError("input", "no library of TensorFlow, LLVM, blosc2 or eccodeslib in the wheel", {
      where: wheels.join(", "),
    });
  }
  const parts: InstalledPart[] = [];
  for (const part of given) parts.push(await unpack(part, wheels, task, performance.now(), false));
  return parts;
}

async function unpack(
  part: Part,
  wheels: readonly string[],
  task: Task,
  began: number,
  areTested: boolean,
): Promise<InstalledPart> {
  const list = await unpackPart(part, wheels, { ...task, work: join(task.work, part.folders[0]), areTested });
  return describe(part, list, task, began, true);
}

function describe(part: Part, list: PartList, task: Task, began: number, fetched: boolean): InstalledPart {
  return {
    name: part.name,
    version: list.version,
    folder: join(task.folder, part.folders[0]),
    variable: part.variable,
    files: list.files.map(({ file }) => join(task.folder, file)),
    bytes: list.files.reduce((sum, { bytes }) => sum + bytes, 0),
    seconds: (performance.now() - began) / 1000,
    fetched,
  };
}

function without(part: Part, error: Error): AtmorepError {
  const [what, leave] =
    part === LLVM
      ? [
          "the engine works, but slower: LLVM, which compiles kernels of our own, is missing",
          "leave it out: --no-kernels.",
        ]
      : ["stores are read, but slower: libblosc2 is missing", "use it from elsewhere: ATMOREP_BLOSC=FILE."];
  return new AtmorepError("failed", what, {
    found: error.message,
    fix: `Fetch it with: atmorep engine install (which keeps what is there); or ${leave}`,
    cause: error,
  });
}
