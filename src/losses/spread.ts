/**
 * Losses of the ensemble's mean and spread. The spread s enters as sqrt(s^2 + 1e-12): equal to s in float32 above
 * 1e-3, and every gradient stays finite when all members agree.
 */
import {
  add,
  customGrad,
  div,
  erf,
  exp,
  type GradSaveFunc,
  mul,
  neg,
  type Scalar,
  sqrt,
  square,
  sub,
  type Tensor,
} from "@tensorflow/tfjs-core";
import { AtmorepError } from "../errors.js";
import { weightedMean } from "./reduce.js";
import type { LossInputs } from "./types.js";

/** Added to the variance. */
const SPREAD_FLOOR = 1e-12;

/** mean (exp(-(t - mu)^2 / (2 s^2)) - 1)^2 + mean sqrt(s). */
export function stats(inputs: LossInputs): Scalar {
  const { target, mean, valid = null } = needMembers("stats", inputs);
  const spread = sqrt(variance(inputs.std));
  const z = div(sub(target, mean), spread);
  const distance = square(sub(exp(mul(square(z), -0.5)), 1));
  return add(weightedMean(distance, valid), weightedMean(sqrt(spread), valid)) as Scalar;
}

/** 0.2 mean erf((t - mu) / s^2)^2 + mean sqrt(s). */
export function statsArea(inputs: LossInputs): Scalar {
  const { target, mean, valid = null } = needMembers("stats_area", inputs);
  const squared = variance(inputs.std);
  const area = square(erf(div(sub(target, mean), squared)));
  const root = sqrt(sqrt(squared));
  return add(mul(weightedMean(area, valid), 0.2), weightedMean(root, valid)) as Scalar;
}

/** Mean CRPS of the Gaussian with mean mu and spread s: Rasp and Lerch (2018), Eq. A2. */
export function crps(inputs: LossInputs): Scalar {
  const { target, mean, valid = null } = needMembers("crps", inputs);
  const points = gaussianCrps(sub(target, mean), sqrt(variance(inputs.std)));
  return weightedMean(points, valid);
}

const SQRT_HALF = Math.sqrt(0.5);
const SQRT_2_OVER_PI = Math.sqrt(2 / Math.PI);
const ONE_OVER_SQRT_PI = 1 / Math.sqrt(Math.PI);

/**
 * s (z (2 Phi(z) - 1) + 2 phi(z) - 1/sqrt(pi)) with z = d/s, rewritten without a product of large and small numbers.
 * Its derivatives are 2 Phi(z) - 1 by d and 2 phi(z) - 1/sqrt(pi) by s: the other terms cancel, and giving them here
 * spares the engine the rounding of that cancellation.
 */
const gaussianCrps = customGrad((...args: (Tensor | GradSaveFunc)[]) => {
  const [difference, spread, save] = args as [Tensor, Tensor, GradSaveFunc];
  const z = div(difference, spread);
  const byDifference = erf(mul(z, SQRT_HALF));
  const bySpread = sub(mul(exp(neg(mul(square(z), 0.5))), SQRT_2_OVER_PI), ONE_OVER_SQRT_PI);
  save([byDifference, bySpread]);
  return {
    value: add(mul(difference, byDifference), mul(spread, bySpread)),
    gradFunc: (dy: Tensor, saved: Tensor[]) => saved.map((derivative) => mul(dy, derivative)),
  };
}) as (difference: Tensor, spread: Tensor) => Tensor;

const variance = (std: Tensor) => add(square(std), SPREAD_FLOOR);

function needMembers(name: string, inputs: LossInputs): LossInputs {
  const members = inputs.ens.shape[1];
  if (members !== undefined && members >= 2) return inputs;
  throw new AtmorepError("config", "one ensemble member has no spread", {
    where: `losses: ${name}`,
    found: members,
    expected: "net_tail_num_nets of at least 2",
    fix: "Raise net_tail_num_nets, or train with mse, mse_ensemble or kernel_crps.",
  });
}
