/** Which script is which cell, and where its lines are. */
import { SourceLines } from "../compile/sourceLines.js";
import type { TypedSource } from "./access.js";
import type { MainThread } from "./mainThread.js";
import { ACCESS, cellPath } from "./names.js";
import type { RemoteObject } from "./values.js";

/** In the code that runs; zero-based. */
export interface Location {
  scriptId: string;
  lineNumber: number;
  columnNumber?: number;
}

export interface Script {
  path: string;
  /** undefined for a library, whose lines are those that run */
  lines: SourceLines | undefined;
  code?: string;
}

const CELL = /^<cell \d+>$/;

export class Scripts {
  readonly #main: MainThread;
  /** address by script */
  readonly #urls = new Map<string, string>();
  readonly #known = new Map<string, Promise<Script | undefined>>();
  readonly #places = new Map<string, Promise<{ line: number; location: Location }[]>>();
  readonly #hidden: readonly string[];

  /** @param hidden parts of addresses of scripts that are never shown */
  constructor(main: MainThread, hidden: readonly string[]) {
    this.#main = main;
    this.#hidden = hidden;
    main.on<{ scriptId: string; url: string }>("Debugger.scriptParsed", ({ scriptId, url }) => {
      this.#urls.set(scriptId, url);
    });
  }

  forget(): void {
    for (const map of [this.#urls, this.#known, this.#places]) map.clear();
  }

  /** The cell, module or library that a script is; undefined for Node's and the kernel's own. */
  find(scriptId: string): Promise<Script | undefined> {
    const known = this.#known.get(scriptId) ?? this.#read(this.#urls.get(scriptId) ?? "");
    this.#known.set(scriptId, known);
    return known;
  }

  async #read(url: string): Promise<Script | undefined> {
    if (url === "" || url.startsWith("node:") || this.#hidden.some((part) => url.includes(part))) return undefined;
    const expression = `globalThis[Symbol.for(${JSON.stringify(ACCESS)})].source(${JSON.stringify(url)})`;
    const asked = { expression, returnByValue: true };
    const { result } = await this.#main.post<{ result: RemoteObject }>("Runtime.evaluate", asked);
    const source = result.value as TypedSource | null | undefined;
    if (!source) return CELL.test(url) ? undefined : { path: url.replace(/^file:\/\//, ""), lines: undefined };
    const lines = new SourceLines(source.maps, source.shift);
    return { path: source.file ?? cellPath(source.code ?? ""), code: source.code, lines };
  }

  /** Scripts of a cell or module, the latest last: a cell may have run several times. */
  async withPath(path: string): Promise<string[]> {
    const ids = [...this.#urls].filter(([, url]) => CELL.test(url) || path === url.replace(/\.[mc]?js$/, ".ts"));
    const found = await Promise.all(ids.map(async ([id]) => ((await this.find(id))?.path === path ? id : undefined)));
    return found.filter((id) => id !== undefined);
  }

  /** The cell that a run executes, once it is compiled. */
  cell(run: number): string | undefined {
    return [...this.#urls].find(([, url]) => url === `<cell ${run}>`)?.[0];
  }

  /** The place of a typed line at which a script can stop: on it, or on the next that has one. @param line one-based */
  async stopAt(scriptId: string, line: number): Promise<{ line: number; location: Location } | undefined> {
    const known = this.#places.get(scriptId) ?? this.#stops(scriptId);
    this.#places.set(scriptId, known);
    let best: { line: number; location: Location } | undefined;
    for (const place of await known) {
      if (place.line >= line && (best === undefined || place.line < best.line)) best = place;
    }
    return best;
  }

  async #stops(scriptId: string): Promise<{ line: number; location: Location }[]> {
    const script = await this.find(scriptId);
    const asked = { start: { scriptId, lineNumber: 0, columnNumber: 0 }, restrictToFunction: false };
    const { locations } = await this.#main.post<{ locations: Location[] }>("Debugger.getPossibleBreakpoints", asked);
    return locations.flatMap((location) => {
      const line = typedLine(script, location);
      return line === undefined ? [] : [{ line, location }];
    });
  }
}

/** One-based; undefined for what the kernel put in. */
export function typedLine(script: Script | undefined, { lineNumber, columnNumber = 0 }: Location): number | undefined {
  if (script?.lines === undefined) return script && lineNumber + 1;
  const line = script.lines.find({ line: lineNumber + 1, column: columnNumber + 1 })?.line;
  // tslab writes its exports below what was typed
  const isBelow = line !== undefined && script.code !== undefined && line > script.code.split("\n").length;
  return isBelow ? undefined : line;
}
