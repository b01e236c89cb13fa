/** Entry point of the kernel: `node --no-force-async-hooks-checks main.js CONNECTION_FILE`. */
import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { createApi, GLOBAL_DECLARATIONS } from "./api.js";
import { Cells, createRuntime } from "./cells.js";
import { type CommContent, Comms } from "./comms/comms.js";
import { completeness } from "./compile/completeness.js";
import { CellModules } from "./compile/modules.js";
import { codePointsBefore } from "./compile/positions.js";
import { createConverter, versions } from "./compile/tslab.js";
import { loadTypeScript, type TypeScript } from "./compile/typescript.js";
import { openToDebugger } from "./debug/access.js";
import { IdleWork } from "./idleWork.js";
import { closeInput, keepListening, keepProcess } from "./keepProcess.js";
import { ownRun } from "./runs.js";
import { watchEmitters } from "./thrown.js";
import { installTimers } from "./timers.js";
import { Tracebacks } from "./traceback.js";
import { quietWarnings } from "./warnings.js";
import { captureOutput, Outlet } from "./wire/outlet.js";
import type { CarriedText, Connection, Request, WireOptions } from "./wire/protocol.js";
import { createRingMemory, holdFlag, RingWriter, stopFlag } from "./wire/ring.js";

/** Without it, Node ends the process when JavaScript is ended from outside in the middle of a callback. */
const NEEDED_FLAG = "--no-force-async-hooks-checks";

export interface KernelOptions {
  connectionFile: string;
  /** folder whose packages are used where the notebook's own folder has none */
  fallbackRoot?: string;
  /** folder in which the kernel may keep files from start to start, to start faster */
  cacheFolder?: string;
  /** who the kernel says it is; default "typescript" */
  name?: string;
  /** and its version; default tslab's, whose compiler it uses */
  version?: string;
}

/**
 * Runs a kernel in this process until a client ends it.
 * @throws Error if the process was not started with the flag that interrupts need, or the connection file is bad
 */
export function startKernel(options: KernelOptions): void {
  if (!process.execArgv.includes(NEEDED_FLAG)) throw new Error(`the kernel must be started by "node ${NEEDED_FLAG}"`);
  const connection = JSON.parse(readFileSync(options.connectionFile, "utf8")) as Connection;
  const memory = createRingMemory();
  const typescript = loadTypeScript(options.cacheFolder);
  const { tslab, typescript: compiler } = versions();
  const implementation = options.name ?? "typescript";
  const wire: WireOptions = {
    connection,
    memory,
    info: {
      implementation,
      version: options.version ?? tslab,
      language: compiler,
      banner: `TypeScript ${compiler} on Node ${process.versions.node}`,
    },
  };
  const worker = new Worker(new URL("./wire/wireThread.js", import.meta.url), { workerData: wire, execArgv: [] });
  worker.on("error", (error) => {
    throw error;
  });
  const outlet = new Outlet(new RingWriter(memory, () => worker.postMessage(null)));
  serve(options, typescript, worker, memory, outlet);
}

function serve(
  options: KernelOptions,
  typescript: TypeScript,
  worker: Worker,
  memory: SharedArrayBuffer,
  outlet: Outlet,
): void {
  const folder = process.cwd();
  const runtime = createRuntime(stopFlag(memory), (specifier, options) => modules.load(specifier, options));
  const modules = new CellModules(folder, options.fallbackRoot, runtime);
  const tracebacks = new Tracebacks([dirname(fileURLToPath(import.meta.url)), "/tslab/dist/"]);
  const converter = createConverter({ globals: GLOBAL_DECLARATIONS, fallbackRoot: options.fallbackRoot });
  /** by run, what lets a compiled cell begin under a debugger */
  const begin = new Map<number, () => void>();
  const compiled = (run: number) =>
    new Promise<void>((resolve) => {
      begin.set(run, resolve);
      outlet.send({ kind: "compiled", run });
    });
  const cells = new Cells({ converter, modules, runtime, outlet, tracebacks, hold: holdFlag(memory), compiled });
  openToDebugger(cells.values, tracebacks);
  const idle = new IdleWork(
    () => converter.prepareAnswers() || converter.readDocs(),
    () => cells.busy,
  );
  /** by run */
  const answerInput = new Map<number, (value: string) => void>();
  const asked = new Map<number, Promise<string>>();
  const comms = new Comms({
    publish: (run, type, content, carried) => outlet.publish(run, type, content, asText(carried)),
    reply: (id) => outlet.reply(id, {}),
    run: () => ownRun() ?? outlet.lastRun,
    failed: (run, error) => outlet.publish(run, "error", { ...tracebacks.describe(error) }),
  });
  const jupyter = createApi({
    outlet,
    cells,
    comms,
    askInput(run, prompt, password) {
      const ask = () =>
        new Promise<string>((resolve) => {
          answerInput.set(run, resolve);
          outlet.send({ kind: "input", run, prompt, password });
        });
      // one question at a time; those of an interrupted cell are never answered
      const mine = asked.get(run)?.then(ask) ?? ask();
      asked.set(run, mine);
      return mine;
    },
  });
  Object.defineProperty(globalThis, "jupyter", { value: jupyter, configurable: true });
  const exit = process.exit.bind(process);
  keepProcess();
  closeInput();
  watchEmitters();
  process.on("SIGINT", () => outlet.send({ kind: "interrupt" }));
  keepListening(["uncaughtException", "unhandledRejection"], (error) => cells.uncaught(error));

  /** The content of the reply to a request that the compiler answers. */
  function answer(
    request: Exclude<Request, { type: "execute" | "comm" | "interrupt" | "input" | "begin" | "shutdown" }>,
  ) {
    const { code } = request;
    if (request.type === "isComplete") return { ...completeness(typescript, code) };
    if (request.type === "inspect") {
      const found = converter.inspect(cells.declarations, code, request.cursor);
      const data = found === undefined ? {} : { "text/markdown": found.markdown, "text/plain": found.plain };
      return { status: "ok", found: found !== undefined, data, metadata: {} };
    }
    const { start, end, candidates } = converter.complete(cells.declarations, code, request.cursor);
    const matches = candidates.map(({ text }) => text);
    const place = { start: codePointsBefore(code, start), end: codePointsBefore(code, end) };
    const metadata = { _jupyter_types_experimental: candidates.map((one) => ({ ...place, ...one })) };
    return { status: "ok", matches, cursor_start: start, cursor_end: end, metadata };
  }

  function handle(request: Request): void {
    idle.touch();
    if (request.type === "execute") {
      if (!request.beside) endGroups();
      cells.execute(request);
      outlet.lastRun = cells.currentRun ?? outlet.lastRun;
      converter.saveCode();
    } else if (request.type === "comm") void comms.take(request);
    else if (request.type === "interrupt") {
      cells.interrupt(request.run, request.force);
      if (request.force) comms.settle();
      outlet.reply(request.id, {});
    } else if (request.type === "begin") {
      begin.get(request.run)?.();
      begin.delete(request.run);
    } else if (request.type === "input") answerInput.get(request.run)?.(request.value);
    else if (request.type === "shutdown") exit(request.code);
    else outlet.reply(request.id, answer(request));
  }

  quietWarnings();
  installTimers();
  const endGroups = captureOutput(outlet, (text) => tracebacks.typed(text));
  worker.on("message", (request: Request) => {
    try {
      handle(request);
    } catch (error) {
      const content = { status: "error", ...tracebacks.describe(error) };
      if ("id" in request) outlet.reply(request.id, content);
    }
  });
  outlet.send({ kind: "ready" });
  idle.touch();
}

/** Buffers as the ring has them. */
function asText({ metadata, buffers = [] }: Pick<CommContent, "metadata" | "buffers">): CarriedText {
  const text = ({ buffer, byteOffset, byteLength }: ArrayBufferView) =>
    Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength).toString("base64");
  return { metadata, buffers: buffers.map(text) };
}
