/** Sliders on maps and masks. */
import type { Prepared } from "../../batches/prepare.js";
import type { Strategy } from "../../config/types.js";
import type { Store } from "../../data/store.js";
import { createMaskStreams, maskBatch } from "../../masking/index.js";
import type { RunReference } from "../../runs/locate.js";
import type { LooseFigure } from "../figure/ranges.js";
import type { Figure, Mark } from "../figure/types.js";
import { batchGrids, chosenField, type Grid, type GridChoice, storeGrid } from "../grids.js";
import { type Prediction, type PredictionChoice, predictionExtent, readPrediction } from "../runs/predictions.js";
import * as views from "../views/index.js";
import { gridEdges, mapAspect, mapTitle, rangeOf } from "../views/maps.js";
import { type Control, type Interaction, type InteractOptions, interact } from "./interact.js";

type Slid = Promise<Interaction<Record<string, Control>>>;

/**
 * A field of a store on the map, with sliders over its times and levels.
 * @param levels default: all of the store's that the field has; 0 is the surface
 * @throws AtmorepError (config) for an unknown field or level
 * @example await exploreMap(store, "velocity_u");
 */
export async function exploreMap(
  store: Store,
  field: string,
  levels: readonly number[] = levelsOf(store, field),
  options: InteractOptions = {},
): Slid {
  const controls: Record<string, Control> = { time: { from: 0, to: store.times.length - 1 }, level: levels };
  return await interact(
    controls,
    async ({ time, level }) => views.mapFigure(await storeGrid(store, field, Number(level), Number(time))),
    options,
  );
}

function levelsOf(store: Store, field: string): readonly number[] {
  return store.fields.includes(field) ? store.levels : [0];
}

/**
 * A batch on the map, with sliders over sample, time step, level and token; the token is framed in the map of its own times.
 * @throws AtmorepError (usage) for an unknown field
 * @example await exploreBatch(prepared, { values: "seen" });
 */
export async function exploreBatch(
  prepared: Prepared,
  choice: Pick<GridChoice, "field" | "normalized"> & { values?: "true" | "seen" } & InteractOptions = {},
): Slid {
  const { field: name, normalized, values = "true", ...options } = choice;
  const { field } = chosenField(prepared, { field: name });
  const [nt, , nx] = field.numTokens;
  const [tt, ty, tx] = field.tokenSize;
  const controls: Record<string, Control> = {
    sample: { from: 0, to: prepared.cube.windows.length - 1 },
    time: { from: 0, to: nt * tt - 1 },
    level: field.levels,
    token: { from: 0, to: field.N - 1 },
  };
  return await interact(
    controls,
    async ({ sample, time, level, token }) => {
      const at = { field: field.name, level: Number(level), sample: Number(sample), normalized };
      const grids = await batchGrids(prepared, at, values);
      const grid = grids[Number(time)];
      const perTime = field.numTokens[1] * nx;
      const [t, place] = [Math.floor(Number(token) / perTime), Number(token) % perTime];
      const steps = `steps ${t * tt} to ${(t + 1) * tt - 1}`;
      const own = Math.floor(Number(time) / tt) === t;
      const over = own ? [frame(grid, Math.floor(place / nx) * ty, (place % nx) * tx, ty, tx)] : [];
      return mapOf(grid, rangeOf(...grids.map((one) => one.values)), over, `Token ${token} has ${steps}.`);
    },
    options,
  );
}

/** The border of a token, whose first point is at `row` and `column`. */
function frame(grid: Grid, row: number, column: number, height: number, width: number): Mark {
  const [[west, east], [south, north]] = gridEdges(grid);
  const [dx, dy] = [(east - west) / grid.lons.length, (north - south) / grid.lats.length];
  const [x, y] = [west + column * dx, north - row * dy];
  return { kind: "rects", color: "#d7301f", outline: true, boxes: [[x, x + width * dx, y - height * dy, y]] };
}

function mapOf(grid: Grid, range: [number, number], over: readonly Mark[], caption: string): Figure {
  const colors = { palette: "viridis" as const, range, label: grid.unit, unit: "" };
  const panel = views.mapPanel(grid, { title: "", colors, colorbar: true, over });
  return { title: mapTitle(grid), caption, columns: 1, width: 640, aspect: mapAspect(grid), panels: [panel] };
}

export interface ExploreMasksOptions extends Pick<GridChoice, "field" | "sample">, InteractOptions {
  /** default BERT, the one whose tokens are drawn by the rates */
  strategy?: Strategy;
}

/**
 * What masking hides of a batch, with sliders over the field's four rates. The draws are the same for all rates, so that a mask grows as
 * its rate does.
 * @throws AtmorepError (usage) for an unknown field or sample, (config) for a strategy that does not fit the configuration
 * @example await exploreMasks(prepared);
 */
export async function exploreMasks(prepared: Prepared, choice: ExploreMasksOptions = {}): Slid {
  const { field: name, sample: number, strategy = "BERT", ...options } = choice;
  const { field, sample } = chosenField(prepared, { field: name, sample: number });
  const config = { ...prepared.config, BERT_strategy: strategy };
  const rate = (start: number): Control => ({ from: 0, to: 1, step: 0.05, start: Math.round(start * 20) / 20 });
  const { total, mask, noise, coarse } = field.rates;
  const controls: Record<string, Control> = {
    total: rate(total),
    mask: rate(mask),
    noise: rate(noise),
    coarse: rate(coarse),
  };
  return await interact(
    controls,
    (values) => {
      const rates = { total: 0, mask: 0, noise: 0, coarse: 0 };
      for (const key of Object.keys(rates) as (keyof typeof rates)[]) rates[key] = Number(values[key]);
      const changed = { ...field, rates };
      const fields = prepared.fields.map((one) => (one.index === field.index ? changed : one));
      const streams = createMaskStreams(config, fields).of(prepared.place);
      const { fields: masked } = maskBatch(prepared.cube, fields, config, streams);
      const title = strategy.replaceAll("_", " ");
      return views.masksFigure([{ title, field: changed, masked: masked[field.index], sample }]);
    },
    options,
  );
}

/**
 * A prediction of a run beside its target, with sliders over validation sample, level, time step and ensemble member.
 * @param choice `field`, `epoch` and `out` as for `prediction`
 * @throws AtmorepError (usage) if the run has no result stores
 * @example await exploreMembers(run);
 */
export async function exploreMembers(
  run: RunReference,
  choice: Pick<PredictionChoice, "out" | "field" | "epoch"> & InteractOptions = {},
): Slid {
  const { send, widget, ...which } = choice;
  const [first, { samples, levels, times }] = await Promise.all([
    readPrediction(run, which),
    predictionExtent(run, which),
  ]);
  const controls: Record<string, Control> = {
    sample: samples,
    level: levels,
    time: { from: 0, to: times.length - 1, start: times.indexOf(first.target.time) },
    member: { from: 1, to: first.members.length },
  };
  return await interact(
    controls,
    async ({ sample, level, time, member }) => {
      const at = { ...which, epoch: first.epoch, sample: Number(sample), level: Number(level), step: Number(time) };
      return membersOf(await readPrediction(run, at), Number(member), Number(sample));
    },
    { send, widget },
  );
}

function membersOf({ target, prediction, members }: Prediction, member: number, sample: number): LooseFigure {
  const grids: [string, Grid][] = [
    ["target", target],
    ["ensemble mean", prediction],
    [`member ${member}`, members[member - 1]],
  ];
  const range = rangeOf(...grids.map(([, { values }]) => values));
  const colors = { palette: "viridis" as const, range, label: target.unit, unit: "" };
  return {
    title: `${mapTitle(target)}: sample ${sample}`,
    caption: "Only hidden points are predicted; the others are blank.",
    columns: grids.length,
    aspect: mapAspect(target),
    panels: grids.map(([title, grid], i) =>
      views.mapPanel(grid, { title, colors, colorbar: i === grids.length - 1, hideY: i > 0 }),
    ),
  };
}
