/** Figures and tables as comma-separated values (RFC 4180). */
import type { Cell, Table } from "./table.js";
import type { Figure, Mark, Panel } from "./types.js";

const quoted = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

function line(cells: readonly Cell[]): string {
  return cells.map((cell) => (cell === null || cell === undefined ? "" : quoted(String(cell)))).join(",");
}

/** @returns a line of names, then the rows; each ends with a line feed */
export const tableCsv = ({ columns, rows }: Pick<Table, "columns" | "rows">): string =>
  [columns, ...rows].map((row) => `${line(row)}\n`).join("");

const COLUMNS = ["panel", "series", "x", "y", "value", "lower", "upper"];

/**
 * What a figure draws, a line each point, bar or cell: its panel, its series, where it stands, and what it is. Times are milliseconds
 * since 1970, as in the figure. Of several frames the first.
 */
export function figureCsv({ panels }: Figure): string {
  const rows = panels.flatMap((panel, p) => panel.marks.flatMap((mark) => [...rowsOf(panel, p, mark)]));
  return tableCsv({ columns: COLUMNS, rows });
}

function* rowsOf(panel: Panel, p: number, mark: Mark): Generator<Cell[]> {
  const name = panel.title || `panel ${p + 1}`;
  switch (mark.kind) {
    case "heatmap": {
      const label = "categories" in mark.colors ? "kind" : mark.colors.label;
      for (let r = 0; r < mark.rows; r++) {
        for (let c = 0; c < mark.columns; c++) {
          const value = mark.values[r * mark.columns + c];
          const said = "categories" in mark.colors ? (mark.colors.categories[value]?.label ?? "") : finite(value);
          yield [name, label, mark.x[0] + c * mark.x[1], mark.y[0] + r * mark.y[1], said];
        }
      }
      return;
    }
    case "band":
      for (const [i, x] of mark.x.entries())
        yield [name, mark.name, x, null, null, finite(mark.lower[i]), finite(mark.upper[i])];
      return;
    case "rule":
      yield mark.axis === "x" ? [name, mark.name, mark.value] : [name, mark.name, null, mark.value];
      return;
    case "labels":
      for (const [i, x] of mark.x.entries()) yield [name, mark.name, x, mark.y[i], mark.text[i]];
      return;
    case "rects":
      for (const [x0, x1, y0, y1] of mark.boxes) yield [name, mark.name, (x0 + x1) / 2, (y0 + y1) / 2];
      return;
    default:
      for (const [i, x] of mark.x.entries()) yield [name, mark.name, x, finite(mark.y[i])];
  }
}

const finite = (value: number | null): number | null => (value === null || !Number.isFinite(value) ? null : value);
