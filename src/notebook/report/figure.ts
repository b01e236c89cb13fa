/** Figures of a page: panel by panel, so that they stand side by side on a screen and below each other on a phone. */
import { type LegendEntry, legendEntries } from "../figure/layout.js";
import { svgFigure } from "../figure/svg.js";
import { escapeHtml } from "../figure/text.js";
import { axisTitle, type Figure, type Panel } from "../figure/types.js";

/** From this number on panels are small; those of maps with colour bars need their room. */
const MANY = 7;
const WIDTH = { few: 430, many: 210 } as const;

/**
 * Title, legend and caption are text of the page; each panel is a picture with its own axes.
 * @param title false: the heading above says the same
 */
export async function figurePart(figure: Figure, title = true): Promise<string> {
  const many = figure.panels.length >= MANY;
  const size = many ? "many" : "few";
  const panels: string[] = [];
  for (const panel of figure.panels) {
    const name = panel.title ? `<figcaption>${escapeHtml(panel.title)}</figcaption>` : "";
    panels.push(`<figure>${name}${await picture(figure, panel, WIDTH[size])}</figure>`);
  }
  const notes = (figure.caption ?? "").split("\n").filter((line) => line !== "");
  const name = title ? `<h3>${escapeHtml(figure.title)}</h3>` : "";
  return `<figure><figcaption>${name}${notes.map((line) => `<p>${escapeHtml(line)}</p>`).join("")}</figcaption>
${legendPart(legendEntries(figure.panels))}<div class="panels${many ? " many" : ""}">${panels.join("\n")}</div></figure>`;
}

async function picture(figure: Figure, panel: Panel, width: number): Promise<string> {
  const { x, y } = panel;
  const alone = { ...panel, title: "", x: { ...x, hidden: false }, y: { ...y, hidden: false } };
  const { title: _title, caption: _caption, frames: _frames, ...rest } = figure;
  const svg = await svgFigure({ ...rest, title: "", legend: false, columns: 1, width, panels: [alone] });
  const what = [figure.title, panel.title].filter(Boolean).join(", ");
  return labelled(svg, `${what}: ${axisTitle(y) || "y"} over ${axisTitle(x) || "x"}`);
}

/** One picture with one name: what Vega says of its single axes and marks would be read out one by one. */
function labelled(svg: string, label: string): string {
  return svg
    .replace(/^<\?xml[^>]*>\s*/, "")
    .replace(/<[^>]*>/g, (tag) => tag.replace(/ (role|aria-[a-z]+)="[^"]*"/g, ""))
    .replace(/<rect width="[\d.]+" height="[\d.]+" fill="white"( ?\/>|><\/rect>)/, "")
    .replace("<svg ", `<svg role="img" aria-label="${escapeHtml(label)}" `);
}

function legendPart(entries: readonly Pick<LegendEntry, "name" | "color" | "shape">[]): string {
  if (entries.length === 0) return "";
  const items = entries.map(
    ({ name, color, shape }) => `<li>${swatch(shape, escapeHtml(color))}${escapeHtml(name)}</li>`,
  );
  return `<ul class="legend">${items.join("")}</ul>`;
}

function swatch(shape: LegendEntry["shape"], color: string): string {
  const dash = shape === "dash" ? ' stroke-dasharray="6 4"' : "";
  const drawn = {
    line: `<path d="M1 6H23" stroke="${color}" stroke-width="3"/>`,
    dash: `<path d="M1 6H23" stroke="${color}" stroke-width="3"${dash}/>`,
    square: `<rect x="6" width="12" height="12" fill="${color}" stroke="#888"/>`,
    circle: `<circle cx="12" cy="6" r="5" fill="${color}"/>`,
  }[shape];
  return `<svg viewBox="0 0 24 12" aria-hidden="true">${drawn}</svg>`;
}
