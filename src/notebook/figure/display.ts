/** Showing figures and tables: any kernel that knows `Symbol.for("Jupyter.display")` can. */

import { labFigure } from "./lab.js";
import { type LooseFigure, withRanges } from "./ranges.js";
import { svgFigure } from "./svg.js";
import type { Figure } from "./types.js";
import { axisTitle } from "./types.js";

/** One output in several forms; a front end takes the richest that it knows. */
export type MimeBundle = Record<string, unknown>;

/** Asked of the value of a cell's last line; also the convention of Deno's kernel. */
export const DISPLAY: unique symbol = Symbol.for("Jupyter.display") as never;

export interface Displayable {
  [DISPLAY](): Promise<MimeBundle>;
}

/** A figure that draws itself at the end of a cell. As data it is the plain figure. */
export type Shown<T> = T & Displayable;

/** The forms of a figure: interactive, drawn, and in words. */
export async function figureBundle(figure: Figure): Promise<MimeBundle> {
  return {
    "application/vnd.plotly.v1+json": labFigure(figure),
    "image/svg+xml": await svgFigure(figure),
    "text/plain": figureText(figure),
  };
}

/** What a figure shows, for terminals and screen readers. */
export function figureText({ title, panels, caption }: Figure): string {
  const lines = panels.map(
    (panel) => `  ${panel.title || "panel"}: ${axisTitle(panel.y) || "y"} over ${axisTitle(panel.x) || "x"}`,
  );
  return [`[figure] ${title}`, ...lines, ...(caption ? [caption] : [])].join("\n");
}

/**
 * Makes a figure draw itself where it ends a cell. Ranges, labels and units of axes may be left out: ranges are then those of what
 * is drawn.
 * @example show({ title: "u", panels: [{ marks: [{ kind: "line", color: "#1f77b4", x: [0, 1, 2], y: [3, 5, 4] }] }] })
 */
export function show(figure: LooseFigure): Shown<Figure> {
  const whole = withRanges(figure);
  return displayed(whole, () => figureBundle(whole));
}

/** Gives plain data a way to be shown, invisible to everything that reads the data. */
export function displayed<T extends object>(value: T, bundle: () => Promise<MimeBundle>): Shown<T> {
  return Object.defineProperty(value, DISPLAY, { value: bundle, enumerable: false, configurable: true }) as Shown<T>;
}
