/** Tables of a page, with what screen readers need to find their way in them. */
import { type Cell, cellText, type Table } from "../figure/table.js";
import { escapeHtml } from "../figure/text.js";

/** Beyond so many characters a cell is broken anywhere, such as a list of years. */
const LONG = 40;

/** The first column names the rows; a table wider than the screen is scrolled, by keyboard too. */
export function tablePart({ title, columns, rows, caption }: Table): string {
  const head = columns.map((name) => (name ? `<th scope="col">${escapeHtml(name)}</th>` : "<td></td>"));
  const body = rows.map((row) => `<tr>${row.map(cell).join("")}</tr>`);
  const note = caption ? `<p class="soft">${escapeHtml(caption)}</p>` : "";
  return `<div class="scroll" role="region" tabindex="0" aria-label="${escapeHtml(title)}, table"><table><caption><span>${escapeHtml(title)}</span></caption><thead><tr>${head.join("")}</tr></thead><tbody>${body.join("\n")}</tbody></table></div>${note}`;
}

function cell(value: Cell, column: number): string {
  const text = cellText(value);
  if (column === 0) return `<th scope="row">${escapeHtml(text)}</th>`;
  return `<td${text.length > LONG ? ' class="long"' : ""}>${escapeHtml(text)}</td>`;
}
