/**
 * A figure as HTML: panels side by side or below each other, as the page is wide, in its colours of text. Made for frames
 * that are drawn over and over, so that a choice of axes outlives them.
 */
import { type LegendEntry, legendEntries } from "./layout.js";
import { canBeQuick, quickSvg } from "./quick.js";
import { svgFigure } from "./svg.js";
import { escapeHtml } from "./text.js";
import { type Axis, axisTitle, type Figure, type Panel } from "./types.js";

const INK = "var(--jp-content-font-color1, var(--vscode-foreground, CanvasText))";
const PANEL_WIDTH = 430;

export interface InlineOptions {
  /** names the figure over its frames */
  id: string;
  /** false: each panel has the one scale that fits it */
  scales?: boolean;
}

/**
 * @returns a fragment of HTML; text of the figure is escaped
 * @example await inlineFigure(figure, { id: "f1" });
 */
export async function inlineFigure(figure: Figure, { id, scales = true }: InlineOptions): Promise<string> {
  const name = `atmorep-${id}`;
  const panels: string[] = [];
  for (const panel of figure.panels) {
    const heading = panel.title ? `<figcaption>${escapeHtml(panel.title)}</figcaption>` : "";
    panels.push(`<figure>${heading}${await pictures(figure, panel, scales)}</figure>`);
  }
  const notes = (figure.caption ?? "").split("\n").filter(Boolean);
  const share = Math.round(80 / figure.columns);
  return `<div class="${name}" data-scale="fit"><style>${style(name, share)}</style>
<p><b>${escapeHtml(figure.title)}</b></p>${notes.map((note) => `<p>${escapeHtml(note)}</p>`).join("")}
${scales ? buttons(figure, name) : ""}${legend(figure)}<div class="panels">${panels.join("\n")}</div></div>`;
}

const style = (name: string, share: number): string => `
.${name} { color: ${INK}; }
.${name} p, .${name} fieldset { margin: 0; padding: 0; border: 0; font-size: 90%; }
.${name} ul { list-style: none; display: flex; flex-wrap: wrap; gap: 0 1.2em; margin: .3em 0; padding: 0; font-size: 90%; }
.${name} ul svg { width: 22px; height: 10px; margin-right: 5px; }
.${name} .panels { display: grid; gap: .4em 1em; grid-template-columns: repeat(auto-fit, minmax(min(100%, max(18em, ${share}%)), 1fr)); }
.${name} figure { margin: 0; min-width: 0; }
.${name} figcaption { font-size: 90%; }
.${name} .panels svg { display: block; width: 100%; height: auto; max-width: 44em; }
.${name}[data-scale="fit"] .other, .${name}[data-scale="linear"] .log, .${name}[data-scale="log"] .linear { display: none; }`;

/** Both scales of a panel where it has them; the style shows one. */
async function pictures(figure: Figure, panel: Panel, scales: boolean): Promise<string> {
  const { also } = panel.y;
  const drawn = await picture(figure, panel);
  if (!also || !scales) return drawn;
  const other = await picture(figure, { ...panel, y: otherScale(panel.y) });
  return `<div class="${panel.y.type ?? "linear"}">${drawn}</div><div class="${also.type} other">${other}</div>`;
}

const otherScale = (axis: Axis): Axis => ({ ...axis, ...axis.also });

async function picture(figure: Figure, panel: Panel): Promise<string> {
  const { x, y } = panel;
  const what = [figure.title, panel.title].filter(Boolean).join(", ");
  const label = `${what}: ${axisTitle(y) || "y"} over ${axisTitle(x) || "x"}`;
  if (canBeQuick(panel)) return quickSvg(panel, PANEL_WIDTH, figure.aspect, label);
  const alone = { ...panel, title: "", x: { ...x, hidden: false }, y: { ...y, hidden: false } };
  const { caption: _caption, frames: _frames, ...rest } = figure;
  const svg = await svgFigure({
    ...rest,
    title: "",
    legend: false,
    columns: 1,
    width: PANEL_WIDTH,
    panels: [alone],
  });
  return ofPage(svg, label);
}

/** Without paper, with the page's colour of text, and read out as one picture. */
function ofPage(svg: string, label: string): string {
  return svg
    .replace(/^<\?xml[^>]*>\s*/, "")
    .replace(/<[^>]*>/g, (tag) => tag.replace(/ (role|aria-[a-z]+)="[^"]*"/g, ""))
    .replace(/<rect width="[\d.]+" height="[\d.]+" fill="white"( ?\/>|><\/rect>)/, "")
    .replace(/ (fill|stroke)="(#000000|#000|black|#222)"/g, ' $1="currentColor"')
    .replace("<svg ", `<svg role="img" aria-label="${escapeHtml(label)}" `);
}

const SCALES = { fit: "as fits", linear: "linear", log: "logarithmic" } as const;

/** Shown once their script has run, which only a page that trusts the output lets it. */
function buttons({ panels }: Figure, name: string): string {
  if (!panels.some(({ y }) => y.also)) return "";
  const inputs = Object.entries(SCALES).map(
    ([value, label]) =>
      `<label><input type="radio" name="${name}" value="${value}"${value === "fit" ? " checked" : ""}> ${label}</label>`,
  );
  const script = `for (const figure of document.querySelectorAll(".${name}")) {
  const form = figure.querySelector("fieldset");
  form.hidden = false;
  figure.dataset.scale = window["${name}"] ?? "fit";
  for (const input of form.querySelectorAll("input")) {
    input.checked = input.value === figure.dataset.scale;
    input.onchange = () => { figure.dataset.scale = window["${name}"] = input.value; };
  }
}`;
  return `<fieldset hidden>vertical axes: ${inputs.join(" ")}</fieldset><script>${script}</script>`;
}

function legend({ panels }: Figure): string {
  const entries = legendEntries(panels);
  if (entries.length === 0) return "";
  return `<ul>${entries.map((entry) => `<li>${swatch(entry)}${escapeHtml(entry.name)}</li>`).join("")}</ul>`;
}

function swatch({ shape, color }: Pick<LegendEntry, "shape" | "color">): string {
  const paint = color === "#000000" ? "currentColor" : escapeHtml(color);
  const drawn = {
    line: `<path d="M0 5H22" stroke="${paint}" stroke-width="2.5"/>`,
    dash: `<path d="M0 5H22" stroke="${paint}" stroke-width="2.5" stroke-dasharray="6 3"/>`,
    square: `<rect x="6" width="10" height="10" fill="${paint}"/>`,
    circle: `<circle cx="11" cy="5" r="4" fill="${paint}"/>`,
  }[shape];
  return `<svg viewBox="0 0 22 10" aria-hidden="true">${drawn}</svg>`;
}
