/** Where the cell thread is stopped, as frames of typed lines, and steps from typed line to typed line. */
import type { MainThread } from "./mainThread.js";
import { type Location, type Script, type Scripts, typedLine } from "./scripts.js";
import type { RemoteObject } from "./values.js";

interface CallFrame {
  callFrameId: string;
  functionName: string;
  location: Location;
  scopeChain: { type: string; object: RemoteObject }[];
}

interface Paused {
  callFrames: CallFrame[];
  reason: string;
  hitBreakpoints?: string[];
}

export interface Frame {
  id: number;
  name: string;
  path: string;
  line: number;
  call: CallFrame;
}

export type Step = "stepOver" | "stepInto" | "stepOut";

/** Places of one typed line, and of code that the kernel put in, that one step may pass. */
const MOST_STEPS = 500;

export class Pauses {
  readonly #main: MainThread;
  readonly #scripts: Scripts;
  readonly #stopped: (reason: string) => void;
  #step: { kind: Step; path: string; line: number; depth: number; left: number } | undefined;
  #isPaused = false;
  #session = 0;
  /** of where it is stopped, innermost first; empty while it is not */
  frames: readonly Frame[] = [];

  /** @param stopped called when a cell has stopped, with the reason in the words of the Debug Adapter Protocol */
  constructor(main: MainThread, scripts: Scripts, stopped: (reason: string) => void) {
    this.#main = main;
    this.#scripts = scripts;
    this.#stopped = stopped;
    main.on<Paused>("Debugger.paused", (paused) => {
      this.#isPaused = true;
      this.#look(paused).catch(() => this.resume());
    });
    main.on("Debugger.resumed", () => {
      this.#isPaused = false;
    });
  }

  /** The session is over: nothing is stopped. */
  forget(): void {
    this.#session++;
    this.#isPaused = false;
    this.#step = undefined;
    this.frames = [];
  }

  /** Goes on, until the next breakpoint. */
  async resume(): Promise<void> {
    this.#step = undefined;
    this.frames = [];
    if (this.#isPaused) await this.#main.post("Debugger.resume");
  }

  /** Goes on to another typed line: the next one, one of a function called here, or where this one was called. */
  async step(kind: Step): Promise<void> {
    const [top] = this.frames;
    if (top === undefined) return;
    this.#step = { kind, path: top.path, line: top.line, depth: this.frames.length, left: MOST_STEPS };
    this.frames = [];
    await this.#main.post(`Debugger.${kind}`);
  }

  async #look({ callFrames, reason, hitBreakpoints = [] }: Paused): Promise<void> {
    const session = this.#session;
    const scripts = await Promise.all(callFrames.map(({ location }) => this.#scripts.find(location.scriptId)));
    if (session !== this.#session) return;
    const frames: Frame[] = [];
    for (const [i, call] of callFrames.entries()) {
      const script = scripts[i];
      const line = typedLine(script, call.location);
      if (script === undefined || line === undefined) continue;
      frames.push({ id: frames.length + 1, name: call.functionName || "(cell)", path: script.path, line, call });
    }
    if (hitBreakpoints.length === 0 && !(await this.#isWanted(scripts, frames, callFrames))) return;
    const stepped = this.#step !== undefined && hitBreakpoints.length === 0;
    this.#step = undefined;
    this.frames = frames;
    const isError = reason === "exception" || reason === "promiseRejection";
    this.#stopped(isError ? "exception" : stepped ? "step" : "breakpoint");
  }

  /** False after it has gone on, for this is not where a step ends. */
  async #isWanted(
    scripts: readonly (Script | undefined)[],
    frames: readonly Frame[],
    [{ location }]: readonly CallFrame[],
  ): Promise<boolean> {
    const step = this.#step;
    const isOfCell = scripts[0]?.lines !== undefined;
    const isTyped = isOfCell && typedLine(scripts[0], location) !== undefined;
    const [top] = frames;
    const isSame = top?.path === step?.path && top?.line === step?.line && frames.length === step?.depth;
    if (isTyped && !isSame) return true;
    if (step === undefined || step.left-- === 0 || !scripts.some((script) => script?.path === step.path)) {
      // out of the cell: what else runs was not meant
      await this.resume();
      return false;
    }
    await this.#main.post(`Debugger.${isTyped ? step.kind : isOfCell ? "stepOver" : "stepOut"}`);
    return false;
  }
}
