/** Forecasts of the whole grid: which dates, and the windows that tile it. */
import type { Fault } from "../config/faults.js";
import { parseIsoTime } from "../config/times.js";
import type { RunConfig } from "../config/types.js";
import { windowSize } from "../data/fields.js";
import { admissibleTimes } from "../data/sampling.js";
import type { Store } from "../data/store.js";
import { formatTime, parseTime } from "../data/time.js";
import type { Draw } from "../data/types.js";
import { AtmorepError } from "../errors.js";
import type { DrawInput, DrawPlan } from "./draws.js";
import type { EvaluationOptions } from "./options.js";
import { axisTiles, blendWeights } from "./tiles.js";

/** The dates of the option `dates`, or the last one of validation. */
export function listedDates({ config, store, options }: DrawInput): number[] {
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

/** From `date_start` to `date_end` every `step_hours`. */
export function rangeDates({ config, store, options: { date_start, date_end, step_hours } }: DrawInput): number[] {
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

/** A range has two ends, both of them times. */
export function rangeFaults({ date_start, date_end }: EvaluationOptions): Fault[] {
  return Object.entries({ date_start, date_end }).flatMap(([path, found]): Fault[] =>
    found !== null && parseIsoTime(found) !== null
      ? []
      : [
          {
            code: found === null ? "time-missing" : "bad-time",
            path,
            what: found === null ? "a range needs its dates" : "not a time",
            found,
            expected: "an ISO time in UTC",
            fix: `--set ${path}=2018-01-01T12:00`,
          },
        ],
  );
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

/**
 * Windows over the whole grid, row by row from the North pole, for each date.
 * @param dates time indices i, each cube ending just before i
 */
export function globalDraws(input: DrawInput, dates: readonly number[]): DrawPlan {
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
  const draws = dates.flatMap((timeIndex) => batched(timeIndex, places, config.batch_size_validation));
  return { draws, tiling: { rows, columns, weights: { rows: blendWeights(rows), columns: blendWeights(columns) } } };
}

function batched(timeIndex: number, places: [number, number][], size: number): Draw[] {
  const draws: Draw[] = [];
  for (let i = 0; i < places.length; i += size) draws.push({ timeIndex, places: places.slice(i, i + size) });
  return draws;
}
