/** Errors as Jupyter shows them: name, message, and a traceback in the lines that were typed. */
import { existsSync } from "node:fs";
import { inspect } from "node:util";
import type { SourceLines } from "./compile/sourceLines.js";
import type { LocalModule } from "./compile/tslab.js";
import { type ErrorLike, framesOf, isErrorLike, nameOf } from "./errorLike.js";
import { BOLD, excerpt, PLAIN, RED } from "./excerpt.js";
import { stackOf } from "./thrown.js";

export interface ErrorContent extends Record<string, unknown> {
  ename: string;
  evalue: string;
  traceback: string[];
}

export interface CellSource {
  code: string;
  lines: SourceLines;
}

/** A place in the typed lines, one-based. */
interface CellPlace {
  cell: CellSource & { count: number };
  line: number;
  column: number;
}

const CELL_PLACE = /<cell (\d+)>:(\d+):(\d+)/;
const MODULE_PLACE = /(\/[^()\s][^():]*):(\d+):(\d+)/;
const SOURCES = [".ts", ".tsx", ".mts", ".cts"];
/** Errors of an AggregateError that are shown. */
const INNER_SHOWN = 5;

/** Name of a cell's script; stack frames carry it. */
export function cellFile(run: number): string {
  return `<cell ${run}>`;
}

/** @param hidden paths whose frames are the kernel's own */
export class Tracebacks {
  readonly #cells = new Map<number, CellSource & { count: number }>();
  readonly #hidden: readonly string[];
  /** by the path of its JavaScript */
  readonly #modules = new Map<string, { file: string; lines: SourceLines }>();

  constructor(hidden: readonly string[]) {
    this.#hidden = hidden;
  }

  /** Remembers a cell, whose functions may be called from later ones. */
  add(run: number, count: number, source: CellSource): void {
    this.#cells.set(run, { ...source, count });
  }

  /** Remembers modules of the notebook's own. */
  addModules(modules: readonly LocalModule[]): void {
    for (const { path, lines } of modules) {
      const base = path.replace(/\.[mc]?js$/, "");
      const file = SOURCES.map((ending) => base + ending).find((name) => existsSync(name)) ?? path;
      this.#modules.set(path, { file, lines });
    }
  }

  /** What was typed of the script at `url`: a cell's text, or the file of a module. */
  source(url: string): { code?: string; file?: string; lines: SourceLines } | undefined {
    const [, run] = /^<cell (\d+)>$/.exec(url) ?? [];
    return run === undefined ? this.#modules.get(url) : this.#cells.get(Number(run));
  }

  /** Text with stack frames, such as `console.error(error)` prints, with the places that were typed. */
  typed(text: string): string {
    if (!text.includes("    at ")) return text;
    const out: string[] = [];
    for (const line of text.split("\n")) {
      if (!/^\s+at /.test(line)) out.push(line);
      else if (!this.#isHidden(line)) out.push(this.#frame(line, this.#place(line)));
      // what stands behind the frame, such as the properties of the error, stays
      else if (out.length > 0) out[out.length - 1] += /:\d+:\d+\)?(.*)$/.exec(line)?.[1] ?? "";
    }
    return out.join("\n");
  }

  /** A thrown value as the content of an `error` message. */
  describe(error: unknown): ErrorContent {
    try {
      return this.#describe(error);
    } catch (inner) {
      // its own getters throw
      return this.#describe(isErrorLike(inner) ? inner : "a value that cannot be looked at");
    }
  }

  /** The run whose cell made the error, by its stack; undefined if `current` had part in it, or no cell. */
  runOf(error: unknown, current: number | undefined): number | undefined {
    const found = [...stackOf(error).matchAll(new RegExp(CELL_PLACE, "g"))].map((match) => Number(match[1]));
    return current !== undefined && found.includes(current) ? undefined : found.at(-1);
  }

  #describe(error: unknown): ErrorContent {
    const { ename, evalue } = isErrorLike(error)
      ? { ename: nameOf(error), evalue: textOf(error.message) }
      : { ename: "Thrown", evalue: textOf(error) };
    return { ename, evalue, traceback: this.#lines(error, ename, evalue) };
  }

  #lines(error: unknown, ename: string, evalue: string, seen = new Set<unknown>()): string[] {
    seen.add(error);
    const message = isErrorLike(error) ? error.message : undefined;
    const all = framesOf(stackOf(error), message);
    const frames = all.filter((frame) => !this.#isHidden(frame));
    const places = frames.map((frame) => this.#place(frame));
    const own = places.find((place) => place !== undefined);
    const traceback = [`${BOLD}${RED}${ename}${PLAIN}: ${evalue}`];
    if (own !== undefined) traceback.push(...excerpt(own.cell.code, own.line, own.column));
    traceback.push(...folded(frames.map((frame, i) => this.#frame(frame, places[i]))));
    return isErrorLike(error) ? [...traceback, ...this.#inner(error, seen)] : traceback;
  }

  /** What an error says of others. */
  #inner(error: ErrorLike, seen: Set<unknown>): string[] {
    const lines = (other: unknown) => {
      if (seen.has(other)) return [];
      const { ename, evalue } = this.#describe(other);
      return isErrorLike(other) ? this.#lines(other, ename, evalue, seen) : [evalue];
    };
    const told = (title: string, other: unknown) =>
      other === undefined || seen.has(other) ? [] : ["", title, ...lines(other)];
    const all: unknown[] = Array.isArray(error.errors) ? error.errors : [];
    const rest = all.length - INNER_SHOWN;
    return [
      ...told("caused by:", error.cause),
      ...(nameOf(error) === "SuppressedError"
        ? [...told("thrown last:", error.error), ...told("thrown before it:", error.suppressed)]
        : []),
      ...all.slice(0, INNER_SHOWN).flatMap((inner) => ["", ...lines(inner)]),
      ...(rest > 0 ? ["", `and ${rest} more errors`] : []),
    ];
  }

  #isHidden(frame: string): boolean {
    if (/\(?node:|<anonymous>\)?$/.test(frame) || this.#hidden.some((path) => frame.includes(path))) return true;
    // what the compiler adds to a cell, such as for decorators
    return CELL_PLACE.test(frame) && this.#place(frame) === undefined;
  }

  #place(frame: string): CellPlace | undefined {
    const match = CELL_PLACE.exec(frame);
    if (match === null) return undefined;
    const cell = this.#cells.get(Number(match[1]));
    const found = cell?.lines.find({ line: Number(match[2]), column: Number(match[3]) });
    return cell === undefined || found === undefined ? undefined : { cell, ...found };
  }

  /** A frame of a module of the notebook's own, in its TypeScript. */
  #moduleFrame(frame: string): string {
    const match = MODULE_PLACE.exec(frame);
    const module = match && this.#modules.get(match[1]);
    const found = module?.lines.find({ line: Number(match![2]), column: Number(match![3]) });
    return module && found ? frame.replace(match![0], `${module.file}:${found.line}:${found.column}`) : frame;
  }

  #frame(frame: string, place: CellPlace | undefined): string {
    if (place === undefined) return this.#moduleFrame(frame);
    const where = `cell [${place.cell.count}]:${place.line}:${place.column}`;
    const mapped = frame.replace(CELL_PLACE, where);
    // The function that wraps a cell has no name of its own.
    return mapped.replace(/at (async )?(?:eval|<anonymous>) \((cell \[.*)\)$/, "at $1$2");
  }
}

const textOf = (value: unknown): string => (typeof value === "string" ? value : inspect(value));

/** Frames without the repetitions of a function that calls itself, also by way of one or two others. */
function folded(frames: readonly string[]): string[] {
  const out: string[] = [];
  for (let at = 0; at < frames.length; ) {
    const period = [1, 2, 3].find((length) => timesFrom(frames, at, length) > 2);
    const times = period === undefined ? 1 : timesFrom(frames, at, period);
    out.push(...frames.slice(at, at + (period ?? 1)));
    if (times > 1) out.push("    ... and the same again and again");
    at += times * (period ?? 1);
  }
  return out;
}

/** How many times in a row the `length` frames at `at` stand there. */
function timesFrom(frames: readonly string[], at: number, length: number): number {
  let times = 1;
  while (frames.slice(at, at + length).every((frame, i) => frame === frames[at + times * length + i])) times++;
  return times;
}
