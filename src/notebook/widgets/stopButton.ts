/** A live figure with a button that stops what it shows. */
import type { SendDisplay } from "../figure/live.js";
import { type MakeWidget, type Widget, widgetMaker } from "./kernel.js";
import { BUTTON_ESM } from "./page.js";

/** While it draws, the notebook's own picture is renewed this often; that draws button and picture anew. */
const KEEP_MS = 30_000;

interface ButtonState {
  /** the latest frame */
  html: string;
  stopping: boolean;
}

/**
 * Puts the frames of a live figure into a widget with a button; the last frame, which is interactive, takes the widget's place.
 * @param send shows a frame
 * @param stop called when the button is pressed
 * @returns `send` with the button, or as it is where there are no widgets, or nobody to press it; `close` ends the widget
 */
export function stopButton(
  send: SendDisplay,
  stop: () => void,
  make: MakeWidget | null = widgetMaker(),
): { send: SendDisplay; close(): void } {
  if (!make) return { send, close: () => {} };
  let page: Widget<ButtonState> | null = null;
  let kept = 0;
  return {
    async send(content, update) {
      const { "text/html": html } = content.data;
      const last = "application/vnd.plotly.v1+json" in content.data;
      if (last || typeof html !== "string") {
        await send(content, update);
        return;
      }
      if (page) {
        page.set({ html });
        if (performance.now() - kept < KEEP_MS) return;
      } else {
        page = make<ButtonState>({ esm: BUTTON_ESM, state: { html, stopping: false } });
        page.on("stopping", (stopping) => {
          if (stopping) stop();
        });
      }
      kept = performance.now();
      await send({ ...content, data: { ...page.bundle(), ...content.data } }, update);
    },
    close: () => page?.close(),
  };
}
