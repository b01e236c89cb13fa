/**
 * An output that is drawn over and over while a cell runs. What carries it to the notebook is given from outside, so
 * that any kernel can offer it.
 */
import { randomUUID } from "node:crypto";
import { figureBundle, figureText, type MimeBundle } from "./display.js";
import { inlineFigure } from "./inline.js";
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

/** A figure in one place of a cell's output: at most one frame a second, each of at most 100 kB. */
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

  /**
   * Draws a frame unless one was drawn within the last second. JupyterLab redraws HTML in place, but not Plotly. A frame that
   * grows too large does without a second scale of its axes, then without a picture.
   */
  async frame(figure: Figure): Promise<void> {
    if (!this.due) return;
    this.drawn = this.now();
    const plain = figureText(figure);
    for (const scales of [true, false]) {
      const html = await inlineFigure(figure, { id: this.id, scales });
      if (html.length <= MOST_BYTES) return this.put({ "text/html": html, "text/plain": plain });
    }
    await this.put({ "text/plain": plain });
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
