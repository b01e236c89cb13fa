/**
 * From a decoded chunk into tokens: each value minus its mean, over its standard deviation, straight to its place.
 */
import { AtmorepError } from "../errors.js";
import type { LevelSource } from "./fields.js";
import type { FillKernel } from "./fillKernel.js";
import { fillPlain } from "./fillPlain.js";
import { type FillPlan, fillPlan, type Points } from "./fillPlan.js";
import { invalidNormalization, type MonthlyNormalization } from "./normalization/monthly.js";
import type { Store } from "./storeTypes.js";
import { formatTime } from "./time.js";
import type { TokenLayout } from "./tokens.js";
import type { FieldCube } from "./types.js";
import type { ChunkedArray, Values } from "./zarr/array.js";

/** One level of a field of the batch. */
export interface GatherJob {
  name: string;
  source: LevelSource;
  layout: TokenLayout;
  /** where the level's sample 0 starts in the field's tokens */
  offset: number;
  /** from one sample to the next, in values */
  stride: number;
  normalization: MonthlyNormalization;
  /** every value of the level's tokens is written; `valid` is made when a first point does not count */
  into: Pick<FieldCube, "tokens" | "valid">;
}

/**
 * Copies what one chunk has of sample `b` of a level into its tokens, normalised.
 * @param kernel loops of the memory that chunk and tokens may lie in
 */
export function fill(
  store: Store,
  array: ChunkedArray,
  values: Values,
  job: GatherJob,
  b: number,
  time: Points,
  lat: Points,
  lon: Points,
  skip: boolean,
  kernel: FillKernel | null = null,
): void {
  const { source, layout, into, normalization } = job;
  const { mean, std } = normalization;
  const [chunkY, chunkX] = array.chunkShape.slice(-2);
  const levelsInChunk = source.surface ? 1 : array.chunkShape[2];
  const planes = array.chunkShape[1] * levelsInChunk;
  const plane = (source.fieldIndex % array.chunkShape[1]) * levelsInChunk + (source.levelIndex % levelsInChunk);
  const base = job.offset + b * job.stride;
  const local = normalization.kind === "local";
  const out = into.tokens;
  const plan = planOf(lat, lon, layout, chunkX, store.lons.length);
  const fast = kernel?.begin(plan, values, out, local ? [...mean.values(), ...std.values()] : [], local)
    ? kernel
    : null;

  for (let k = 0; k < time.window.length; k++) {
    const t = time.store[k];
    const month = store.calendar.month[t];
    const norm = { mean: mean.get(month)!, std: std.get(month)!, local };
    const from = (time.chunk[k] * planes + plane) * chunkY * chunkX;
    const to = base + layout.time[time.window[k]];
    const bad = fast ? fast.time(values, from, out, to, norm) : fillPlain(values, from, out, to, plan, norm);
    const filled = source.filled?.has(t) ?? false;
    if (filled || bad !== 0) lookAtPoints(store, array, values, job, { t, from, to, lat, lon }, filled, skip);
  }
}

/** Notes the points of a time that do not count. @throws AtmorepError (input) where they must not be */
function lookAtPoints(
  store: Store,
  array: ChunkedArray,
  values: Values,
  job: GatherJob,
  { t, from, to, lat, lon }: { t: number; from: number; to: number; lat: Points; lon: Points },
  filled: boolean,
  skip: boolean,
): void {
  const { layout, into } = job;
  const chunkX = array.chunkShape[array.chunkShape.length - 1];
  for (let y = 0; y < lat.window.length; y++) {
    for (let x = 0; x < lon.window.length; x++) {
      const o = to + layout.lat[lat.window[y]] + layout.lon[lon.window[x]];
      if (filled) validOf(into)[o] = 0;
      if (Number.isFinite(into.tokens[o])) continue;
      const value = values[from + lat.chunk[y] * chunkX + lon.chunk[x]];
      if (!skip) throw missingValue(store, array, job, t, lat.store[y], lon.store[x], value);
      into.tokens[o] = 0;
      validOf(into)[o] = 0;
    }
  }
}

/** Of the latest levels of each row of points: the plan is the same for all of them. */
const plans = new WeakMap<Points, { lat: Points; layout: TokenLayout; plan: FillPlan }>();

function planOf(lat: Points, lon: Points, layout: TokenLayout, chunkX: number, X: number): FillPlan {
  const last = plans.get(lon);
  if (last && last.lat === lat && last.layout === layout) return last.plan;
  const plan = fillPlan(lat, lon, layout, [chunkX, X]);
  plans.set(lon, { lat, layout, plan });
  return plan;
}

function validOf(into: GatherJob["into"]): Uint8Array {
  into.valid ??= new Uint8Array(into.tokens.length).fill(1);
  return into.valid;
}

function missingValue(
  store: Store,
  array: ChunkedArray,
  { name, source, normalization }: GatherJob,
  t: number,
  y: number,
  x: number,
  value: number,
): AtmorepError {
  if (Number.isFinite(value)) {
    const month = store.calendar.month[t];
    const i = normalization.kind === "local" ? y * store.lons.length + x : 0;
    const found = `mean ${normalization.mean.get(month)![i]}, standard deviation ${normalization.std.get(month)![i]} at [${y}, ${x}]`;
    return invalidNormalization(store, name, source.level, month, found);
  }
  return new AtmorepError("input", "a value is missing", {
    where: `${store.location}: ${array.name}`,
    found: `${value} in ${name} level ${source.level} at ${formatTime(store.times[t])} (step ${t}), latitude ${90 - store.lats[y]}, longitude ${store.lons[x]}`,
    expected: 'finite values, or the configuration key missing_values "skip"',
    fix: '--set missing_values=skip leaves such points out of losses and scores; "atmorep data info" counts them',
  });
}
