/** `atmorep engine install|info` */
import { join, resolve } from "node:path";
import type { Command } from "commander";
import { formatBytes } from "../../doctor/parse.js";
import { type InstallOptions, installEngine } from "../../engine/install/index.js";
import { findNative, openNative } from "../../engine/native.js";
import { note, print, printJson, withExamples } from "../output.js";

export function registerEngine(program: Command): void {
  const engine = program
    .command("engine")
    .description("the native engine: fetch TensorFlow's library, show what is used");
  withExamples(engine, ["engine install", "engine info --json"]);
  const install = engine
    .command("install")
    .description("download TensorFlow's library with pip (275 MB, 850 MB on disk)")
    .option("--gpu", "the library for NVIDIA GPUs, with NVIDIA's libraries (several GB)")
    .option("--wheel <file>", "unpack this wheel in place of a download")
    .option("--folder <dir>", "folder to fill; others than the checkout's .engine are found by ATMOREP_TENSORFLOW")
    .option("--json", "print one JSON document")
    .action(installAction);
  withExamples(install, ["engine install", "engine install --wheel tensorflow_cpu-2.21.0-cp311-cp311-linux.whl"]);
  engine
    .command("info")
    .description("where the library is looked for, and what it is")
    .option("--json", "print one JSON document")
    .action(infoAction);
}

async function installAction({ json, ...options }: InstallOptions & { json?: boolean }): Promise<void> {
  const installed = await installEngine({
    ...options,
    folder: options.folder && resolve(options.folder),
    report: note,
  });
  if (json) return printJson(installed);
  const { folder, files, bytes, seconds } = installed;
  print(`${files.length} libraries, ${formatBytes(bytes)}, in ${folder} after ${seconds.toFixed(0)} s`);
  print(
    options.folder
      ? `Used with ATMOREP_TENSORFLOW=${join(folder, "tensorflow")}`
      : "Used from now on: npx atmorep train (or --engine native)",
  );
}

async function infoAction({ json }: { json?: boolean }): Promise<void> {
  const { found, tried, unsupported } = findNative();
  const engine = found ? await openNative() : null;
  if (json) return printJson({ found, tried, unsupported, description: engine?.description ?? null });
  if (engine && found) {
    print(engine.description);
    print(found.file);
    return;
  }
  print(unsupported ?? "TensorFlow's library was not found; fetch it with: atmorep engine install. Looked at:");
  for (const path of tried) print(`  ${path}`);
}
