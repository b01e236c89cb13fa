/**
 * Kernel CRPS of the members: (1/E) sum_i |e_i - t| - c/(2 E (E-1)) sum_ij |e_i - e_j|.
 *
 * With d_i = e_i - t and S_i = sum_j sign(e_i - e_j) this is sum_i d_i g_i, where
 * g_i = sign(d_i)/E - c S_i / (E (E-1)) is also the derivative by e_i. As |S_i| <= E - 1 no term is negative, so the
 * sum never subtracts: the stable form that Lang et al. (2024) ask for, without an [M, E, E, D] tensor.
 */
import {
  add,
  customGrad,
  div,
  expandDims,
  type GradSaveFunc,
  mul,
  type Scalar,
  sign,
  slice,
  sub,
  sum,
  type Tensor,
} from "@tensorflow/tfjs-core";
import { AtmorepError } from "../errors.js";
import { weightedMean } from "./reduce.js";
import type { LossInputs } from "./types.js";

/** Share of the fair form in `almost_fair_crps`: Lang et al. (2024), AIFS-CRPS, arXiv 2412.15832. */
const ALMOST_FAIR_ALPHA = 0.95;

/** Fair kernel CRPS (c = 1); with one member the mean absolute error. */
export function kernelCrps({ target, ens, valid }: LossInputs): Scalar {
  return weightedMean(pointwise(target, ens, 1), valid ?? null);
}

/**
 * alpha fair + (1 - alpha) plain kernel CRPS: c = 1 - (1 - alpha)/E. The fair form alone lets one member drift
 * anywhere beside E - 1 members that straddle the target; the small plain share pulls it back.
 *
 * @throws AtmorepError `config` for one member
 */
export function almostFairCrps({ target, ens, valid }: LossInputs): Scalar {
  const E = needMembers("almost_fair_crps", ens);
  return weightedMean(pointwise(target, ens, 1 - (1 - ALMOST_FAIR_ALPHA) / E), valid ?? null);
}

/**
 * CRPS of the members' empirical distribution (c = 1 - 1/E). It is least where the members lie at the quantiles
 * (k - 1/2)/E of what may happen (Broecker 2012, doi:10.1002/qj.1891), so that members that are fixed functions, as
 * tails are, get the spread of the errors. The fair form takes members for random draws: fixed ones it sends to the
 * quantiles (k - 1)/(E - 1), the outer two without end.
 *
 * @throws AtmorepError `config` for one member
 */
export function ensembleCrps({ target, ens, valid }: LossInputs): Scalar {
  const E = needMembers("ensemble_crps", ens);
  return weightedMean(pointwise(target, ens, 1 - 1 / E), valid ?? null);
}

function needMembers(name: string, ens: Tensor): number {
  const E = ens.shape[1] as number;
  if (E >= 2) return E;
  throw new AtmorepError("config", "one ensemble member has no spread", {
    where: `losses: ${name}`,
    found: E,
    expected: "net_tail_num_nets of at least 2",
    fix: "Raise net_tail_num_nets, or train with kernel_crps (with one member the mean absolute error).",
  });
}

/** The score of each grid point. target [M, D], ens [M, E, D], returns [M, D]. */
function pointwise(target: Tensor, ens: Tensor, c: number): Tensor {
  const difference = sub(ens, expandDims(target, 1)); // [M, E, D]
  const E = ens.shape[1] as number;
  const score = customGrad((...args: (Tensor | GradSaveFunc)[]) => {
    const [d, save] = args as [Tensor, GradSaveFunc];
    let derivative = sign(d);
    if (E > 1) {
      // whole numbers up to here, so that a term that ought to be 0 is 0
      derivative = div(sub(mul(derivative, E - 1), mul(orders(ens), c)), E * (E - 1));
    }
    save([derivative]);
    return {
      value: sum(mul(d, derivative), 1),
      gradFunc: (dy: Tensor, [saved]: Tensor[]) => mul(saved, expandDims(dy, 1)),
    };
  });
  return score(difference);
}

/** S_i = sum_j sign(e_i - e_j) of each member. The members themselves are compared, as differences from the target round. [M, E, D] */
function orders(ens: Tensor): Tensor {
  const [M, E, D] = ens.shape;
  let total: Tensor | null = null;
  for (let j = 0; j < E; j++) {
    const order = sign(sub(ens, slice(ens, [0, j, 0], [M, 1, D])));
    total = total ? add(total, order) : order;
  }
  return total as Tensor;
}
