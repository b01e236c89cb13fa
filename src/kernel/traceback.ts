/** Errors as Jupyter shows them: name, message, and a traceback in the lines that were typed. */
import { existsSync } from "node:fs";
import { inspect } from "node:util";
import { advised } from "./advice.js";
import type { SourceLines } from "./compile/sourceLines.js";
import type { Diagnostic, LocalModule } from "./compile/tslab.js";
import { foreignAdvice } from "./foreign.js";

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
const CONTEXT_LINES = 2;
const RED = "\u001b[31m";
const BOLD = "\u001b[1m";
const PLAIN = "\u001b[0m";

/** Name of a cell's script; stack frames carry it. */
export function cellFile(run: number): string {
  return `<cell ${run}>`;
}

/** The typed lines around one place, with a mark. @param line one-based */
function excerpt(code: string, line: number, column: number): string[] {
  const lines = code.split("\n");
  const first = Math.max(1, line - CONTEXT_LINES);
  const last = Math.min(lines.length, line + CONTEXT_LINES);
  const width = String(last).length;
  const out: string[] = [];
  for (let n = first; n <= last; n++) {
    out.push(`${n === line ? "> " : "  "}${String(n).padStart(width)} | ${lines[n - 1]}`);
    if (n === line) out.push(`${" ".repeat(width + 2)} | ${" ".repeat(Math.max(0, column - 1))}^`);
  }
  return out;
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
    return text
      .split("\n")
      .map((line) => (/^\s+at /.test(line) ? this.#frame(line, this.#place(line)) : line))
      .join("\n");
  }

  /** A thrown value as the content of an `error` message. */
  describe(error: unknown): ErrorContent {
    if (!isErrorLike(error)) {
      const evalue = typeof error === "string" ? error : inspect(error);
      return { ename: "Thrown", evalue, traceback: [`${BOLD}${RED}Thrown${PLAIN}: ${evalue}`] };
    }
    const ename = error.name || "Error";
    const evalue = error.message;
    return { ename, evalue, traceback: this.#lines(error, ename) };
  }

  #lines(error: ErrorLike, ename: string, seen = new Set<unknown>()): string[] {
    seen.add(error);
    const traceback = [`${BOLD}${RED}${ename}${PLAIN}: ${error.message}`];
    const frames = stackFrames(error).filter((frame) => !this.#isHidden(frame));
    const places = frames.map((frame) => this.#place(frame));
    const own = places.find((place) => place !== undefined);
    if (own !== undefined) traceback.push(...excerpt(own.cell.code, own.line, own.column));
    traceback.push(...frames.map((frame, i) => this.#frame(frame, places[i])));
    if (isErrorLike(error.cause) && !seen.has(error.cause)) {
      traceback.push("", "caused by:", ...this.#lines(error.cause, error.cause.name || "Error", seen));
    }
    for (const inner of Array.isArray(error.errors) ? error.errors.slice(0, 5) : []) {
      if (isErrorLike(inner) && !seen.has(inner))
        traceback.push("", ...this.#lines(inner, inner.name || "Error", seen));
    }
    return traceback;
  }

  #isHidden(frame: string): boolean {
    return /\(?node:|<anonymous>\)?$/.test(frame) || this.#hidden.some((path) => frame.includes(path));
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

/** What is said of TypeScript that was understood: it only looks like another language. */
const ABOUT_TYPES =
  /^(?:Type|Property|Argument|Operator|Object|Conversion|No overload|Expected \d+ arguments|'[^']*' is (?:possibly|of type))\b/;

/** Type errors of a cell, all of them, as the content of an `error` message. */
export function describeDiagnostics(diagnostics: readonly Diagnostic[], code: string): ErrorContent {
  const lines: string[] = [];
  const typed = code.split("\n");
  // one line of another language has many messages, of which none helps
  for (const diagnostic of diagnostics) {
    if (diagnostic.fileName !== undefined || ABOUT_TYPES.test(diagnostic.messageText)) continue;
    const advice = foreignAdvice(typed[diagnostic.start.line] ?? "");
    if (advice === undefined) continue;
    const { line } = diagnostic.start;
    const shown = excerpt(code, line + 1, 1 + (/\S/.exec(typed[line])?.index ?? 0));
    const message = `${BOLD}${RED}TypeScriptError${PLAIN}: line ${line + 1}:1 - ${advice}`;
    return { ename: "TypeScriptError", evalue: advice, traceback: [message, ...shown] };
  }
  const advice = diagnostics.map(({ messageText }) => advised(messageText));
  for (const [i, { start, fileName }] of diagnostics.entries()) {
    const where = `${fileName ?? "line "}${fileName === undefined ? "" : ":"}${start.line + 1}:${start.character + 1}`;
    lines.push(`${BOLD}${RED}TypeScriptError${PLAIN}: ${where} - ${advice[i]}`);
    if (fileName === undefined) lines.push(...excerpt(code, start.line + 1, start.character + 1));
  }
  return { ename: "TypeScriptError", evalue: advice.join("\n"), traceback: lines };
}

interface ErrorLike {
  name: string;
  message: string;
  stack?: string;
  cause?: unknown;
  errors?: unknown;
}

function isErrorLike(value: unknown): value is ErrorLike {
  return typeof value === "object" && value !== null && "message" in value && "name" in value;
}

function stackFrames(error: ErrorLike): string[] {
  return String(error.stack ?? "")
    .split("\n")
    .filter((line) => /^\s+at /.test(line));
}
