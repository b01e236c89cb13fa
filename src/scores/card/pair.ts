/** Whether evaluations can be compared: the same times and the same points, or what differs. */
import { AtmorepError } from "../../errors.js";
import type { ScoresByTime, TimedCell } from "./byTime.js";

/** An evaluation as a score card takes it. */
export interface CardEntry extends ScoresByTime {
  /** id of the evaluation */
  id: string;
  /** name of the model in the card; default its id */
  label?: string;
  /** ISO times of `times` */
  dates: readonly string[];
  /** initial times closer than this share data */
  span: number;
  /** predictors, the model first */
  predictors: readonly string[];
}

const SAME_DRAWS =
  "Evaluate them alike: the same --mode and options, and the same --set rng_seed=N, num_samples_validate and period; masks drawn at random are only the same for the same tokens.";

/** @throws {AtmorepError} `usage` naming the times that only one of the two has */
export function assertSameTimes(first: CardEntry, other: CardEntry): void {
  const only = (a: CardEntry, b: CardEntry) => {
    const known = new Set(b.dates);
    return a.dates.filter((date) => !known.has(date));
  };
  const [left, right] = [only(first, other), only(other, first)];
  if (left.length === 0 && right.length === 0) return;
  const told = (id: string, dates: string[]) =>
    dates.length === 0 ? [] : [`${dates.length} only in ${id} (${dates[0]}${dates.length > 1 ? ", ..." : ""})`];
  throw new AtmorepError("usage", "the evaluations were not scored on the same initial times", {
    where: `${first.id} and ${other.id}`,
    found: [
      `${first.dates.length} and ${other.dates.length} times`,
      ...told(first.id, left),
      ...told(other.id, right),
    ].join("; "),
    expected: "the same times",
    fix: SAME_DRAWS,
  });
}

export const cellName = ({ field, level, lead, region }: TimedCell): string =>
  JSON.stringify([field, level, lead, region]);

/** Rows [columns] of a cell, one a date, in the order of `dates`. */
export function rowsOf(entry: CardEntry, cell: TimedCell, dates: readonly string[]): Float64Array[] {
  const { columns, times, cells, sums } = entry;
  const c = cells.findIndex((own) => cellName(own) === cellName(cell));
  const at = new Map(entry.dates.map((date, t) => [date, t]));
  return dates.map((date) => {
    const start = (c * times.length + at.get(date)!) * columns.length;
    return sums.subarray(start, start + columns.length);
  });
}

const PLACE = ["points", "weight", "longitude", "step"] as const;

/**
 * @param rows of the same cell in both, {@link rowsOf}
 * @throws {AtmorepError} `usage` naming the first time at which the points differ, and how
 */
export function assertSamePoints(
  cell: TimedCell,
  dates: readonly string[],
  [first, a]: readonly [CardEntry, Float64Array[]],
  [other, b]: readonly [CardEntry, Float64Array[]],
): void {
  for (let t = 0; t < dates.length; t++) {
    for (const name of PLACE) {
      const [x, y] = [a[t][first.columns.indexOf(name)], b[t][other.columns.indexOf(name)]];
      // the order of additions may differ, as that of tokens of another size does
      if (Math.abs(x - y) <= 1e-9 * Math.abs(x)) continue;
      const words = {
        points: "points",
        weight: "sum of weights",
        longitude: "sum of longitudes",
        step: "sum of time steps",
      };
      throw new AtmorepError("usage", "the evaluations were not scored on the same points", {
        where: `${cell.field}, level ${cell.level}, lead ${cell.lead}, ${cell.region}, ${dates[t]}`,
        found: `${words[name]} ${x} in ${first.id}, ${y} in ${other.id}`,
        expected: "the same places and times",
        fix: SAME_DRAWS,
      });
    }
  }
}
