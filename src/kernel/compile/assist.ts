/** Completion and inspection of cells, on a language service of their own that is made at the first question. */
import type * as TS from "typescript";
import { CellService, type CellServiceSetup } from "./cellService.js";
import { type Completion, completeCell, exportsFor, nameToImport, packagesOf } from "./complete.js";
import type { LibraryDocs } from "./docComments.js";
import { type Inspection, inspectCell } from "./inspectCell.js";

export interface AssistSetup extends CellServiceSetup {
  docs: LibraryDocs;
  /** folder whose packages cells may import as well */
  fallbackRoot?: string;
}

export class Assist {
  readonly #ts: typeof TS;
  readonly #setup: AssistSetup;
  #cells: CellService | undefined;
  /** packages to look at beforehand; at first none */
  #unseen: string[] | undefined;

  constructor(ts: typeof TS, setup: AssistSetup) {
    this.#ts = ts;
    this.#setup = setup;
  }

  /** @param earlier declarations of the cells before this one @param cursor in UTF-16 units */
  complete(earlier: string, source: string, cursor: number): Completion {
    const ts = this.#ts;
    const word = nameToImport(source, cursor);
    if (word === undefined) return completeCell(ts, this.#open(earlier, source), cursor, this.#setup.fallbackRoot);
    const modules = packagesOf(this.#setup.fallbackRoot).own;
    const cell = this.#open("", modules.map((name) => `import ${JSON.stringify(name)};\n`).join(""));
    return { ...word, candidates: exportsFor(ts, cell, source.slice(word.start, cursor)) };
  }

  /** Signature and documentation at the cursor, or undefined. */
  inspect(earlier: string, source: string, cursor: number): Inspection | undefined {
    return inspectCell(this.#ts, this.#open(earlier, source), cursor, this.#setup.docs);
  }

  /**
   * Looks at what a first question would ask for, step by step: at the language, then at each entry of the package that
   * cells fall back on. A front end waits for one second.
   * @returns false if nothing is left
   */
  warm(): boolean {
    const seen = this.#unseen?.shift();
    if (this.#unseen !== undefined && seen === undefined) return false;
    const source = seen === undefined ? "" : `import * as all from ${JSON.stringify(seen)};\nall.`;
    try {
      this.#unseen ??= packagesOf(this.#setup.fallbackRoot).own;
      completeCell(this.#ts, this.#open("", source), source.length, this.#setup.fallbackRoot);
      return true;
    } catch {
      // Nobody has asked: who does is told.
      this.#unseen = [];
      return false;
    }
  }

  /** Files of libraries that it holds. */
  files(): readonly TS.SourceFile[] {
    return this.#cells?.files() ?? [];
  }

  close(): void {
    this.#cells?.service.dispose();
  }

  #open(earlier: string, source: string) {
    this.#cells ??= new CellService(this.#ts, this.#setup);
    return this.#cells.open(earlier, source);
  }
}
