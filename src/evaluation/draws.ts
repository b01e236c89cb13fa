/** Which cubes each mode of evaluation looks at. */
import type { RunConfig } from "../config/types.js";
import { windowSize } from "../data/fields.js";
import { admissibleTimes, drawTimesAndPlaces } from "../data/sampling.js";
import type { Store } from "../data/store.js";
import { formatTime, parseTime } from "../data/time.js";
import type { Draw } from "../data/types.js";
import { centreRanges, roundToGrid } from "../data/window.js";
import { AtmorepError } from "../errors.js";
import { defaultRng } from "../random/index.js";
import type { Tiling } from "../results/globalGrid.js";
import type { EvaluationOptions } from "./options.js";
import { axisTiles, blendWeights } from "./tiles.js";

/** Draws that belong together: their results fill one grid. */
export interface GlobalTiles {
  /** the last hour of the cube, as a path names it */
  date: string;
  draws: Draw[];
}

export interface DrawPlan {
  draws: Draw[];
  /** of global modes: the axes that the windows tile, and which draws make a date */
  tiling?: Tiling;
}

/** What the drawing of a mode is told. */
export interface DrawInput {
  config: RunConfig;
  store: Store;
  options: EvaluationOptions;
  /** time steps of the store that a cube is followed by another one; of a roll-out of `cubes` cubes */
  rollout: { cubes: number; shift: number };
}

/** As validation draws, of the times whose following cubes lie in the validation period too. */
export function validationDraws({ config, store, rollout }: DrawInput): Draw[] {
  const all = admissibleTimes(config, store, "validate");
  const times = rolledOut(all, rollout);
  const [lat, lon] = centreRanges(store, config);
  const batchSize = config.batch_size_validation;
  const numSamples = Math.min(config.num_samples_validate, times.length * config.samples_per_time);
  if (numSamples < batchSize) {
    throw new AtmorepError("config", "there are fewer samples than a batch", {
      where: times.length === 0 && all.length > 0 ? "--rollout" : "num_samples_validate",
      found: `${numSamples} samples at ${times.length} times${rollout.cubes > 1 ? ` that ${rollout.cubes} cubes follow` : ""}, batches of ${batchSize}`,
      expected: "at least one batch",
      fix: "Make batch_size_validation smaller, or years_val or dates_val longer",
    });
  }
  return drawTimesAndPlaces(defaultRng([config.rng_seed ?? 0, 1, 0]), { times, numSamples, batchSize, lat, lon });
}

function rolledOut(times: number[], { cubes, shift }: DrawInput["rollout"]): number[] {
  const known = new Set(times);
  return times.filter((time) => Array.from({ length: cubes }, (_, c) => time + c * shift).every((t) => known.has(t)));
}

/** A few times of each month at one place, from `default_rng([rng_seed, 2])`, in time order. */
export function fixedLocationDraws({ config, store, options, rollout }: DrawInput): Draw[] {
  const { years, months, num_samples_per_month: most } = options;
  const period = years ? { ...config, years_val: years, dates_val: null } : config;
  const times = rolledOut(admissibleTimes({ ...period, month: months ?? config.month }, store, "validate"), rollout);
  const place = nearestPlace(config, store, options.position);
  const byMonth = new Map<number, number[]>();
  for (const time of times) {
    const month = store.calendar.month[time - config.time_sampling];
    byMonth.set(month, [...(byMonth.get(month) ?? []), time]);
  }
  const rng = defaultRng([config.rng_seed ?? 0, 2]);
  return [...byMonth.values()].flatMap((own) =>
    Array.from(rng.permutation(own))
      .slice(0, most)
      .sort((a, b) => a - b)
      .map((timeIndex) => ({ timeIndex, places: [place] })),
  );
}

/** @throws AtmorepError `config` if no window around the position lies in the store */
function nearestPlace(config: RunConfig, store: Store, [latitude, longitude]: [number, number]): [number, number] {
  const everywhere = {
    ...config,
    geo_range_sampling: [
      [-90, 90],
      [0, 360],
    ] as RunConfig["geo_range_sampling"],
  };
  const [lat, lon] = centreRanges(store, everywhere);
  const turns = store.isGlobal ? [((longitude % 360) + 360) % 360] : [longitude - 360, longitude, longitude + 360];
  const wanted = 90 - latitude;
  const candidates = turns.map((turn): [number, number] => [roundToGrid(wanted, lat), roundToGrid(turn, lon)]);
  const fits = candidates.findIndex(
    (place, i) => Math.abs(place[0] - wanted) <= store.res[0] && Math.abs(place[1] - turns[i]) <= store.res[1],
  );
  if (fits >= 0) return candidates[fits];
  throw new AtmorepError("config", "no window around this position lies in the store", {
    where: "position",
    found: [latitude, longitude],
    expected: `latitudes ${(90 - lat.high).toFixed(2)} to ${(90 - lat.low).toFixed(2)}${store.isGlobal ? "" : `, longitudes ${lon.low.toFixed(2)} to ${lon.high.toFixed(2)}`} (windows of ${config.n_size[1]} x ${config.n_size[2]} degrees)`,
    fix: "--set position=[latitude,longitude]",
  });
}

/** The dates of a global mode as time indices i, the cube ending just before i. */
export function globalDates(mode: string, { config, store, options }: DrawInput): number[] {
  if (mode === "global_forecast_range") return rangeDates(config, store, options);
  if (options.dates) {
    return options.dates.map(([year, month, day, hour], i) =>
      timeIndexOf(config, store, isoHour(year, month, day, hour), `dates[${i}]`),
    );
  }
  return admissibleTimes(config, store, "validate").slice(-1);
}

const pad = (n: number) => String(n).padStart(2, "0");
const isoHour = (year: number, month: number, day: number, hour: number) =>
  `${String(year).padStart(4, "0")}-${pad(month)}-${pad(day)}T${pad(hour)}`;

function rangeDates(
  config: RunConfig,
  store: Store,
  { date_start, date_end, step_hours }: EvaluationOptions,
): number[] {
  const [from, to] = [parseTime(date_start!)!, parseTime(date_end!)!];
  const step = BigInt(step_hours) * 3_600_000_000_000n;
  const found: number[] = [];
  for (let time = from; time <= to; time += step)
    found.push(timeIndexOf(config, store, formatTime(time), "date_start"));
  if (found.length > 0) return found;
  throw new AtmorepError("config", "the range ends before it starts", {
    where: "date_end",
    found: date_end,
    expected: `${date_start} or later`,
  });
}

function timeIndexOf(config: RunConfig, store: Store, text: string, where: string): number {
  const wanted = parseTime(text);
  const at = wanted === null ? -1 : store.times.indexOf(wanted);
  const end = at + config.time_sampling;
  if (at >= 0 && end - config.n_size[0] * config.time_sampling >= 0) return end;
  const first = store.times[(config.n_size[0] - 1) * config.time_sampling];
  throw new AtmorepError("config", at < 0 ? "the store has no such time" : "the cube begins before the store", {
    where,
    found: text,
    expected: `a time of the store from ${first === undefined ? "none" : formatTime(first)} to ${formatTime(store.times[store.times.length - 1])}`,
    fix: '"atmorep data info" shows the times of the store',
  });
}

/** Windows over the whole grid, row by row from the North pole, for each date. */
export function globalDraws(mode: string, input: DrawInput): DrawPlan {
  const { config, store, options } = input;
  const [, height, width] = windowSize(config, store);
  const [, , , , [, ty, tx]] = config.fields[0];
  const rows = axisTiles(store.lats.length, height, options.token_overlap[0] * ty, false);
  const columns = axisTiles(store.lons.length, width, options.token_overlap[1] * tx, store.isGlobal);
  const centre = (axis: Float64Array, res: number, start: number, size: number) =>
    axis[0] + (start + Math.floor(size / 2)) * res;
  const places = rows.starts.flatMap((row) =>
    columns.starts.map((column): [number, number] => [
      centre(store.lats, store.res[0], row, height),
      centre(store.lons, store.res[1], column, width),
    ]),
  );
  const draws = globalDates(mode, input).flatMap((timeIndex) =>
    batched(timeIndex, places, config.batch_size_validation),
  );
  return { draws, tiling: { rows, columns, weights: { rows: blendWeights(rows), columns: blendWeights(columns) } } };
}

function batched(timeIndex: number, places: [number, number][], size: number): Draw[] {
  const draws: Draw[] = [];
  for (let i = 0; i < places.length; i += size) draws.push({ timeIndex, places: places.slice(i, i + size) });
  return draws;
}
