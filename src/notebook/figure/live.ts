/**
 * An output that is drawn over and over while a cell runs. What carries it to the notebook is given from outside, so
 * that any kernel can offer it.
 */
import { randomUUID } from "node:crypto";
import { figureBundle, figureText, type MimeBundle } from "./display.js";
import { svgFigure } from "./svg.js";
import type { Figure } from "./types.js";

export interface DisplayContent {
  data: MimeBundle;
  metadata: Record<string, unknown>;
  transient: { display_id: string };
}

/** Sends an output to the notebook; with `update` it takes the place of the one with the same `display_id`. */
export type SendDisplay = (content: DisplayContent, update: boolean) => void | Promise<void>;

/** What kernels offer under the global names `jupyter` (this project's) and `Deno.jupyter`. */
interface Kernels {
  jupyter?: {
    display?: (
      value: MimeBundle,
      options: { displayId: string; update: boolean; raw: true; metadata: Record<string, unknown> },
    ) => Promise<unknown>;
  };
  Deno?: { jupyter?: { broadcast?: (type: string, content: DisplayContent) => Promise<void> } };
}

/** The running kernel's sender; null outside a notebook. */
export function displaySender(): SendDisplay | null {
  const { jupyter, Deno } = globalThis as Kernels;
  const display = jupyter?.display;
  if (display) {
    return async ({ data, metadata, transient }, update) => {
      await display(data, { displayId: transient.display_id, update, raw: true, metadata });
    };
  }
  const broadcast = Deno?.jupyter?.broadcast;
  if (!broadcast) return null;
  return (content, update) => broadcast(update ? "update_display_data" : "display_data", content);
}

const SHORTEST_PAUSE_MS = 1000;
const MOST_BYTES = 100_000;

export interface LiveOptions {
  /** default the running kernel's */
  send?: SendDisplay | null;
  /** milliseconds since any fixed time */
  now?: () => number;
}

/** A figure in one place of a cell's output: at most one frame a second, each an SVG of at most 100 kB. */
export class LiveFigure {
  private readonly id = randomUUID();
  private readonly send: SendDisplay | null;
  private readonly now: () => number;
  private drawn = Number.NEGATIVE_INFINITY;
  private shown = false;

  constructor({ send = displaySender(), now = () => performance.now() }: LiveOptions = {}) {
    this.send = send;
    this.now = now;
  }

  /** False outside a notebook: nothing is drawn. */
  get active(): boolean {
    return this.send !== null;
  }

  /** True if a frame would be drawn now: lets the caller skip making one. */
  get due(): boolean {
    return this.send !== null && this.now() - this.drawn >= SHORTEST_PAUSE_MS;
  }

  /** Draws a frame unless one was drawn within the last second. JupyterLab redraws SVG in place, but not Plotly. */
  async frame(figure: Figure): Promise<void> {
    if (!this.due) return;
    this.drawn = this.now();
    const svg = await svgFigure(figure);
    const plain = figureText(figure);
    const data = svg.length <= MOST_BYTES ? { "image/svg+xml": svg, "text/plain": plain } : { "text/plain": plain };
    await this.put(data);
  }

  /** Draws the last frame in full, interactive form too. */
  async finish(figure: Figure): Promise<void> {
    if (this.send) await this.put(await figureBundle(figure));
  }

  private async put(data: MimeBundle): Promise<void> {
    const update = this.shown;
    this.shown = true;
    await this.send?.({ data, metadata: {}, transient: { display_id: this.id } }, update);
  }
}
