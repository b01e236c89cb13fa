/** `atmorep engine install|info` */
import { resolve } from "node:path";
import { type Command, Option } from "commander";
import { decoderText } from "../../data/codecs/index.js";
import { formatBytes } from "../../doctor/parse.js";
import {
  findNative,
  type Installed,
  type InstalledPart,
  type InstallOptions,
  installEngine,
  ONLY,
  openNative,
} from "../../engine/machine.js";
import { findEccodes } from "../../native/index.js";
import { note, print, printJson, withExamples } from "../output.js";
import { EXIT_CODES } from "../signals.js";

export function registerEngine(program: Command): void {
  const engine = program
    .command("engine")
    .description("native libraries: fetch TensorFlow's, LLVM, libblosc2 and ecCodes, show what is used");
  withExamples(engine, ["engine install", "engine info --json"]);
  const install = engine
    .command("install")
    .description(
      "download what is missing with pip: TensorFlow's library (275 MB, 850 MB on disk), and LLVM out of llvmlite " +
        "(60 MB, 180 MB on disk), which compiles kernels of our own; and libblosc2 (7 MB), which decodes stores. With --only eccodes: " +
        "ecCodes (45 MB, 150 MB on disk), which unpacks GRIB other than simple packing",
    )
    .option("--gpu", "the library for NVIDIA GPUs, with NVIDIA's libraries (several GB), without LLVM")
    .option("--no-kernels", "without LLVM: TensorFlow's operations alone, which is slower")
    .addOption(new Option("--only <part>", "one part alone; the others stay as they are").choices(Object.keys(ONLY)))
    .option(
      "--wheel <file...>",
      "unpack these wheels, of TensorFlow, llvmlite, blosc2, or eccodeslib and eckitlib, in place of any download",
    )
    .option(
      "--folder <dir>",
      "folder to fill; others than the checkout's .engine are found by ATMOREP_TENSORFLOW, " +
        "ATMOREP_LLVM, ATMOREP_BLOSC and ATMOREP_ECCODES",
    )
    .option("--json", "print one JSON document")
    .action(installAction);
  withExamples(install, [
    "engine install",
    "engine install --only blosc",
    "engine install --only eccodes",
    "engine install --wheel tensorflow_cpu-2.21.0-cp311-cp311-linux.whl",
  ]);
  engine
    .command("info")
    .description("where the libraries are looked for, and what they are")
    .option("--json", "print one JSON document")
    .action(infoAction);
}

async function installAction({ json, ...options }: InstallOptions & { json?: boolean }): Promise<void> {
  const stop = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const) {
    process.once(name, () => {
      process.exitCode = EXIT_CODES[name];
      stop.abort();
    });
  }
  let installed: Installed;
  try {
    const folder = options.folder && resolve(options.folder);
    installed = await installEngine({ ...options, folder, report: note, signal: stop.signal });
  } catch (error) {
    if (!stop.signal.aborted) throw error;
    return note("stopped; what is complete stays, nothing else is left");
  }
  const { folder, parts, failed } = installed;
  if (json) {
    printJson({ folder, parts, failed: failed?.message ?? null });
  } else {
    for (const part of parts) print(describePart(part));
    print(describeUse(folder, parts, options.folder !== undefined));
  }
  if (failed) throw failed;
}

function describePart({ name, version, files, bytes, seconds, fetched }: InstalledPart): string {
  const time = fetched ? `after ${seconds.toFixed(0)} s` : "was there already";
  return `${name} ${version}: ${files.length} files, ${formatBytes(bytes)}, ${time}`;
}

function describeUse(folder: string, parts: readonly InstalledPart[], elsewhere: boolean): string {
  if (!elsewhere) return `In ${folder}, used from now on: npx atmorep train (or --engine native)`;
  return `Used with ${parts.map((part) => `${part.variable}=${part.folder}`).join(" ")}`;
}

async function infoAction({ json }: { json?: boolean }): Promise<void> {
  const { found, tried, unsupported } = findNative();
  const engine = found ? await openNative() : null;
  const kernels = engine?.kernels ?? null;
  const decoder = decoderText();
  const grib = findEccodes().found[0] ?? null;
  const description = engine?.description ?? null;
  if (json) return printJson({ found, tried, unsupported, description, kernels, decoder, eccodes: grib });
  print(`Stores are decoded by ${decoder}`);
  print(
    `GRIB beyond simple packing: ${grib ? `ecCodes (${grib.source}, ${grib.path})` : "no ecCodes; atmorep engine install --only eccodes"}`,
  );
  if (engine && found) {
    print(engine.description);
    print(found.file);
    if (kernels?.file) print(kernels.file);
    if (kernels?.fix) print(`-> ${kernels.fix}`);
    return;
  }
  print(unsupported ?? "TensorFlow's library was not found; fetch it with: atmorep engine install. Looked at:");
  for (const path of tried) print(`  ${path}`);
}
