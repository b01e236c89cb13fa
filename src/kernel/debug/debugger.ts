/**
 * The debugger of Jupyter's protocol (`debug_request`: the Debug Adapter Protocol, with what ipykernel added) over V8's
 * inspector. It is on the wire thread, so that it answers while the cell thread is stopped. Until a client attaches, and
 * after it has left, no session with the cell thread is open.
 */
import { MainThread } from "./mainThread.js";
import { ACCESS, cellPath, HASH_SEED, PREFIX, SUFFIX } from "./names.js";
import { type Frame, Pauses, type Step } from "./pauses.js";
import { Scripts } from "./scripts.js";
import { type RemoteObject, textOf, Values, type Variable } from "./values.js";

type Content = Record<string, unknown>;

interface Wanted {
  line: number;
  condition?: string;
}

/** The thread of cells; there is one. */
const THREAD = 1;
const WAKE_MS = 10;
const STEPS: Record<string, Step> = { next: "stepOver", stepIn: "stepInto", stepOut: "stepOut" };
const LOCAL = ["local", "block", "catch", "eval"];
const NAME = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u;
const access = `globalThis[Symbol.for(${JSON.stringify(ACCESS)})]`;

export interface DebuggerSetup {
  /** publishes an event of the Debug Adapter Protocol */
  event(content: Content): void;
  /** gives the cell thread a turn */
  wake(): void;
  /** folder of the kernel's own code, which is not shown */
  own: string;
}

export class Debugger {
  readonly #setup: DebuggerSetup;
  readonly #main = new MainThread();
  readonly #scripts: Scripts;
  readonly #pauses: Pauses;
  readonly #values = new Values(this.#main);
  /** by path, the lines that the client asked for */
  readonly #wanted = new Map<string, Wanted[]>();
  /** by path, V8's names of breakpoints */
  readonly #placed = new Map<string, string[]>();
  /** texts of cells by path, as clients gave them */
  readonly #dumped = new Map<string, string>();
  #isStarted = false;
  #attached = false;
  #seq = 1;

  constructor(setup: DebuggerSetup) {
    this.#setup = setup;
    const hidden = [setup.own, "/tslab/dist/"];
    this.#scripts = new Scripts(this.#main, hidden);
    this.#pauses = new Pauses(this.#main, this.#scripts, (reason) => {
      const body = { reason, threadId: THREAD, allThreadsStopped: true, preserveFocusHint: false };
      this.#event("stopped", body);
    });
  }

  /** True while a client may have set breakpoints: cells then wait for `prepare` before they run. */
  get attached(): boolean {
    return this.#attached;
  }

  /** The response to a request. Never throws: what goes wrong is said in the response. */
  async request(message: Content): Promise<Content> {
    const command = String(message.command);
    const given = (message.arguments ?? {}) as Content;
    const response = { seq: this.#seq++, type: "response", request_seq: message.seq, command };
    try {
      return { ...response, success: true, body: await this.#answer(command, given) };
    } catch (error) {
      return { ...response, success: false, message: error instanceof Error ? error.message : String(error), body: {} };
    }
  }

  /** Sets the breakpoints of a cell that is compiled and has not begun. */
  async prepare(run: number): Promise<void> {
    if (!this.#attached) return;
    await this.#main.post("Debugger.setSkipAllPauses", { skip: false });
    const id = this.#scripts.cell(run);
    const script = id === undefined ? undefined : await this.#scripts.find(id);
    const wanted = script && this.#wanted.get(script.path);
    if (id !== undefined && wanted !== undefined) {
      for (const one of wanted) await this.#place(script?.path ?? "", id, one);
    }
  }

  /** For an interrupt: a stopped cell goes on, and nothing stops until the next one begins. */
  async pass(): Promise<void> {
    if (!this.#attached) return;
    await this.#main.post("Debugger.setSkipAllPauses", { skip: true });
    await this.#goOn();
  }

  /** Lets go of the cell thread; a stopped cell goes on. */
  close(): void {
    this.#main.close();
    this.#attached = false;
    this.#isStarted = false;
    for (const map of [this.#wanted, this.#placed, this.#dumped]) map.clear();
    for (const part of [this.#scripts, this.#values, this.#pauses]) part.forget();
  }

  #event(event: string, body: Content = {}): void {
    this.#setup.event({ seq: this.#seq++, type: "event", event, body });
  }

  async #answer(command: string, given: Content): Promise<Content> {
    if (command in STEPS) {
      this.#values.forget();
      if (this.#pauses.frames.length > 0) this.#continued();
      await this.#pauses.step(STEPS[command]);
      return {};
    }
    switch (command) {
      case "initialize":
        this.#isStarted = true;
        return CAPABILITIES;
      case "attach":
        return await this.#attach();
      case "configurationDone":
        return {};
      case "disconnect":
        await this.pass();
        this.close();
        return {};
      case "debugInfo":
        return this.#info();
      case "threads":
        return { threads: [{ id: THREAD, name: "cells" }] };
      case "dumpCell":
        return { sourcePath: this.#dump(String(given.code ?? "")) };
      case "source":
        return await this.#source(String((given.source as Content | undefined)?.path ?? ""));
      case "setBreakpoints":
        return await this.#setBreakpoints(given);
      case "setExceptionBreakpoints": {
        const state = (given.filters as string[] | undefined)?.includes("raised") ? "all" : "none";
        await this.#main.post("Debugger.setPauseOnExceptions", { state });
        return {};
      }
      case "stackTrace":
        return this.#stack();
      case "scopes":
        return this.#scopes(Number(given.frameId));
      case "variables":
        return { variables: await this.#values.within(Number(given.variablesReference)) };
      case "inspectVariables":
        if (this.#pauses.frames.length === 0) this.#values.forget();
        return { variables: await this.#values.globals() };
      case "richInspectVariables":
        return await this.#rich(String(given.variableName), given.frameId);
      case "evaluate":
        return await this.#evaluate(String(given.expression), given.frameId);
      case "continue":
        await this.#goOn();
        return { allThreadsContinued: true };
      case "modules":
        return { modules: [], totalModules: 0 };
      default:
        throw new Error(`the kernel does not know the request ${command}`);
    }
  }

  async #attach(): Promise<Content> {
    this.#isStarted = true;
    await this.#main.post("Runtime.enable");
    await this.#main.post("Debugger.enable");
    const own = this.#setup.own.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
    await this.#main.post("Debugger.setBlackboxPatterns", { patterns: ["^node:", own, "/tslab/dist/"] });
    this.#attached = true;
    this.#event("initialized");
    return {};
  }

  #info(): Content {
    return {
      isStarted: this.#isStarted,
      hashMethod: "Murmur2",
      hashSeed: HASH_SEED,
      tmpFilePrefix: PREFIX,
      tmpFileSuffix: SUFFIX,
      breakpoints: [...this.#wanted].map(([source, breakpoints]) => ({ source, breakpoints })),
      stoppedThreads: this.#pauses.frames.length > 0 ? [THREAD] : [],
      richRendering: true,
      exceptionPaths: [],
      copyToGlobals: false,
    };
  }

  #dump(code: string): string {
    const path = cellPath(code);
    this.#dumped.set(path, code);
    return path;
  }

  async #source(path: string): Promise<Content> {
    const dumped = this.#dumped.get(path);
    if (dumped !== undefined) return { content: dumped };
    const [id] = await this.#scripts.withPath(path);
    const script = id === undefined ? undefined : await this.#scripts.find(id);
    if (script?.code === undefined) throw new Error("source unavailable");
    return { content: script.code };
  }

  async #setBreakpoints(given: Content): Promise<Content> {
    const path = String((given.source as Content | undefined)?.path ?? "");
    for (const breakpointId of this.#placed.get(path) ?? []) {
      await this.#main.post("Debugger.removeBreakpoint", { breakpointId });
    }
    this.#placed.delete(path);
    const asked = (given.breakpoints ?? []) as Wanted[];
    const ids = asked.length > 0 && this.#attached ? await this.#scripts.withPath(path) : [];
    const set: Wanted[] = [];
    for (const { line, condition } of asked) {
      let found: number | undefined;
      for (const id of ids) found = (await this.#place(path, id, { line, condition })) ?? found;
      set.push({ line: found ?? line, ...(condition === undefined ? {} : { condition }) });
    }
    if (set.length > 0) this.#wanted.set(path, set);
    else this.#wanted.delete(path);
    return { breakpoints: set.map(({ line }, i) => ({ id: i, verified: true, line, source: { path } })) };
  }

  /** @returns the line at which the script will stop */
  async #place(path: string, scriptId: string, { line, condition }: Wanted): Promise<number | undefined> {
    const place = await this.#scripts.stopAt(scriptId, line);
    if (place === undefined) return undefined;
    const asked = { location: place.location, condition };
    // V8 refuses a second one at the same place
    const set = await this.#main.post<{ breakpointId: string }>("Debugger.setBreakpoint", asked).catch(() => undefined);
    if (set !== undefined) this.#placed.set(path, [...(this.#placed.get(path) ?? []), set.breakpointId]);
    return place.line;
  }

  #stack(): Content {
    const stackFrames = this.#pauses.frames.map(({ id, name, path, line }) => ({
      ...{ id, name, line, column: 1 },
      source: { path, name: path.slice(path.lastIndexOf("/") + 1), sourceReference: 0 },
    }));
    return { stackFrames, totalFrames: stackFrames.length };
  }

  #scopes(frameId: number): Content {
    const frame = this.#pauses.frames.find(({ id }) => id === frameId);
    if (frame === undefined) throw new Error("the cell is not stopped there");
    const scope = (name: string, list: () => Promise<Variable[]>) => ({
      ...{ name, expensive: false, presentationHint: name.toLowerCase() },
      variablesReference: this.#values.refer(list),
    });
    return {
      scopes: [
        scope("Locals", () => this.#inScopes(frame, LOCAL)),
        scope("Closure", () => this.#inScopes(frame, ["closure"])),
        scope("Globals", () => this.#values.globals()),
      ],
    };
  }

  /** Variables of a frame's scopes of some types, inner ones first. */
  async #inScopes(frame: Frame, types: readonly string[]): Promise<Variable[]> {
    const all = new Map<string, Variable>();
    for (const { type, object } of frame.call.scopeChain) {
      if (!types.includes(type)) continue;
      for (const one of await this.#values.named(object)) if (!all.has(one.name)) all.set(one.name, one);
    }
    return [...all.values()];
  }

  async #goOn(): Promise<void> {
    this.#values.forget();
    if (this.#pauses.frames.length > 0) this.#continued();
    await this.#pauses.resume();
  }

  /** Told before it goes on: it may stop again at once. */
  #continued(): void {
    this.#event("continued", { threadId: THREAD, allThreadsContinued: true });
  }

  /** A value in a frame, which sees the variables of all cells too, or of those alone where no cell is stopped. */
  async #value(expression: string, frameId: unknown): Promise<RemoteObject> {
    const frame = this.#pauses.frames.find(({ id }) => id === frameId) ?? this.#pauses.frames[0];
    type Result = { result: RemoteObject; exceptionDetails?: { exception?: RemoteObject } };
    const asked = { expression, generatePreview: true };
    const failed = ({ exceptionDetails }: Result) => exceptionDetails?.exception;
    if (frame === undefined) {
      const within = `with (${access}.values) { (${expression}\n) }`;
      const found = await this.#main.post<Result>("Runtime.evaluate", { ...asked, expression: within });
      return resultOf(found.result, failed(found));
    }
    const { callFrameId } = frame.call;
    const evaluate = (text: string) =>
      this.#main.post<Result>("Debugger.evaluateOnCallFrame", { ...asked, callFrameId, expression: text });
    let found = await evaluate(expression);
    if (failed(found)?.className === "ReferenceError") {
      // a variable of another cell, perhaps beside those of the frame
      const local = (await this.#inScopes(frame, [...LOCAL, "closure"])).filter(({ name }) => NAME.test(name));
      const getters = local.map(({ name }) => `get ${name}() { return ${name}; }`).join(", ");
      const body = `with (${access}.values) with (local) { return (${expression}\n); }`;
      found = await evaluate(`new Function("local", ${JSON.stringify(body)})({ ${getters} })`);
    }
    return resultOf(found.result, failed(found));
  }

  async #evaluate(expression: string, frameId: unknown): Promise<Content> {
    const { value, type, variablesReference } = this.#values.variable({
      name: "",
      value: await this.#value(expression, frameId),
    });
    return { result: value, type, variablesReference };
  }

  /** A variable as a cell would show it; while stopped, when no promise can go on, as text. */
  async #rich(name: string, frameId: unknown): Promise<Content> {
    if (!NAME.test(name)) return { data: {}, metadata: {} };
    if (this.#pauses.frames.length === 0) {
      const expression = `${access}.show(${JSON.stringify(name)})`;
      const asked = { expression, awaitPromise: true, returnByValue: true };
      // what the inspector begins does not wake an idle thread, in which promises wait
      const wake = setInterval(this.#setup.wake, WAKE_MS);
      const shown = this.#main.post<{ result: RemoteObject }>("Runtime.evaluate", asked);
      const { result } = await shown.finally(() => clearInterval(wake));
      return (result.value as Content | null) ?? { data: {}, metadata: {} };
    }
    const value = await this.#value(name, frameId);
    return { data: { "text/plain": textOf(value) }, metadata: {} };
  }
}

function resultOf(result: RemoteObject, error: RemoteObject | undefined): RemoteObject {
  if (error !== undefined) throw new Error((error.description ?? String(error.value)).split("\n")[0]);
  return result;
}

const CAPABILITIES = {
  supportsConfigurationDoneRequest: true,
  supportsConditionalBreakpoints: true,
  supportsEvaluateForHovers: true,
  exceptionBreakpointFilters: [{ filter: "raised", label: "Raised Exceptions", default: false }],
};
