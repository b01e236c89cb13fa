/** A TypeScript file run as one cell, without a client: what it shows goes to the terminal as text. */
import { readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { createApi, GLOBAL_DECLARATIONS } from "./api.js";
import { createRuntime } from "./cells.js";
import { Comms } from "./comms/comms.js";
import { CellModules } from "./compile/modules.js";
import { createConverter } from "./compile/tslab.js";
import { cellFunction } from "./compile/wrapped.js";
import { describeDiagnostics } from "./diagnostics.js";
import { Run } from "./runs.js";
import { cellFile, type ErrorContent, Tracebacks } from "./traceback.js";
import { quietWarnings } from "./warnings.js";
import { createRingMemory, stopFlag } from "./wire/ring.js";

/** What a display shows where only text can be shown. */
function textOf(content: Record<string, unknown>): string | undefined {
  const data = content.data as Record<string, unknown> | undefined;
  const text = data?.["text/markdown"] ?? data?.["text/plain"];
  return typeof text === "string" ? text : undefined;
}

function report(error: ErrorContent): void {
  const colours = process.stderr.isTTY === true;
  const text = error.traceback.join("\n");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape that begins a colour
  process.stderr.write(`${colours ? text : text.replace(/\u001b\[\d+m/g, "")}\n`);
}

/**
 * Runs `file` in its own folder, with the checks, imports and the global `jupyter` of a notebook.
 * @param fallbackRoot folder whose packages are used where the script's own folder has none
 * @param cacheFolder see `KernelOptions`
 * @returns false if it does not compile or throws, also later
 */
export async function runScript(file: string, fallbackRoot?: string, cacheFolder?: string): Promise<boolean> {
  const code = readFileSync(file, "utf8").replace(/^#!.*/, "");
  const folder = dirname(resolve(file));
  process.chdir(folder);
  quietWarnings();
  const run = new Run(1, 1);
  run.interactive = false;
  const memory = createRingMemory(1 << 20);
  const runtime = createRuntime(stopFlag(memory), (specifier, options) => modules.load(specifier, options));
  const modules = new CellModules(folder, fallbackRoot, runtime);
  const tracebacks = new Tracebacks([dirname(fileURLToPath(import.meta.url)), "/tslab/dist/"]);
  const jupyter = createApi({
    outlet: {
      lastRun: run,
      publish: (_run, _type, content) => {
        const text = textOf(content);
        if (text !== undefined) process.stdout.write(`${text}\n`);
      },
    },
    cells: { currentRun: run, hold: () => () => {} },
    // nobody is at the other end
    comms: new Comms({ publish: () => {}, reply: () => {}, run: () => run, failed: () => {} }),
    askInput: () => Promise.reject(new Error("a script has nobody to ask")),
  });
  Object.defineProperty(globalThis, "jupyter", { value: jupyter, configurable: true });
  const converter = createConverter({ globals: GLOBAL_DECLARATIONS, fallbackRoot, cacheFolder });
  const cell = converter.convert([], code);
  converter.saveCode();
  converter.close();
  if (cell.diagnostics.length > 0) {
    report(describeDiagnostics(cell.diagnostics, code));
    return false;
  }
  tracebacks.add(1, 1, { code, lines: cell.lines });
  modules.update(cell.modules);
  tracebacks.addModules(cell.modules);
  let late = false;
  for (const event of ["uncaughtException", "unhandledRejection"]) {
    process.removeAllListeners(event);
    process.on(event, (error) => {
      late = true;
      report(tracebacks.describe(error));
    });
  }
  try {
    await modules.preload(cell.imports);
    const { require } = modules;
    await cellFunction(cell.code, cellFile(1), { exports: {}, require, runtime, folder })(run);
    // Timers and promises that it left behind belong to it.
    await new Promise((done) => process.once("beforeExit", done));
    return !late;
  } catch (error) {
    report(tracebacks.describe(error));
    return false;
  }
}
