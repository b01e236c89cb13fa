/** What masking hides. */
import type { Prepared } from "../../batches/prepare.js";
import type { RunConfig, Strategy } from "../../config/types.js";
import { createMaskStreams, maskBatch, maskingSummary } from "../../masking/index.js";
import { type Shown, show } from "../figure/display.js";
import type { Figure } from "../figure/types.js";
import { chosenField, type GridChoice } from "../grids.js";
import * as views from "../views/index.js";

export interface MasksOptions extends Pick<GridChoice, "field" | "sample"> {
  /** strategies side by side; default the configuration's own */
  strategies?: readonly Strategy[];
}

/**
 * What each strategy hides of the same batch: masked, noised, coarsened, untouched, over time and level.
 * @throws AtmorepError (config) for a strategy whose settings do not fit the configuration
 * @example masks(prepared, { strategies: ["BERT", "forecast", "temporal_interpolation"] });
 */
export function masks(prepared: Prepared, options: MasksOptions = {}): Shown<Figure> {
  const { config, fields, cube } = prepared;
  const { field, sample } = chosenField(prepared, options);
  const entries = (options.strategies ?? [config.BERT_strategy]).map((strategy) => {
    const own = { ...config, BERT_strategy: strategy };
    const { fields: masked } = maskBatch(cube, fields, own, createMaskStreams(own, fields).of(prepared.place));
    return { title: strategy.replaceAll("_", " "), field, masked: masked[field.index], sample };
  });
  return show(views.masksFigure(entries));
}

/**
 * Shares that masking realises over many draws, and which neighbours of hidden tokens stay visible.
 * @example maskSummary(config, 50);
 */
export function maskSummary(config: RunConfig, draws = 20): Shown<Figure> {
  return show(views.maskSummaryFigure(maskingSummary(config, draws)));
}
