/** The losses' formulas at one grid point in float64, written apart from `losses/` so that the two check each other. */
import { erf, exp } from "../../math/index.js";

/** Score of one point: target and members. */
export type PointFormula = (t: number, members: ArrayLike<number>) => number;

const mean = (x: ArrayLike<number>) => Array.from(x).reduce((a, b) => a + b, 0) / x.length;

function spread(x: ArrayLike<number>): number {
  const m = mean(x);
  return Math.sqrt(Array.from(x).reduce((sum, e) => sum + (e - m) * (e - m), 0) / (x.length - 1));
}

function kernel(share: (members: number) => number): PointFormula {
  return (t, x) => {
    const E = x.length;
    let error = 0;
    let pairs = 0;
    for (let i = 0; i < E; i++) {
      error += Math.abs(x[i] - t);
      for (let j = 0; j < E; j++) pairs += Math.abs(x[i] - x[j]);
    }
    return error / E - (E === 1 ? 0 : share(E) * pairs);
  };
}

const memberMse: PointFormula = (t, x) => mean(Array.from(x, (e) => (e - t) * (e - t)));
const fair = (E: number) => 1 / (2 * E * (E - 1));
const plain = (E: number) => 1 / (2 * E * E);

/** By name of the loss; the loss is the mean over points, for `weighted_mse` weighted by the cosine of latitude. */
export const POINT_FORMULAS: Record<string, PointFormula> = {
  mse: (t, x) => (mean(x) - t) * (mean(x) - t),
  mse_ensemble: memberMse,
  weighted_mse: memberMse,
  stats: (t, x) => {
    const s = spread(x);
    const q = (t - mean(x)) / s;
    const density = exp(-0.5 * q * q) - 1;
    return density * density + Math.sqrt(s);
  },
  stats_area: (t, x) => {
    const s = spread(x);
    const area = erf((t - mean(x)) / (s * s));
    return 0.2 * area * area + Math.sqrt(s);
  },
  crps: (t, x) => {
    const s = spread(x);
    const z = (t - mean(x)) / s;
    const phi = exp(-0.5 * z * z) / Math.sqrt(2 * Math.PI);
    return s * (z * erf(z / Math.SQRT2) + 2 * phi - 1 / Math.sqrt(Math.PI));
  },
  kernel_crps: kernel(fair),
  almost_fair_crps: kernel((E) => 0.95 * fair(E) + 0.05 * plain(E)),
  ensemble_crps: kernel(plain),
};

/**
 * Value of a loss and its gradient by the members, by central differences in float64.
 *
 * @param target [M, D]
 * @param ens [M, E, D]
 * @param weights [M, D]; null: all 1
 */
export function lossAndGradient(
  formula: PointFormula,
  target: ArrayLike<number>,
  ens: ArrayLike<number>,
  [M, E, D]: readonly [number, number, number],
  weights: ArrayLike<number> | null = null,
): { value: number; gradient: Float64Array } {
  const step = 1e-7;
  const gradient = new Float64Array(M * E * D);
  let value = 0;
  let total = 0;
  for (let k = 0; k < M * D; k++) total += weights ? weights[k] : 1;
  for (let m = 0; m < M; m++) {
    for (let d = 0; d < D; d++) {
      const share = (weights ? weights[m * D + d] : 1) / total;
      const members = Float64Array.from({ length: E }, (_, e) => ens[(m * E + e) * D + d]);
      const t = target[m * D + d];
      value += share * formula(t, members);
      for (let e = 0; e < E; e++) {
        const at = members[e];
        members[e] = at + step;
        const above = formula(t, members);
        members[e] = at - step;
        const below = formula(t, members);
        members[e] = at;
        gradient[(m * E + e) * D + d] = (share * (above - below)) / (2 * step);
      }
    }
  }
  return { value, gradient };
}
