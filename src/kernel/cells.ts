/**
 * Runs cells on the main thread and answers for each exactly once: those of one shell one after the other, those of
 * several shells in turn, whenever one waits.
 */
import { setMaxListeners } from "node:events";
import type { Carried } from "./compile/carried.js";
import type { CellModules } from "./compile/modules.js";
import type { ConvertedCell, Converter } from "./compile/tslab.js";
import { cellFunction, importMeta } from "./compile/wrapped.js";
import { type CellVariables, Variables } from "./declared.js";
import { describeDiagnostics, refused } from "./diagnostics.js";
import { bundleOf } from "./display/displayBundle.js";
import { checkHeap } from "./heap.js";
import { endBeside, Interrupted, interruptRun, ownRun, Run, runBeside, setCurrentRun } from "./runs.js";
import { forgetThrown, noteRun, thrown, thrownIn } from "./thrown.js";
import { stopAllTimers } from "./timers.js";
import { cellFile, type ErrorContent, type Tracebacks } from "./traceback.js";
import type { Outlet } from "./wire/outlet.js";
import type { ExecuteRequest } from "./wire/protocol.js";
import { ANY_RUN } from "./wire/ring.js";

/** How long interrupted code may take to clean up before its cell fails without it. */
const GRACE_MS = 1_200;
const POLL_MS = 15;
/** Node keeps ten frames; below a library's the cell's own would be lost. */
const STACK_FRAMES = 60;
/** The kernel's own timers; the global ones are replaced. */
const later = setTimeout;
const soon = setImmediate;

/** What instrumented code calls; see instrument.ts. */
export interface Runtime {
  check(): void;
  /** the run that calls an asynchronous function, kept by it */
  enter(): Run | undefined;
  resume<T>(run: Run | undefined, value?: T): T | undefined;
  load(specifier: string, options?: ImportCallOptions): Promise<Record<string, unknown>>;
  /** `import.meta` of the module at this path */
  meta(filename: string): Record<string, unknown>;
  /** what is thrown, on its way */
  thrown<T>(value: T): T;
  /** an error that leaves an asynchronous function, of the run that called it */
  left<T>(run: Run | undefined, error: T): T;
}

export function createRuntime(stop: Int32Array, load: Runtime["load"]): Runtime {
  const check = () => {
    checkHeap();
    const whose = Atomics.load(stop, 0);
    if (whose === 0) return;
    const run = ownRun();
    // another shell's cell is meant; one of before, whose timer this is, would be in its way
    if (whose !== ANY_RUN && run !== undefined && !run.done && run.id !== whose) return;
    // the message that asks for the interrupt may come after the cell has ended by this
    interruptRun(run);
    throw new Interrupted();
  };
  return {
    check,
    enter: ownRun,
    resume(run, value) {
      if (run?.interrupted && !answersInterrupt(value)) throw new Interrupted();
      return value;
    },
    load: async (specifier, options) => await load(specifier, options),
    meta: importMeta,
    thrown,
    left(run, error) {
      noteRun(error, run);
      return error;
    },
  };
}

/**
 * A library that stops in good order when it is interrupted and gives what it has may mark the value with
 * `Symbol.for("Jupyter.answersInterrupt")`: the cell that waits for it then has it, and ends behind it.
 */
const ANSWERS = Symbol.for("Jupyter.answersInterrupt");

const answersInterrupt = (value: unknown): boolean =>
  typeof value === "object" && value !== null && Reflect.get(value, ANSWERS) === true;

interface Current {
  run: Run;
  /** the interrupt was asked for, and its end is awaited */
  ending: boolean;
  request: ExecuteRequest;
  resources: number;
  variables?: CellVariables;
  /** lets the next cell be compiled */
  prepared(): void;
}

export interface CellsSetup {
  converter: Converter;
  modules: CellModules;
  runtime: Runtime;
  outlet: Outlet;
  tracebacks: Tracebacks;
  /** see `holdFlag` */
  hold: Int32Array;
  /** says that a cell is compiled, and waits until a debugger has set its breakpoints */
  compiled(run: number): Promise<void>;
}

export class Cells {
  readonly #setup: CellsSetup;
  readonly #variables = new Variables();
  #declarations: readonly Carried[] = [];
  /** cells at work, by run: one of each shell at most */
  readonly #atWork = new Map<number, Current>();
  #main: Run | undefined;
  /** when the cell that came before is compiled and what it imports is loaded: the next builds on its declarations */
  #turn: Promise<void> = Promise.resolve();
  /** an error that came after its cell was done; fails the next cell of a headless run */
  #late: ErrorContent | undefined;

  constructor(setup: CellsSetup) {
    this.#setup = setup;
    Error.stackTraceLimit = STACK_FRAMES;
  }

  /** The main shell's. */
  get currentRun(): Run | undefined {
    return this.#main;
  }

  get busy(): boolean {
    return this.#atWork.size > 0;
  }

  /** by name, those of all cells */
  get values(): Record<string, unknown> {
    return this.#variables.values;
  }

  get declarations(): readonly Carried[] {
    return this.#declarations;
  }

  execute(request: ExecuteRequest): void {
    const run = new Run(request.id, request.count);
    run.beside = request.beside;
    run.interactive = request.allowStdin;
    setMaxListeners(0, run.controller.signal);
    forgetThrown();
    const before = this.#turn;
    let prepared = () => {};
    this.#turn = new Promise((done) => {
      prepared = done;
    });
    const current: Current = { run, ending: false, request, resources: openResources(), prepared };
    this.#atWork.set(run.id, current);
    if (!run.beside) {
      this.#main = run;
      setCurrentRun(run);
    }
    const begin = () => {
      if (this.#failLate(run)) return;
      this.#run(current, request.code, before).then(
        () => this.#succeed(run),
        (error) => this.#fail(run, this.#describe(run, error)),
      );
    };
    if (run.beside) runBeside(run, begin);
    else begin();
  }

  /**
   * @param id of the cell's run; none for what idle cells left behind
   * @param force the cell has been ended from outside and will not come back by itself
   */
  interrupt(id: number | undefined, force: boolean): void {
    const current = id === undefined ? undefined : this.#atWork.get(id);
    if (current === undefined) {
      if (!this.busy) stopAllTimers();
      return;
    }
    const { run } = current;
    // a second one is for whoever has asked for time
    if (current.ending) this.#giveBack(run);
    interruptRun(run);
    if (!current.ending) {
      current.ending = true;
      this.#waitForEnd(current, performance.now() + GRACE_MS, 0);
    }
    if (force) this.#fail(run, this.#describe(run, new Interrupted()));
  }

  /** Counts a request for time after an interrupt. @returns what ends it */
  hold(run: Run | undefined): () => void {
    if (run === undefined || run.done) return () => {};
    run.holds++;
    Atomics.add(this.#setup.hold, run.beside ? 1 : 0, 1);
    let held = true;
    return () => {
      // the end of a cell, or a second interrupt, has given all of its back
      if (held && run.holds > 0) this.#giveBack(run, 1);
      held = false;
    };
  }

  #giveBack(run: Run, count = run.holds): void {
    const slot = run.beside ? 1 : 0;
    const { hold } = this.#setup;
    run.holds -= count;
    Atomics.store(hold, slot, Math.max(0, Atomics.load(hold, slot) - count));
  }

  /** An exception or a rejection that nobody caught. */
  uncaught(error: unknown): void {
    if (error instanceof Interrupted || isAbortOf(error)) return;
    const { tracebacks, outlet } = this.#setup;
    const own =
      thrownIn(error)?.id ??
      tracebacks.runOf(error, (ownRun() ?? this.#main)?.id) ??
      (ownRun() ?? outlet.lastRun)?.id ??
      0;
    const content = tracebacks.describe(error);
    const current = this.#atWork.get(own);
    if (current !== undefined) {
      this.#fail(current.run, content);
      return;
    }
    this.#late = content;
    outlet.publish(own, "error", content);
  }

  async #run(current: Current, code: string, before: Promise<void>): Promise<void> {
    const { modules, runtime, outlet, tracebacks } = this.#setup;
    const { run } = current;
    if (code.trim() === "") return;
    if (this.#atWork.size > 1) await before;
    if (run.interrupted) throw new Interrupted();
    const cell = await this.#prepare(run, code);
    const variables = this.#variables.ofCell(cell.resultName);
    current.variables = variables;
    current.prepared();
    const { exports } = variables;
    const { require, folder } = modules;
    const body = cellFunction(cell.code, cellFile(run.id), { exports, require, runtime, folder });
    if (current.request.debug) await this.#setup.compiled(run.id);
    if (run.interrupted) throw new Interrupted();
    await body(run);
    if (cell.resultName === undefined || run.interrupted) return;
    const result = await variables.take();
    if (result === undefined) return;
    const shown = await bundleOf(withoutName(result, cell.resultName));
    const text = shown?.data["text/plain"];
    if (shown && typeof text === "string") shown.data["text/plain"] = tracebacks.typed(text);
    if (!run.done && shown) outlet.publish(run.id, "execute_result", { execution_count: run.count, ...shown });
  }

  /** Compiles a cell and loads what it imports. */
  async #prepare(run: Run, code: string): Promise<ConvertedCell> {
    const { converter, modules, tracebacks } = this.#setup;
    const cell = converter.convert(this.#declarations, code);
    if (cell.diagnostics.length > 0) throw new CompileError(describeDiagnostics(cell.diagnostics, code));
    modules.update(cell.modules, cell.changed);
    tracebacks.addModules(cell.modules);
    tracebacks.add(run.id, run.count, { code, lines: cell.lines });
    await modules.preload(cell.imports);
    if (run.interrupted) throw new Interrupted();
    // What a cell defined before it failed stays, as in other kernels.
    const before = new Set(this.#declarations);
    this.#declarations = cell.declarations;
    run.declares = cell.declarations.filter((one) => !before.has(one) && !one.isImport).flatMap(({ names }) => names);
    if (run.declares.includes("exports")) throw new CompileError(refused(code, lineOf(code, "exports"), EXPORTS));
    return cell;
  }

  #succeed(run: Run): void {
    if (run.interrupted) {
      this.#fail(run, this.#describe(run, new Interrupted()));
      return;
    }
    // A turn of the event loop, in which a promise that the cell dropped can be reported as rejected.
    soon(() => {
      if (run.done || this.#failLate(run)) return;
      this.#finish(run, { status: "ok", payload: run.pages.splice(0), user_expressions: {} });
    });
  }

  /** In a headless run, where nobody reads what an earlier cell shows late: its error fails this one. */
  #failLate(run: Run): boolean {
    if (this.#late === undefined || run.interactive) return false;
    const error = this.#late;
    this.#late = undefined;
    this.#fail(run, error);
    return true;
  }

  #fail(run: Run, error: ErrorContent): void {
    const current = this.#atWork.get(run.id);
    if (run.done || current === undefined) return;
    current.variables?.failed(run.declares, run.count);
    if (current.request.silent !== true) this.#setup.outlet.publish(run.id, "error", error);
    this.#finish(run, { status: "error", ...error });
  }

  #finish(run: Run, content: Record<string, unknown>): void {
    const current = this.#atWork.get(run.id);
    if (run.done || current === undefined) return;
    run.done = true;
    if (run.interrupted) run.stopTimers();
    this.#giveBack(run);
    this.#atWork.delete(run.id);
    current.prepared();
    if (run.beside) endBeside(run);
    else {
      this.#main = undefined;
      setCurrentRun(undefined);
    }
    this.#setup.outlet.reply(run.id, content);
  }

  #describe(run: Run, error: unknown): ErrorContent {
    if (error instanceof CompileError) return error.content;
    // A signal's reason or the abort of a timer: the user's interrupt, whatever it is called.
    const shown = run.interrupted && isAbortOf(error) ? new Interrupted() : error;
    return this.#setup.tracebacks.describe(shown);
  }

  /** Fails an interrupted cell once nothing is left that could end it, or when its time is over. */
  #waitForEnd(current: Current, deadline: number, idle: number): void {
    later(() => {
      if (current.run.done) return;
      if (current.run.holds > 0) {
        this.#waitForEnd(current, performance.now() + GRACE_MS, 0);
        return;
      }
      const waiting = openResources() > current.resources || current.run.isExpecting(deadline);
      const quiet = waiting ? 0 : idle + 1;
      if (quiet >= 3 || performance.now() > deadline) {
        this.#fail(current.run, this.#describe(current.run, new Interrupted()));
      } else {
        this.#waitForEnd(current, deadline, quiet);
      }
    }, POLL_MS);
  }
}

/** A function without a name of its own, not with that which tslab gives to the value of a cell. */
function withoutName(value: unknown, name: string): unknown {
  if (typeof value === "function" && value.name === name) Object.defineProperty(value, "name", { value: "" });
  return value;
}

const EXPORTS = "exports is the name under which cells hand on their variables. Give this one another name.";

/** The first line that has the word, zero-based. */
const lineOf = (code: string, word: string): number =>
  Math.max(
    0,
    code.split("\n").findIndex((line) => new RegExp(`\\b${word}\\b`).test(line)),
  );

/** Files, sockets, child processes at work; timers do not count, an interrupt has stopped them. */
function openResources(): number {
  return process.getActiveResourcesInfo().filter((name) => name !== "Timeout" && name !== "Immediate").length;
}

class CompileError extends Error {
  constructor(readonly content: ErrorContent) {
    super(content.evalue);
  }
}

function isAbortOf(error: unknown): boolean {
  if (typeof error !== "object" || error === null) return false;
  const { name, cause } = error as { name?: unknown; cause?: unknown };
  return cause instanceof Interrupted || (name === "AbortError" && ownRun()?.interrupted === true);
}
