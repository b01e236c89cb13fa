/** Losses of squared differences. Letters as in `types.ts`. */
import { expandDims, mul, onesLike, type Scalar, square, sub, type Tensor } from "@tensorflow/tfjs-core";
import { memberSquares } from "../engine/kernels/index.js";
import { AtmorepError } from "../errors.js";
import { shares, weightedMean } from "./reduce.js";
import type { LossInputs } from "./types.js";

/** mean (mean - t)^2 over the valid points. */
export function mse({ target, mean, valid }: Pick<LossInputs, "target" | "mean" | "valid">): Scalar {
  return weightedMean(square(sub(mean, target)), valid ?? null);
}

/** Mean over members of mean (e - t)^2. */
export function mseEnsemble({ target, ens, valid }: LossInputs): Scalar {
  return memberMean(target, ens, valid ?? null);
}

/**
 * Mean over members of sum w (e - t)^2 / sum w, w the cosine of latitude of each grid point.
 *
 * @throws AtmorepError `failed` if `area` is not given
 */
export function weightedMse({ target, ens, valid, area }: LossInputs): Scalar {
  if (!area) {
    throw new AtmorepError("failed", "needs the cosine of latitude of each point", {
      where: "weighted_mse",
      found: area,
      expected: "area of shape [M, D]",
    });
  }
  return memberMean(target, ens, valid ? mul(area, valid) : area);
}

/** Every member counts alike: the weights [M, D] are the same for all E. */
function memberMean(target: Tensor, ens: Tensor, weights: Tensor | null): Scalar {
  const sum = memberSquares(ens, target, () => shares(weights ?? onesLike(target), ens.shape[1]!));
  if (sum) return sum;
  const squares = square(sub(ens, expandDims(target, 1))); // [M, E, D]
  return weightedMean(squares, weights ? expandDims(weights, 1) : null);
}
