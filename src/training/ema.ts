/** Exponential moving average of the parameters. */
import { add, mul } from "@tensorflow/tfjs-core";
import type { Params } from "../model/types.js";

/**
 * decay * average + (1 - decay) * parameters, by name.
 * @returns new tensors
 */
export function emaUpdate(average: Params, params: Params, decay: number): Params {
  return Object.fromEntries(
    Object.entries(average).map(([name, former]) => [name, add(mul(former, decay), mul(params[name], 1 - decay))]),
  );
}
