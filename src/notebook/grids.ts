/** Values on a piece of the map, in the units people read, from stores and prepared batches. */
import type { Prepared } from "../batches/prepare.js";
import type { Field } from "../config/types.js";
import { levelSource } from "../data/fields.js";
import { windowNormalization } from "../data/normalization/monthly.js";
import type { Store } from "../data/store.js";
import { formatTime, parseTime } from "../data/time.js";
import { tokenLayout, untokenize } from "../data/tokens.js";
import type { Window } from "../data/types.js";
import { displayUnit } from "../data/units.js";
import { readValues } from "../data/values.js";
import { AtmorepError } from "../errors.js";
import { type MaskedField, TOKEN_KIND } from "../masking/types.js";

/** One field on one level at one time. Rows run from North to South, columns from West to East. */
export interface Grid {
  field: string;
  level: number;
  unit: string;
  /** such as `1996-01-08T00:00` */
  time: string;
  /** [rows, columns]; NaN where there is no value */
  values: Float64Array;
  /** [rows, columns], 1 where a token is masked: the network sees nothing there, whatever `values` say */
  hidden?: Uint8Array;
  /** geographic degrees, [rows] */
  lats: Float64Array;
  /** degrees East, ascending also across the Greenwich meridian, [columns] */
  lons: Float64Array;
}

const NORMALIZED = "standard deviations";

/**
 * A field of a store at one time.
 * @param time an index of the store's times, or an ISO time in them
 * @throws AtmorepError (config) for an unknown field, level or time
 */
export async function storeGrid(store: Store, field: string, level: number, time: number | string): Promise<Grid> {
  const index = typeof time === "number" ? time : indexOfTime(store, time);
  if (!(index >= 0 && index < store.times.length)) throw unknownTime(store, time);
  const everything = (n: number) => Int32Array.from({ length: n }, (_, i) => i);
  const window = { time: Int32Array.of(index), lat: everything(store.lats.length), lon: everything(store.lons.length) };
  const { values } = await readValues(store, levelSource(store, field, level), window);
  const { unit, scale } = displayUnit(field);
  return { field, level, unit, ...axes(store, window, 0), values: Float64Array.from(values, (v) => v * scale) };
}

function indexOfTime(store: Store, time: string): number {
  const wanted = parseTime(time);
  return wanted === null ? -1 : store.times.indexOf(wanted);
}

function unknownTime(store: Store, time: number | string): AtmorepError {
  return new AtmorepError("config", "the store has no such time", {
    where: "time",
    found: time,
    expected: `an index below ${store.times.length}, or a time from ${formatTime(store.times[0])} to ${formatTime(store.times[store.times.length - 1])}`,
    fix: "Give one of the store's times; they are in store.times.",
  });
}

function axes(store: Store, { time, lat, lon }: Window, step: number): Pick<Grid, "time" | "lats" | "lons"> {
  const lons = Float64Array.from(lon, (x) => store.lons[x]);
  for (let i = 1; i < lons.length; i++) while (lons[i] < lons[i - 1]) lons[i] += 360;
  return { time: formatTime(store.times[time[step]]), lats: Float64Array.from(lat, (y) => 90 - store.lats[y]), lons };
}

export interface GridChoice {
  /** field name; default the first */
  field?: string;
  /** level as in the store; default the field's first */
  level?: number;
  /** of the batch */
  sample?: number;
  /** standard deviations in place of physical units */
  normalized?: boolean;
}

/** The field and level that a choice names. @throws AtmorepError (usage) for unknown ones */
export function chosenField(
  { fields, cube }: Pick<Prepared, "fields" | "cube">,
  { field, level, sample = 0 }: GridChoice,
): { field: Field; l: number; sample: number } {
  const found = field === undefined ? fields[0] : fields.find(({ name }) => name === field);
  if (!found) throw unknown("field", field, fields.map(({ name }) => name).join(", "));
  const l = level === undefined ? 0 : found.levels.indexOf(level);
  if (l < 0) throw unknown("level", level, `${found.levels.join(", ")} (of ${found.name})`);
  if (!(sample >= 0 && sample < cube.windows.length)) {
    throw unknown("sample", sample, `0 to ${cube.windows.length - 1}`);
  }
  return { field: found, l, sample };
}

const unknown = (where: string, found: unknown, expected: string) =>
  new AtmorepError("usage", `the batch has no such ${where}`, {
    where,
    found,
    expected,
    fix: "Give one of these, or leave it out.",
  });

/**
 * The time steps of one sample of a prepared batch.
 * @param which `true`: the values before masking; `seen`: what the network sees
 */
export async function batchGrids(
  prepared: Prepared,
  choice: GridChoice = {},
  which: "true" | "seen" = "true",
): Promise<Grid[]> {
  const { field, l, sample } = chosenField(prepared, choice);
  const { cube, masked } = prepared;
  const B = cube.windows.length;
  const size = field.N * field.D;
  const tokens =
    which === "true"
      ? cube.fields[field.index].tokens.subarray((l * B + sample) * size)
      : masked.fields[field.index].source.subarray((sample * field.L + l) * size);
  const layout = tokenLayout(field.numTokens, field.tokenSize);
  const values = untokenize(tokens.subarray(0, size), layout);
  const grids = await windowGrids(prepared, field, l, sample, values, choice.normalized ?? false);
  if (which === "true") return grids;
  const hidden = untokenize(maskedPoints(masked.fields[field.index], l, sample), layout);
  const plane = hidden.length / grids.length;
  return grids.map((grid, t) => ({ ...grid, hidden: Uint8Array.from(hidden.subarray(t * plane, (t + 1) * plane)) }));
}

/** 1 for the values of masked tokens of a sample and level [N, D], else 0. */
function maskedPoints({ N, D, idx, kind }: MaskedField, l: number, sample: number): Float32Array {
  const points = new Float32Array(N * D);
  for (const [m, index] of idx[l].entries()) {
    if (Math.floor(index / N) !== sample || !(kind[l][m] & TOKEN_KIND.masked)) continue;
    points.fill(1, (index % N) * D, ((index % N) + 1) * D);
  }
  return points;
}

/** Normalised values [time, lat, lon] of a sample's window as grids, one a time step. */
async function windowGrids(
  { store, cube }: Pick<Prepared, "store" | "cube">,
  field: Field,
  l: number,
  sample: number,
  values: ArrayLike<number>,
  normalized: boolean,
): Promise<Grid[]> {
  const window = cube.windows[sample];
  const level = field.levels[l];
  const plane = window.lat.length * window.lon.length;
  const { unit, scale } = normalized ? { unit: NORMALIZED, scale: 1 } : displayUnit(field.name);
  const source = levelSource(store, field.name, level);
  const norm = normalized ? null : await windowNormalization(store, field.name, source, field.normalization, window);
  return Array.from(window.time, (_, t) => ({
    field: field.name,
    level,
    unit,
    ...axes(store, window, t),
    values: Float64Array.from({ length: plane }, (_, i) => {
      const at = t * plane + i;
      return norm ? (values[at] * norm.std[at] + norm.mean[at]) * scale : values[at];
    }),
  }));
}
