/** Tables as escaped HTML and plain text. */
import { displayed, type Shown } from "./display.js";
import { escapeHtml, formatNumber } from "./text.js";

export interface Table {
  title: string;
  columns: readonly string[];
  rows: readonly (readonly Cell[])[];
  caption?: string;
}

export type Cell = string | number | null | undefined;

/** What a cell shows, not escaped. */
export const cellText = (cell: Cell): string =>
  cell === null || cell === undefined ? "" : typeof cell === "number" ? formatNumber(cell) : cell;

/** The table as HTML; every cell is escaped. */
export function tableHtml({ title, columns, rows, caption }: Table): string {
  const style = 'style="text-align:left;padding:2px 10px 2px 0;vertical-align:top"';
  const head = columns.map((name) => `<th ${style}>${escapeHtml(name)}</th>`).join("");
  const body = rows.map(
    (row) => `<tr>${row.map((cell) => `<td ${style}>${escapeHtml(cellText(cell))}</td>`).join("")}</tr>`,
  );
  const note = caption ? `<p>${escapeHtml(caption)}</p>` : "";
  return `<div><b>${escapeHtml(title)}</b><table><thead><tr>${head}</tr></thead><tbody>${body.join("")}</tbody></table>${note}</div>`;
}

/** The table in fixed-width columns. */
export function tableText({ title, columns, rows, caption }: Table): string {
  const all = [columns, ...rows.map((row) => row.map(cellText))];
  const widths = columns.map((_, c) => Math.max(...all.map((row) => (row[c] ?? "").length)));
  const lines = all.map((row) =>
    row
      .map((cell, c) => cell.padEnd(widths[c]))
      .join("  ")
      .trimEnd(),
  );
  return [title, ...lines, ...(caption ? [caption] : [])].join("\n");
}

/** Makes a table show itself where it ends a cell. */
export function showTable(table: Table): Shown<Table> {
  return displayed(table, async () => ({ "text/html": tableHtml(table), "text/plain": tableText(table) }));
}
