/** How values look: a heading, and parts that unfold, each with its shape, numbers and a picture. */
import type { MimeBundle } from "../figure/display.js";
import { heatmapImage } from "../figure/png.js";
import { escapeHtml } from "../figure/text.js";
import type { ColorScale } from "../figure/types.js";

/** A plane to look at, North up. */
export interface Picture {
  /** what is seen, for those who do not */
  alt: string;
  /** [rows, columns] */
  values: ArrayLike<number>;
  rows: number;
  columns: number;
  colors: ColorScale;
  /** 1 where there is nothing to see, which is hatched */
  hidden?: ArrayLike<number>;
}

/** Curves to look at. */
export interface Drawing {
  alt: string;
  /** an element in the page's colour of text */
  svg: string;
  /** pixels */
  width: number;
}

/** One part of a value. */
export interface Entry {
  name: string;
  /** such as `[B, L, N, D] = [8, 1, 28, 36]` */
  shape: string;
  /** of what the numbers are */
  unit: string;
  lines: string[];
  pictures?: Picture[];
  drawings?: Drawing[];
}

export interface Summary {
  /** what it is, in a line */
  title: string;
  /** such as times; a line each */
  lines: string[];
  entries: Entry[];
}

/** `[L, B] = [1, 8]` */
export const shapeText = (letters: readonly string[], sizes: readonly number[]): string =>
  `[${letters.join(", ")}] = [${sizes.join(", ")}]`;

/** The summary for people with and without a browser; parts begin unfolded where they are few. */
export function summaryBundle(summary: Summary): MimeBundle {
  return { "text/html": summaryHtml(summary), "text/plain": summaryText(summary) };
}

const UNFOLDED = 2;

function summaryHtml({ title, lines, entries }: Summary): string {
  const open = entries.length <= UNFOLDED ? " open" : "";
  const parts = entries.map(
    (entry) =>
      `<details${open}><summary><b>${escapeHtml(entry.name)}</b> <code>${escapeHtml(entry.shape)}</code> ${escapeHtml(entry.unit)}</summary>` +
      `<div style="margin:2px 0 8px 16px">${paragraphs(entry.lines)}${(entry.pictures ?? []).map(pictureHtml).join("")}${(entry.drawings ?? []).map(drawingHtml).join("")}</div></details>`,
  );
  return `<div><p style="margin:0"><b>${escapeHtml(title)}</b></p>${paragraphs(lines)}${parts.join("")}</div>`;
}

const paragraphs = (lines: readonly string[]): string =>
  lines.map((line) => `<p style="margin:0">${escapeHtml(line)}</p>`).join("");

/** Pixels of the longer side, about. */
const PICTURE = 220;

const drawingHtml = ({ alt, svg, width }: Drawing): string =>
  `<figure style="display:inline-block;width:${width}px;max-width:100%;margin:4px 16px 4px 0">${svg}<figcaption style="font-size:85%">${escapeHtml(alt)}</figcaption></figure>`;

/** Shows where a picture is blank. */
const HATCHED = ";background:repeating-linear-gradient(135deg,#888 0 1px,transparent 1px 5px)";

function pictureHtml({ alt, values: all, rows, columns, colors, hidden }: Picture): string {
  const values = hidden ? Float64Array.from(all, (value, i) => (hidden[i] ? Number.NaN : value)) : all;
  const image = heatmapImage({ kind: "heatmap", values, rows, columns, colors, x: [0, 1], y: [0, 1] }, false, false);
  const scale = Math.max(1, Math.round(PICTURE / Math.max(rows, columns)));
  const [low, high] = colors.range.map((value) => value.toPrecision(3));
  return (
    `<figure style="display:inline-block;margin:4px 16px 4px 0"><img src="${image}" alt="${escapeHtml(alt)}" width="${columns * scale}" height="${rows * scale}" ` +
    `style="image-rendering:pixelated${hidden ? HATCHED : ""}"><figcaption style="font-size:85%">${escapeHtml(alt)}: ${low} to ${high}${colors.unit ? ` ${escapeHtml(colors.unit)}` : ""}${hidden ? ", masked tokens hatched" : ""}</figcaption></figure>`
  );
}

function summaryText({ title, lines, entries }: Summary): string {
  const parts = entries.flatMap(({ name, shape, unit, lines: own }) => [
    `  ${name}  ${shape}  ${unit}`.trimEnd(),
    ...own.map((line) => `    ${line}`),
  ]);
  return [title, ...lines.map((line) => `  ${line}`), ...parts].join("\n");
}
