/** From a place in the JavaScript that runs back to the line of the cell. */
import { SourceMap } from "node:module";

export interface Place {
  /** one-based */
  line: number;
  column: number;
}

type Payload = ConstructorParameters<typeof SourceMap>[0];

/** The chain of source maps of one cell: the code that runs, plain JavaScript, the cell. */
export class SourceLines {
  /** Knows no line. */
  static readonly none = new SourceLines([], 0);
  readonly #maps: SourceMap[];
  readonly #shift: number;

  /**
   * @param payloads source maps as JSON, from the code that runs to the source
   * @param shift lines that stand above the cell in the source
   */
  constructor(payloads: readonly string[], shift: number) {
    this.#maps = payloads.map((json) => new SourceMap(JSON.parse(json) as Payload));
    this.#shift = shift;
  }

  /** The same for a module, above which nothing stands. */
  ofModule(): SourceLines {
    const lines = new SourceLines([], 0);
    lines.#maps.push(...this.#maps);
    return lines;
  }

  /** What makes the same again, elsewhere. */
  parts(): { maps: string[]; shift: number } {
    return { maps: this.#maps.map(({ payload }) => JSON.stringify(payload)), shift: this.#shift };
  }

  /** @param place in the code that runs */
  find(place: Place): Place | undefined {
    let { line, column } = { line: place.line - 1, column: place.column - 1 };
    if (this.#maps.length === 0) return undefined;
    for (const map of this.#maps) {
      const entry = map.findEntry(line, column);
      if (!("originalLine" in entry)) return undefined;
      line = entry.originalLine;
      column = entry.originalColumn;
    }
    line -= this.#shift;
    return line < 0 ? undefined : { line: line + 1, column: column + 1 };
  }
}
