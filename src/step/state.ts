/** What a step changes, and where it starts. */
import * as tf from "@tensorflow/tfjs-core";
import type { RunConfig } from "../config/types.js";
import type { TrainState } from "../engine/state.js";
import type { Params } from "../model/types.js";

export { disposeState, type TrainState } from "../engine/state.js";

/** A state to start from, which takes over `params`: moments of 0, the average a copy of the parameters. */
export function initState(params: Params, { ema_decay }: Pick<RunConfig, "ema_decay">): TrainState {
  const each = (fn: (tensor: tf.Tensor) => tf.Tensor): Params =>
    Object.fromEntries(Object.entries(params).map(([name, tensor]) => [name, fn(tensor)]));
  const zeros = () => each(({ shape }) => tf.fill(shape, 0));
  return {
    params,
    optimizer: { m: zeros(), v: zeros(), updates: 0 },
    ema: ema_decay === null || ema_decay === undefined ? null : each((tensor) => tf.clone(tensor)),
  };
}
