/** Filling short gaps in time while the steps stream by. */
import { AtmorepError } from "../../errors.js";

/** One time step of every channel. */
export interface Step {
  /** index into the times */
  time: number;
  /** [lat, lon] by channel, NaN where missing */
  planes: Float64Array[];
}

/**
 * Fills values that are missing at up to `longest` steps in a row, linearly in time between the steps beside them.
 * Only these few steps are held; a step leaves once nothing in it waits for a later one. Values that stay missing
 * (longer gaps, the first and last steps) leave as they are.
 */
export class TimeFiller {
  /** steps that were filled, by channel */
  readonly filled: Set<number>[];
  private readonly waiting: Step[] = [];
  private before: Step | null = null;

  /** @param times ascending. @param longest 0 fills nothing */
  constructor(
    private readonly times: BigInt64Array,
    private readonly longest: number,
    channels: number,
  ) {
    this.filled = Array.from({ length: channels }, () => new Set<number>());
  }

  /** Takes the next step. @returns the steps that are done, in order */
  push(step: Step): Step[] {
    if (this.longest === 0) return [step];
    for (let c = 0; c < step.planes.length; c++) this.fillChannel(c, step);
    this.waiting.push(step);
    const done: Step[] = [];
    while (this.waiting.length > 0 && (this.waiting.length > this.longest || !hasHoles(this.waiting[0]))) {
      const first = this.waiting.shift() as Step;
      this.before = first;
      done.push(first);
    }
    return done;
  }

  /** The steps left at the end. */
  finish(): Step[] {
    return this.waiting.splice(0);
  }

  private fillChannel(c: number, { time, planes }: Step): void {
    const last = this.waiting.at(-1);
    if (!last) return;
    const now = planes[c];
    const newest = last.planes[c];
    for (let p = 0; p < now.length; p++) {
      if (!Number.isNaN(newest[p]) || Number.isNaN(now[p])) continue;
      let first = this.waiting.length - 1;
      while (first > 0 && Number.isNaN(this.waiting[first - 1].planes[c][p])) first -= 1;
      const left = first > 0 ? this.waiting[first - 1] : this.before;
      const from = left?.planes[c][p] ?? Number.NaN;
      if (!left || Number.isNaN(from)) continue;
      const span = Number(this.times[time] - this.times[left.time]);
      for (const hole of this.waiting.slice(first)) {
        const share = Number(this.times[hole.time] - this.times[left.time]) / span;
        hole.planes[c][p] = from + (now[p] - from) * share;
        this.filled[c].add(hole.time);
      }
    }
  }
}

const hasHoles = ({ planes }: Step): boolean => planes.some((plane) => plane.some(Number.isNaN));

/**
 * Counts the missing values of a plane.
 * @param refuse what to do about them, if there may be none
 * @throws AtmorepError (input) at a missing value if they are refused, and at one too large for float32
 */
export function countMissing(
  plane: Float64Array,
  channel: string,
  when: string,
  refuse: { filling: boolean } | null,
): number {
  let missing = 0;
  for (const value of plane) {
    if (Number.isNaN(value)) missing += 1;
    else if (!Number.isFinite(Math.fround(value))) {
      throw new AtmorepError("input", "a value is infinite or too large for float32", {
        where: `${channel} at ${when}`,
        found: value,
        fix: "Is it a missing value that no attribute names? Set _FillValue in the file",
      });
    }
  }
  if (missing === 0 || !refuse) return missing;
  throw new AtmorepError("input", "values are missing", {
    where: `${channel} at ${when}`,
    found: missing === plane.length ? "the whole step" : `${missing} of ${plane.length} points`,
    fix: refuse.filling
      ? "The gap is longer than --fill-time allows or lies at the first or last step; leave it out with --dates, or cut points that are always missing with --box"
      : "--fill-time fills single missing steps, --box leaves out points that are always missing, --missing keep keeps them",
  });
}
