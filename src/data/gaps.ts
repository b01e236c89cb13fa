/**
 * Gaps in a store's times, and the cubes that would cross one. A cube counts its steps as equal: one whose times do not
 * follow each other by `time_sampling` steps of the store would show the network January and March as neighbours.
 */
import { formatTime } from "./time.js";
import type { WindowConfig } from "./window.js";

/** What of a configuration says how many steps a cube has and how far apart they are. */
export type SpanConfig = Pick<WindowConfig, "time_sampling"> & { n_size: readonly [steps: number, ...rest: number[]] };

/** Time steps of the store from a cube's first time up to its end: a cube of end i starts at i minus this. */
export const cubeSpan = ({ n_size: [steps], time_sampling }: SpanConfig): number => steps * time_sampling;

/**
 * The store's regular step: the most frequent difference of neighbouring times, in nanoseconds, of several the shortest;
 * 0 for a single time. In a store of uneven steps, such as calendar months, most steps differ from it, and are gaps.
 */
export function usualStep(times: BigInt64Array): bigint {
  const known = usual.get(times);
  if (known !== undefined) return known;
  const step = findUsualStep(times);
  usual.set(times, step);
  return step;
}

/** A store's times do not change, and a plan asks for each of its splits. */
const usual = new WeakMap<BigInt64Array, bigint>();

function findUsualStep(times: BigInt64Array): bigint {
  const counts = new Map<bigint, number>();
  // steps of one length follow each other: they are counted a run at a time
  for (let i = 1, run = 0; i < times.length; i++) {
    const step = times[i] - times[i - 1];
    run += 1;
    if (i + 1 < times.length && times[i + 1] - times[i] === step) continue;
    counts.set(step, (counts.get(step) ?? 0) + run);
    run = 0;
  }
  let [best, most] = [0n, 0];
  for (const [step, count] of counts) if (count > most || (count === most && step < best)) [best, most] = [step, count];
  return best;
}

/** Indices i where the time before lies farther away than the regular step, or nearer. */
export function unevenSteps(times: BigInt64Array): number[] {
  const usual = usualStep(times);
  const out: number[] = [];
  for (let i = 1; i < times.length; i++) if (times[i] - times[i - 1] !== usual) out.push(i);
  return out;
}

/** `1996-01-04T18:00 to 1996-03-01T00:00` */
export const gapText = (times: BigInt64Array, from: number, to: number): string =>
  `${formatTime(times[from])} to ${formatTime(times[to])}`;

/**
 * Tells of cubes whether they cross a gap: the time between two neighbours of a cube is not `time_sampling` times the
 * store's regular step. Prepared once for a store, it answers in the same time for cubes of any length.
 */
export class GapFinder {
  /** regular step of the store, in nanoseconds */
  readonly step: bigint;
  private readonly span: number;
  /** by index of a cube's last time: the earliest index that a cube without a gap can start at */
  private readonly reach: Int32Array;

  constructor(
    private readonly times: BigInt64Array,
    private readonly config: SpanConfig,
  ) {
    const sampling = config.time_sampling;
    this.step = usualStep(times);
    this.span = cubeSpan(config);
    const even = this.step * BigInt(sampling);
    this.reach = reaches(times, sampling, even);
  }

  /** True if the cube that ends just before time i, and lies in the store, crosses a gap. */
  crosses(i: number): boolean {
    return this.reach[i - this.config.time_sampling] > i - this.span;
  }

  /** The last gap in the cube that ends just before time i, as text; null if there is none. */
  gapIn(i: number): string | null {
    if (!this.crosses(i)) return null;
    const after = this.reach[i - this.config.time_sampling];
    return gapText(this.times, after - this.config.time_sampling, after);
  }
}

/** By index of a time: the earliest from which it is reached in steps of `sampling` indices, `even` nanoseconds each. */
function reaches(times: BigInt64Array, sampling: number, even: bigint): Int32Array {
  const known = found.get(times);
  if (known?.sampling === sampling) return known.reach;
  const reach = new Int32Array(times.length);
  for (let i = 0; i < times.length; i++) {
    const before = i - sampling;
    reach[i] = before >= 0 && times[i] - times[before] === even ? reach[before] : i;
  }
  found.set(times, { sampling, reach });
  return reach;
}

const found = new WeakMap<BigInt64Array, { sampling: number; reach: Int32Array }>();

/** How many cubes a store has room for, whatever the dates, and how many of them would cross a gap. */
export function cubesOfStore(times: BigInt64Array, config: SpanConfig): { cubes: number; acrossGaps: number } {
  const finder = new GapFinder(times, config);
  let [cubes, acrossGaps] = [0, 0];
  for (let i = cubeSpan(config); i <= times.length; i++) {
    cubes += 1;
    if (finder.crosses(i)) acrossGaps += 1;
  }
  return { cubes, acrossGaps };
}

/** Times that are drawn, and those left out because their cubes would cross a gap. */
export interface AcrossGaps {
  times: number;
  acrossGaps: number;
}

/** Of each split that there is. */
export interface TimesOfSplits {
  train: AcrossGaps;
  validate: AcrossGaps;
  test?: AcrossGaps;
}

/**
 * What a plan says of gaps, one line for all splits:
 * `left out, since their cubes would cross a gap: 11 of 45 training times, 0 of 20 validation times`.
 */
export function gapLine(draws: TimesOfSplits): string {
  const part = ({ times, acrossGaps }: AcrossGaps, name: string) =>
    `${acrossGaps} of ${times + acrossGaps} ${name} times`;
  return `left out, since their cubes would cross a gap: ${part(draws.train, "training")}, ${part(draws.validate, "validation")}${draws.test ? `, ${part(draws.test, "test")}` : ""}`;
}

/** `3 times left out: their cubes would cross a gap in the store's times` */
export const leftOut = (count: number): string =>
  `${count} ${count === 1 ? "time" : "times"} left out: ${count === 1 ? "its cube" : "their cubes"} would cross a gap in the store's times`;
