/**
 * Scores that need more than one value a point: of members, of anomalies, of your own. Each keeps sums of known width,
 * so that a stream of batches needs no more memory than one.
 */
import { AtmorepError } from "../errors.js";
import type { Dressed, Probable } from "./baselines/distributions.js";
import type { Scored } from "./deterministic.js";

/** Targets and predictions of a field without a cube around them: D values a token. */
export interface PointBatch {
  field: string;
  initialTime: number;
  /** [M, D] */
  target: ArrayLike<number>;
  D: number;
  predictions: Readonly<Record<string, ArrayLike<number>>>;
  /** [M, E, D] */
  members?: ArrayLike<number>;
  climatology?: ArrayLike<number>;
  /** opponents of probability; read by `dressedQuantity` */
  dressed?: Record<Probable, Dressed>;
  /** one more than the largest lead */
  leads: number;
  /** samples at initial times closer than this share data, in the unit of `initialTime`; default 0 */
  span?: number;
}

/** Where and when a point lies. */
export interface PointPlace {
  /** geographic degrees */
  latitude: number;
  longitude: number;
  /** time step, counted from the first of the sample */
  step?: number;
}

/** Adds one counting point to `sums[from..]`: its place in [M, D], its standard deviation, weight and place. */
export type AddPoint = (
  sums: Float64Array,
  from: number,
  at: number,
  std: number,
  weight: number,
  place: PointPlace,
) => void;

/**
 * Reads the members of a point, given by its place in [M, D], into `values` [E]. @returns their mean
 * @throws AtmorepError `failed` if the batch has no members, or not E of each target
 */
export function memberReader({ members, target, field, D }: PointBatch, E: number) {
  if (!members || members.length !== target.length * E) {
    throw new AtmorepError("failed", "members are missing or of the wrong length", {
      where: `scores, field ${field}`,
      found: members?.length ?? null,
      expected: `${target.length} targets times ${E} members`,
    });
  }
  return (at: number, values: Float64Array): number => {
    const first = Math.floor(at / D) * E * D + (at % D);
    let mean = 0;
    for (let e = 0; e < E; e++) {
      values[e] = members[first + e * D];
      mean += values[e] / E;
    }
    return mean;
  };
}

/** The score that is number `k` of the sums over the sum of weights. */
export const perWeight =
  (k: number) =>
  (sums: Float64Array, weight: number): Scored => ({ value: sums[k] / weight });

export interface Quantity {
  name: string;
  /** numbers kept for each cell and initial time */
  width: number;
  /** What to do with each point of a batch. @throws AtmorepError `failed` if the batch lacks what is needed */
  visitor(batch: PointBatch): AddPoint;
  /** scores by name, in physical units: out of the summed numbers [width] and the sum of weights */
  scores: Readonly<Record<string, (sums: Float64Array, weight: number) => Scored>>;
  /** score -> what stands beside it as `baselines`, by name; left out where not finite */
  beside?: Readonly<Record<string, Readonly<Record<string, (sums: Float64Array, weight: number) => number>>>>;
  /** which of the scores have no unit */
  unitless?: readonly string[];
  /** which of the scores cannot be negative: their intervals are those of the logarithm */
  positive?: readonly string[];
  /** not scores but counts, such as a rank histogram */
  counts?: Readonly<Record<string, (sums: Float64Array) => number[]>>;
}
