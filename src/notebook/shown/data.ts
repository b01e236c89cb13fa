/** Stores and batches: what goes into the network. */
import type { Prepared } from "../../batches/prepare.js";
import type { RunConfig } from "../../config/types.js";
import { usualStep } from "../../data/gaps.js";
import type { Store } from "../../data/store.js";
import { HOUR_NS } from "../../data/time.js";
import { type Shown, show } from "../figure/display.js";
import { showTable, type Table } from "../figure/table.js";
import { fieldTitle, levelTitle } from "../figure/text.js";
import type { Figure } from "../figure/types.js";
import { batchGrids, chosenField, type GridChoice, storeGrid } from "../grids.js";
import { batchTable } from "../tables.js";
import * as views from "../views/index.js";

/**
 * A field of a store on the map at one time.
 * @param time an index, or an ISO time of the store
 * @throws AtmorepError (config) for an unknown field, level or time
 * @example await map(store, "mean_sea_level_pressure", 0, "1996-01-08", { borders: true });
 */
export async function map(
  store: Store,
  field: string,
  level: number,
  time: number | string,
  options: views.MapOptions = {},
): Promise<Shown<Figure>> {
  return show(views.mapFigure(await storeGrid(store, field, level, time), options));
}

/**
 * When the store has values, which of them train and which validate, and how far these lie apart.
 * @example timeline(store, config);
 */
export function timeline(store: Store, config: RunConfig): Shown<Figure> {
  return show(
    views.timelineFigure(views.timelineRows(store, config), Number(usualStep(store.times)) / Number(HOUR_NS)),
  );
}

export interface BatchOptions extends GridChoice, views.MapOptions {
  /** `true`: the values; `seen`: what the network sees, masked tokens hatched */
  values?: "true" | "seen";
  /** a slider over all time steps in place of small multiples */
  slider?: boolean;
  /** panels at most; evenly spaced time steps are taken */
  panels?: number;
}

/**
 * One sample of a batch on the map: small multiples over time, or a slider.
 * @example await batch(prepared, { sample: 0, values: "seen" });
 */
export async function batch(prepared: Prepared, options: BatchOptions = {}): Promise<Shown<Figure>> {
  const { values = "true", slider = false, panels = 6, borders = false } = options;
  const grids = await batchGrids(prepared, options, values);
  const [{ field, level, unit }] = grids;
  const what = values === "true" ? "values" : "what the network sees";
  const title = `${fieldTitle(field)}, ${levelTitle(level)} (${unit}): ${what}, sample ${options.sample ?? 0}`;
  if (slider) return show(views.sliderFigure(title, grids, { borders }));
  const count = Math.min(panels, grids.length);
  const step = (k: number) => (count === 1 ? 0 : Math.round((k * (grids.length - 1)) / (count - 1)));
  return show(
    views.multiplesFigure(
      title,
      Array.from({ length: count }, (_, k) => grids[step(k)]),
      undefined,
      { borders },
    ),
  );
}

/**
 * The tokens of one sample, numbered, over its map.
 * @example await tokens(prepared);
 */
export async function tokens(prepared: Prepared, choice: GridChoice = {}): Promise<Shown<Figure>> {
  const { field } = chosenField(prepared, choice);
  return show(views.tokenGridFigure(field, await batchGrids(prepared, choice)));
}

/**
 * The fields of a batch with units, levels and shapes.
 * @example describe(prepared);
 */
export function describe(prepared: Prepared): Shown<Table> {
  return showTable(batchTable(prepared));
}
