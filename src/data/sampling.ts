/** Drawing the times and places of an epoch (docs/method.md, "Drawing times and places"). */
import { endTime } from "../config/times.js";
import type { RunConfig } from "../config/types.js";
import { AtmorepError } from "../errors.js";
import { defaultRng, type Generator } from "../random/index.js";
import { type AcrossGaps, cubeSpan, GapFinder, leftOut, type TimesOfSplits } from "./gaps.js";
import type { Store } from "./storeTypes.js";
import { formatTime, HOUR_NS, parseTime } from "./time.js";
import type { Draw } from "./types.js";
import { type CentreRange, centreRanges, countCentres, roundToGrid } from "./window.js";

export type Split = "train" | "validate" | "test";

/** The splits that a configuration has; a test only where it has dates for one. */
export const splitsOf = ({ dates_test }: Partial<Pick<RunConfig, "dates_test">>): Split[] =>
  dates_test ? ["train", "validate", "test"] : ["train", "validate"];

export type SamplingConfig = Pick<
  RunConfig,
  | "n_size"
  | "time_sampling"
  | "years_train"
  | "years_val"
  | "dates_train"
  | "dates_val"
  | "month"
  | "geo_range_sampling"
  | "num_samples_per_epoch"
  | "num_samples_validate"
  | "samples_per_time"
  | "batch_size"
  | "batch_size_validation"
  | "rng_seed"
> &
  // absent in the configurations of before
  Partial<Pick<RunConfig, "dates_test">>;

/** The numbers of the common draw rule. */
export interface DrawRule {
  /** time indices to draw from */
  times: ArrayLike<number>;
  /** samples of the epoch after all caps */
  numSamples: number;
  batchSize: number;
  lat: CentreRange;
  lon: CentreRange;
}

/**
 * The draw that the reference and this project share: floor(samples / B) times in permutations one after the other,
 * then as many latitudes and longitudes as samples, B of them for each time.
 */
export function drawTimesAndPlaces(rng: Generator, { times, numSamples, batchSize, lat, lon }: DrawRule): Draw[] {
  const batches = Math.floor(numSamples / batchSize);
  const drawn: number[] = [];
  do {
    for (const time of rng.permutation(Array.from(times))) drawn.push(time);
  } while (drawn.length < batches);
  const spread = (range: CentreRange) =>
    Array.from(rng.random(numSamples), (u) => roundToGrid(u * (range.high - range.low) + range.low, range));
  const lats = spread(lat);
  const lons = spread(lon);
  return Array.from({ length: batches }, (_, n) => ({
    timeIndex: drawn[n],
    places: Array.from({ length: batchSize }, (_, b): [number, number] => [
      lats[n * batchSize + b],
      lons[n * batchSize + b],
    ]),
  }));
}

export interface DrawRequest {
  config: SamplingConfig;
  store: Store;
  split: Split;
  /** Training draws anew every epoch; its validation always asks for epoch 0, so that epochs can be compared. */
  epoch: number;
}

/** What a split is in the seeds of its draws. */
export const SPLIT_STREAM = { train: 0, validate: 1, test: 2 } as const;
const SPLIT_NAME = { train: "training", validate: "validation", test: "the test" } as const;
const SPLIT_KEYS = {
  train: ["years_train", "dates_train"],
  validate: ["years_val", "dates_val"],
  test: [null, "dates_test"],
} as const;

/**
 * The batches of an epoch, from `default_rng([rng_seed, 0 training | 1 validation | 2 test, epoch])`.
 * @throws AtmorepError (config) if no time or place can be drawn, or fewer samples than a batch
 */
export function drawEpoch({ config, store, split, epoch }: DrawRequest): Draw[] {
  if (config.rng_seed === null) {
    throw new AtmorepError("config", "sampling needs a seed", { where: "rng_seed", found: null, expected: "a number" });
  }
  const { times, acrossGaps } = drawableTimes(config, store, split);
  const [lat, lon] = centreRanges(store, config);
  const training = split === "train";
  const asked = training ? config.num_samples_per_epoch : config.num_samples_validate;
  const batchSize = training ? config.batch_size : config.batch_size_validation;
  const numSamples = Math.min(asked, times.length * config.samples_per_time);
  if (numSamples < batchSize) {
    const key = training ? "num_samples_per_epoch" : "num_samples_validate";
    throw new AtmorepError("config", "an epoch has fewer samples than a batch", {
      where: asked < batchSize ? key : training ? "batch_size" : "batch_size_validation",
      found: `${numSamples} samples (${key} ${asked}, ${times.length} times with samples_per_time ${config.samples_per_time}${acrossGaps > 0 ? `, ${leftOut(acrossGaps)}` : ""}), batches of ${batchSize}`,
      expected: "at least one batch",
      fix: "Make the batch smaller, or samples_per_time or the number of samples larger",
    });
  }
  const rng = defaultRng([config.rng_seed, SPLIT_STREAM[split], epoch]);
  return drawTimesAndPlaces(rng, { times, numSamples, batchSize, lat, lon });
}

/** Indices of the times that belong to the years, before any filter; the reference draws from these. */
export function timesOfYears(store: Pick<Store, "calendar">, years: readonly number[]): number[] {
  const wanted = new Set(years);
  return [...store.calendar.year.keys()].filter((i) => wanted.has(store.calendar.year[i]));
}

/** The times that may be drawn, and how many others were left out since their cubes would cross a gap. */
export interface DrawableTimes {
  /** end indices i, ascending */
  times: number[];
  acrossGaps: number;
}

/**
 * The end indices i that may be drawn, ascending. The cube of i ends just before it.
 * @throws AtmorepError (config) if there is none
 */
export const admissibleTimes = (config: SamplingConfig, store: Store, split: Split): number[] =>
  drawableTimes(config, store, split).times;

/**
 * The end indices i that may be drawn: those of the split whose cubes cross no gap in the store's times (`gaps.ts`).
 * With `dates_*` all times of a cube lie in the dates, a bare date as end being its last hour (i may be the number of times); without, time i itself lies in
 * the years. In both cases the cube starts in the store, and `month` (if any) holds the month of its last time.
 * @throws AtmorepError (config) if there is none
 */
export function drawableTimes(config: SamplingConfig, store: Store, split: Split): DrawableTimes {
  const { times, calendar } = store;
  const [yearsKey, datesKey] = SPLIT_KEYS[split];
  const step = config.time_sampling;
  const span = cubeSpan(config);
  const dates = config[datesKey];
  let candidates: number[];
  if (dates) {
    const intervals = dates.map((pair, i) => interval(pair, `${datesKey}[${i}]`));
    const inside = insideOf(times, intervals);
    candidates = [];
    for (let i = span; i <= times.length; i++) {
      let whole = true;
      for (let k = i - span; whole && k < i; k += step) whole = inside[k] === 1;
      if (whole) candidates.push(i);
    }
  } else if (yearsKey === null) {
    throw new AtmorepError("config", "there is no test period", {
      where: datesKey,
      found: null,
      expected: "periods apart from training and validation",
      fix: `--set ${datesKey}='[["2020-01-01","2020-12-31"]]'`,
    });
  } else {
    candidates = timesOfYears(store, config[yearsKey]).filter((i) => i >= span);
  }
  const months = config.month === null ? null : new Set(config.month);
  if (months) candidates = candidates.filter((i) => months.has(calendar.monthOfYear[i - step]));
  const finder = new GapFinder(times, config);
  const whole = candidates.filter((i) => !finder.crosses(i));
  const acrossGaps = candidates.length - whole.length;
  if (whole.length > 0) return { times: whole, acrossGaps };
  const hours = Number(finder.step) / Number(HOUR_NS);
  throw new AtmorepError(
    "config",
    `no time can be drawn for ${SPLIT_NAME[split]}${acrossGaps > 0 ? ` (${leftOut(acrossGaps)})` : ""}`,
    {
      where: dates ? datesKey : (yearsKey ?? datesKey),
      found: `${JSON.stringify(dates ?? (yearsKey && config[yearsKey]))}${months ? ` with month ${JSON.stringify(config.month)}` : ""}${acrossGaps > 0 ? `, a gap from ${finder.gapIn(candidates[0])}` : ""}`,
      expected: `cubes of ${config.n_size[0]} steps (every ${step === 1 ? "" : `${step}th `}step${acrossGaps > 0 ? `, ${hours * step} h apart` : ""}) within ${formatTime(times[0])} to ${formatTime(times[times.length - 1])} (${times.length} steps)`,
      fix: `${acrossGaps > 0 ? "Choose dates between the gaps, or make n_size[0] or time_sampling smaller; " : ""}"atmorep data info" shows the times of the store`,
    },
  );
}

/** Time indices of the training period, whatever cubes there are: of `dates_train`, else `years_train`. */
export function trainingTimes(
  config: Pick<SamplingConfig, "dates_train" | "years_train">,
  store: Pick<Store, "times" | "calendar">,
): number[] {
  if (!config.dates_train) return timesOfYears(store, config.years_train);
  const intervals = config.dates_train.map((pair, i) => interval(pair, `dates_train[${i}]`));
  const inside = insideOf(store.times, intervals);
  return [...inside.keys()].filter((t) => inside[t]);
}

/** Which times lie in an interval, both ends included. @param times ascending */
function insideOf(times: BigInt64Array, intervals: readonly [bigint, bigint][]): Uint8Array {
  const inside = new Uint8Array(times.length);
  for (const [start, end] of intervals) inside.fill(1, firstAfter(times, start - 1n), firstAfter(times, end));
  return inside;
}

/** Index of the first time after one. @param times ascending */
function firstAfter(times: BigInt64Array, time: bigint): number {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] > time) high = middle;
    else low = middle + 1;
  }
  return low;
}

function interval(given: readonly [string, string], where: string): [bigint, bigint] {
  if (!Array.isArray(given)) {
    throw new AtmorepError("config", "not a pair of dates", {
      where,
      found: given,
      expected: "[start, end]",
      fix: 'Write a list of pairs, such as [["1996-01-05", "1996-01-15"]].',
    });
  }
  const [from, to] = given.map((text, i) => {
    const time = parseTime(i === 0 ? text : endTime(text));
    if (time !== null) return time;
    throw new AtmorepError("config", "not an ISO time", {
      where: `${where}[${i}]`,
      found: text,
      expected: "such as 1996-01-05 or 1996-01-05T06:00",
    });
  });
  return [from, to];
}

/** What can be drawn: for `config validate` and the plan of a run. */
export interface Admissible {
  /** distinct times of a cube's end */
  times: number;
  /** distinct window centres, as rows x columns */
  places: number;
  rows: number;
  columns: number;
  /** samples and batches that an epoch will hold */
  samplesPerEpoch: number;
  batchesPerEpoch: number;
  /** further times of the split, left out because their cubes would cross a gap in the store's times */
  acrossGaps: number;
}

/** Times of the splits, for `gapLine`. @throws AtmorepError (config) as `drawEpoch` */
export function timesOfSplits(config: SamplingConfig, store: Store): TimesOfSplits {
  const of = (split: Split): AcrossGaps => {
    const { times, acrossGaps } = drawableTimes(config, store, split);
    return { times: times.length, acrossGaps };
  };
  const test = config.dates_test ? { test: of("test") } : {};
  return { train: of("train"), validate: of("validate"), ...test };
}

/** Counts the distinct times and places that an epoch draws from. @throws AtmorepError (config) as `drawEpoch` */
export function admissible(config: SamplingConfig, store: Store, split: Split): Admissible {
  const { times, acrossGaps } = drawableTimes(config, store, split);
  const [lat, lon] = centreRanges(store, config);
  const [rows, columns] = [countCentres(lat), countCentres(lon)];
  const asked = split === "train" ? config.num_samples_per_epoch : config.num_samples_validate;
  const batchSize = split === "train" ? config.batch_size : config.batch_size_validation;
  const samples = Math.min(asked, times.length * config.samples_per_time);
  return {
    times: times.length,
    places: rows * columns,
    rows,
    columns,
    samplesPerEpoch: samples,
    batchesPerEpoch: Math.floor(samples / batchSize),
    acrossGaps,
  };
}
