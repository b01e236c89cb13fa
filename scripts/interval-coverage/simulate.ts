/**
 * Intervals of scores where the truth is known: many short histories of errors are drawn, and counted is how often the
 * interval holds the truth, how often a difference is found where there is none, and how often "too few to tell" is said.
 */
import { defaultRng, type Generator } from "../../src/random/index.js";
import { type Interval, type PairedTest, pairedTest, scoreInterval, type TimeSums } from "../../src/scores/index.js";

/** How errors at consecutive initial times depend on each other; all are normal with variance 1. */
export const PROCESSES = {
  "white noise": { weights: [] },
  "AR(1) 0.5": { weights: [0.5] },
  "AR(1) 0.9": { weights: [0.9] },
  "overlap 2": { overlap: 2 },
  "overlap 6": { overlap: 6 },
  "overlap 12": { overlap: 12 },
  "AR(2) 0.6, 0.3": { weights: [0.6, 0.3] },
  "AR(2) 1.2, -0.5": { weights: [1.2, -0.5] },
  "AR(2) 0, -0.8": { weights: [0, -0.8] },
  "AR(2) 1, -0.9": { weights: [1, -0.9] },
} as const satisfies Record<string, { weights: readonly number[] } | { overlap: number }>;
export type Process = keyof typeof PROCESSES;

export const LENGTHS = [60, 120, 325, 1000] as const;

/** What is estimated. */
export const QUESTIONS = ["bias", "RMSE", "equal forecasts", "a better forecast"] as const;
export type Question = (typeof QUESTIONS)[number];

export interface Coverage {
  process: Process;
  length: number;
  question: Question;
  histories: number;
  /** share of histories in which there are enough blocks */
  answered: number;
  /** of those, the share in which the interval holds the truth */
  covered: number;
  /** of all, the share that is told something false: answered, and the truth is outside */
  misled: number;
  /** of all histories, answered or not, the share whose interval holds the truth */
  coveredAny: number;
  /** of those answered, the share in which a difference is found */
  found: number;
  /** of those answered, the share in which a test finds it that knows the variance */
  oracle: number;
  /** mean number of blocks */
  blocks: number;
}

function history(process: (typeof PROCESSES)[Process], length: number, rng: Generator): Float64Array {
  if ("overlap" in process) {
    const { overlap } = process;
    const shared = rng.standardNormal(length + overlap - 1);
    const errors = new Float64Array(length);
    for (let t = 0; t < length; t++) {
      for (let k = 0; k < overlap; k++) errors[t] += shared[t + k] / Math.sqrt(overlap);
    }
    return errors;
  }
  const { weights } = process;
  // long enough to forget that it began with nothing
  const before = weights.length > 0 ? WARM_UP : 0;
  const errors = Float64Array.from(rng.standardNormal(before + length));
  for (let t = 0; t < errors.length; t++) {
    for (let k = 0; k < weights.length && k < t; k++) errors[t] += weights[k] * errors[t - 1 - k];
  }
  const scale = 1 / Math.sqrt(autoregressiveVariance(weights));
  return errors.subarray(before).map((x) => scale * x);
}

const WARM_UP = 200;

/** Variance of an autoregression of second order at most, driven by white noise of variance 1. */
function autoregressiveVariance([first = 0, second = 0]: readonly number[]): number {
  return (1 - second) / ((1 + second) * ((1 - second) ** 2 - first * first));
}

/** The part of two forecasts' errors that they share, in standard deviations. */
const COMMON = 0.8;
/** The better forecast's errors are smaller by this factor. */
const BETTER = 0.8;

const rootMeanSquare = ([n, squares]: Float64Array) => Math.sqrt(squares / n);
const mean = ([n, sum]: Float64Array) => sum / n;

/** Draws `histories` of one process and length and asks all questions of each. */
export function coverageOf(process: Process, length: number, histories: number, seed: number): Coverage[] {
  const kind = PROCESSES[process];
  const span = "overlap" in kind ? kind.overlap : 1;
  const times = Array.from({ length }, (_, t) => t);
  const rng = defaultRng([seed, length, Object.keys(PROCESSES).indexOf(process)]);
  const series = (values: Float64Array, of: (x: number) => number): TimeSums => ({
    times,
    sums: Array.from(values, (x) => Float64Array.of(1, of(x))),
  });
  const square = (x: number) => x * x;
  const results: Record<Question, (Interval | PairedTest)[]> = {
    bias: [],
    RMSE: [],
    "equal forecasts": [],
    "a better forecast": [],
  };
  for (let i = 0; i < histories; i++) {
    const [own, other, common] = [0, 1, 2].map(() => history(kind, length, rng));
    const rest = Math.sqrt(1 - COMMON * COMMON);
    const [first, second] = [own, other].map((errors) => errors.map((x, t) => COMMON * common[t] + rest * x));
    const squares = [first, second].map((errors) => series(errors, square));
    const better = series(
      first.map((x) => BETTER * x),
      square,
    );
    results.bias.push(scoreInterval(series(first, Number), mean, { span }));
    results.RMSE.push(scoreInterval(squares[0], rootMeanSquare, { span, positive: true }));
    results["equal forecasts"].push(pairedTest(squares[0], squares[1], rootMeanSquare, { span }));
    results["a better forecast"].push(pairedTest(better, squares[1], rootMeanSquare, { span }));
  }
  const truths: Record<Question, number> = { bias: 0, RMSE: 1, "equal forecasts": 0, "a better forecast": BETTER - 1 };
  return QUESTIONS.map((question) => count({ process, length, question }, results[question], truths[question]));
}

function count(
  about: Pick<Coverage, "process" | "length" | "question">,
  intervals: readonly Interval[],
  truth: number,
): Coverage {
  const share = (some: readonly Interval[], yes: (interval: Interval) => boolean) =>
    some.filter(yes).length / some.length;
  const holds = ({ low, high }: Interval) => low <= truth && truth <= high;
  const finds = ({ low, high }: Interval) => low > 0 || high < 0;
  const told = intervals.filter(({ tooFew }) => !tooFew);
  const average = intervals.reduce((sum, { value }) => sum + value / intervals.length, 0);
  const variance = intervals.reduce((sum, { value }) => sum + (value - average) ** 2 / intervals.length, 0);
  return {
    ...about,
    histories: intervals.length,
    answered: told.length / intervals.length,
    covered: share(told, holds),
    misled: share(intervals, (interval) => !interval.tooFew && !holds(interval)),
    coveredAny: share(intervals, holds),
    found: share(told, finds),
    oracle: share(told, ({ value }) => Math.abs(value) > 1.96 * Math.sqrt(variance)),
    blocks: intervals.reduce((sum, { blocks }) => sum + blocks / intervals.length, 0),
  };
}
