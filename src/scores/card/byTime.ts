/**
 * The sums behind the scores of an evaluation, initial time by initial time: what two evaluations need to be compared at
 * the same times. Kinds of hidden tokens are taken together.
 */
import { HEAD, rowLayout, type ScoreAccumulator, SUM, SUMS_PER_PREDICTOR } from "../accumulate.js";
import type { Quantity } from "../quantity.js";

/**
 * Where and when points lie, as sums: two evaluations with the same sums of weights, longitudes and time steps were
 * scored on the same points.
 */
export const placeQuantity: Quantity = {
  name: "place",
  width: 2,
  scores: {},
  visitor:
    () =>
    (sums, from, _at, _std, weight, { longitude, step = 0 }) => {
      sums[from] += weight * (((longitude % 360) + 360) % 360);
      sums[from + 1] += weight * step;
    },
};

/** Scores of the model that are kept by time beside its errors: sums of these divided by the sum of weights. */
const KEPT: readonly (readonly [quantity: string, at: number, score: string])[] = [
  ["ensemble", 0, "crps_gaussian"],
  ["ensemble", 1, "crps"],
  ["ensemble", 2, "crps_fair"],
  ["probability", 0, "brier_minus_1sd"],
  ["probability", 1, "brier_mean"],
  ["probability", 2, "brier_plus_1sd"],
  ["probability", 3, "crps_below_minus_1sd"],
  ["probability", 4, "crps_above_plus_1sd"],
  ["probability", 5, "quantile_10"],
  ["probability", 6, "quantile_50"],
  ["probability", 7, "quantile_90"],
];

export interface TimedCell {
  field: string;
  level: number;
  /** time steps since the last visible one */
  lead: number;
  region: string;
}

export interface ScoresByTime {
  /**
   * what stands in a row: `weight`, `points`, `longitude`, `step`, then of each predictor `NAME.squares` and
   * `NAME.absolute`, then scores of the model such as `model.crps`; all in physical units and weighted
   */
  columns: string[];
  /** initial times, ascending: indices of the store's time axis */
  times: number[];
  cells: TimedCell[];
  /** [cells, times, columns]; zeros where a cell has no point at a time */
  sums: Float64Array;
}

/** What an accumulator holds, by time. Needs {@link placeQuantity} among its quantities. */
export function scoresByTime(accumulator: ScoreAccumulator): ScoresByTime {
  const { predictors, quantities = [] } = accumulator.options;
  const { offsets } = rowLayout(accumulator.options);
  const offsetOf = (name: string) => offsets[quantities.findIndex((quantity) => quantity.name === name)];
  const from: [column: string, at: number][] = [
    ["weight", HEAD.weight],
    ["points", HEAD.points],
    ["longitude", offsetOf("place")],
    ["step", offsetOf("place") + 1],
    ...predictors.flatMap((name, p): [string, number][] => [
      [`${name}.squares`, HEAD.length + p * SUMS_PER_PREDICTOR + SUM.squares],
      [`${name}.absolute`, HEAD.length + p * SUMS_PER_PREDICTOR + SUM.absolute],
    ]),
    ...KEPT.filter(([name]) => offsetOf(name) !== undefined).map(([name, at, score]): [string, number] => [
      `${predictors[0]}.${score}`,
      offsetOf(name) + at,
    ]),
  ];
  const all = accumulator.cells();
  const times = [...new Set(all.flatMap((cell) => [...cell.times.keys()]))].sort((a, b) => a - b);
  const place = new Map(times.map((time, t) => [time, t]));
  const keyOf = ({ field, level, lead, region }: TimedCell) => JSON.stringify([field, level, lead, region]);
  const cells = new Map(
    all.map((cell) => {
      const { field, level, lead, region } = cell;
      return [keyOf(cell), { field, level, lead, region }];
    }),
  );
  const row = new Map([...cells.keys()].map((key, c) => [key, c]));
  const sums = new Float64Array(cells.size * times.length * from.length);
  for (const cell of all) {
    for (const [time, own] of cell.times) {
      const start = (row.get(keyOf(cell))! * times.length + place.get(time)!) * from.length;
      for (let k = 0; k < from.length; k++) sums[start + k] += own[from[k][1]];
    }
  }
  return { columns: from.map(([column]) => column), times, cells: [...cells.values()], sums };
}
