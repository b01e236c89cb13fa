/** Tables with the methods of arquero's: HTML of the first rows, and their number. */
import type { MimeBundle } from "../wire/protocol.js";

export interface TableLike {
  numRows(): number;
  numCols(): number;
  toHTML(options?: { limit?: number }): string;
  columnNames?(): string[];
}

const ROWS = 20;

export function isTable(value: unknown): value is TableLike {
  if (typeof value !== "object" || value === null) return false;
  const { numRows, numCols, toHTML } = value as Record<string, unknown>;
  return [numRows, numCols, toHTML].every((method) => typeof method === "function");
}

export function describeTable(table: TableLike): MimeBundle {
  const [rows, columns] = [table.numRows(), table.numCols()];
  const note = rows > ROWS ? `<p>${ROWS} of ${rows} rows</p>` : "";
  const names = table.columnNames?.().join(", ");
  return {
    "text/html": `${table.toHTML({ limit: ROWS })}${note}`,
    "text/plain": `table of ${rows} rows and ${columns} columns${names === undefined ? "" : `: ${names}`}`,
  };
}
