/** Forecasts of the whole grid: which dates, and the windows that tile it. */
import type { Fault } from "../config/faults.js";
import { parseIsoTime } from "../config/times.js";
import type { RunConfig } from "../config/types.js";
import { windowSize } from "../data/fields.js";
import { cubeSpan, GapFinder } from "../data/gaps.js";
import { admissibleTimes } from "../data/sampling.js";
import type { Store } from "../data/store.js";
import { formatTime, HOUR_NS, parseTime } from "../data/time.js";
import type { Draw } from "../data/types.js";
import { AtmorepError } from "../errors.js";
import { type DrawInput, type DrawPlan, PERIODS_OF, rolledOut } from "./draws.js";
import type { EvaluationOptions } from "./options.js";
import { axisTiles, blendWeights } from "./tiles.js";

/** The dates of the option `dates`, or the last one of the split. */
export function listedDates(input: DrawInput): number[] {
  const { config, store, options, split, rollout } = input;
  if (options.dates) {
    const found = options.dates.map(([year, month, day, hour], i) =>
      timeIndexOf(input, isoHour(year, month, day, hour), `dates[${i}]`),
    );
    for (const [i, index] of found.entries()) if (found.indexOf(index) < i) throw namedTwice(input, index, i);
    return found;
  }
  const times = rolledOut(admissibleTimes(config, store, split), rollout);
  if (times.length > 0) return times.slice(-1);
  throw new AtmorepError(
    "config",
    `no time of ${split === "test" ? "the test" : "validation"} is followed by all cubes of the roll-out`,
    {
      where: "--rollout",
      found: `${rollout.cubes} cubes`,
      fix: `Roll out fewer cubes, or make ${PERIODS_OF[split]} longer`,
    },
  );
}

/** Results are labelled by date and hour: two of one date would be one. */
const namedTwice = ({ store, config }: DrawInput, index: number, i: number) =>
  new AtmorepError("config", "the date is named twice, and its results would have one label", {
    where: `dates[${i}]`,
    found: formatTime(store.times[index - config.time_sampling]),
    fix: "Name each date once",
  });

const pad = (n: number) => String(n).padStart(2, "0");
const isoHour = (year: number, month: number, day: number, hour: number) =>
  `${String(year).padStart(4, "0")}-${pad(month)}-${pad(day)}T${pad(hour)}`;

/** From `date_start` to `date_end` every `step_hours`. */
export function rangeDates(input: DrawInput): number[] {
  const { date_start, date_end, step_hours } = input.options;
  const [from, to] = [parseTime(date_start!)!, parseTime(date_end!)!];
  const step = BigInt(step_hours) * 3_600_000_000_000n;
  const found: number[] = [];
  for (let time = from; time <= to; time += step) found.push(timeIndexOf(input, formatTime(time), "date_start"));
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

/** The end of the cube whose last time is given. Of a roll-out, its following cubes must be in the store, too. */
function timeIndexOf({ config, store, rollout }: DrawInput, text: string, where: string): number {
  const wanted = parseTime(text);
  const at = wanted === null ? -1 : store.times.indexOf(wanted);
  const end = at + config.time_sampling;
  if (at >= 0 && end - cubeSpan(config) >= 0) {
    assertWhole(config, store, { where, text, end, rollout });
    return end;
  }
  const first = store.times[(config.n_size[0] - 1) * config.time_sampling];
  throw new AtmorepError("config", at < 0 ? "the store has no such time" : "the cube begins before the store", {
    where,
    found: text,
    expected: `a time of the store from ${first === undefined ? "none" : formatTime(first)} to ${formatTime(store.times[store.times.length - 1])}`,
    fix: '"atmorep data info" shows the times of the store',
  });
}

interface Wanted {
  where: string;
  text: string;
  /** the cube ends just before it */
  end: number;
  rollout: DrawInput["rollout"];
}

/** @throws AtmorepError (config) if a cube lies across a gap, or a following one beyond the store */
function assertWhole(config: RunConfig, store: Store, { where, text, end, rollout }: Wanted): void {
  const finder = new GapFinder(store.times, config);
  for (let c = 0; c < rollout.cubes; c++) {
    const which = c === 0 ? "the cube" : `cube ${c + 1} of the roll-out`;
    const last = end + c * rollout.shift - config.time_sampling;
    if (last >= store.times.length) {
      throw new AtmorepError("config", `${which} ends after the store`, {
        where,
        found: text,
        expected: `a time that ${(rollout.cubes - 1) * rollout.shift} more steps follow, up to ${formatTime(store.times[store.times.length - 1])}`,
        fix: "Choose an earlier date, or roll out fewer cubes",
      });
    }
    const gap = finder.gapIn(last + config.time_sampling);
    if (gap === null) continue;
    throw new AtmorepError("config", `${which} crosses a gap in the store's times`, {
      where,
      found: `${text}: the times go from ${gap}`,
      expected: `${config.n_size[0]} times ${(Number(finder.step) / Number(HOUR_NS)) * config.time_sampling} h apart`,
      fix: 'Choose another date; "atmorep data info" shows the gaps',
    });
  }
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
