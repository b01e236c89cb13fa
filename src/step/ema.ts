/** Exponential moving average of the parameters. */
import { add, mul } from "@tensorflow/tfjs-core";
import type { Params } from "../model/types.js";

/**
 * decay * average + (1 - decay) * parameters, by name.
 * @param moved names of what an update changes; the others' average is the parameter itself and stays bit for bit
 * @returns new tensors for what moved, the given ones for the rest
 */
export function emaUpdate(average: Params, params: Params, decay: number, moved: Readonly<Params>): Params {
  return Object.fromEntries(
    Object.entries(average).map(([name, former]) => [
      name,
      moved[name] ? add(mul(former, decay), mul(params[name], 1 - decay)) : former,
    ]),
  );
}
