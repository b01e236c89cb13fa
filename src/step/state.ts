/** What a step changes: parameters, optimiser, averaged parameters. */
import * as tf from "@tensorflow/tfjs-core";
import type { RunConfig } from "../config/types.js";
import type { Params } from "../model/types.js";
import { type AdamwState, adamwInit } from "./adamw.js";

/** The tensors are owned by whoever holds the state. */
export interface TrainState {
  params: Params;
  optimizer: AdamwState;
  /** averaged parameters; null without `ema_decay` */
  ema: Params | null;
}

/** A state to start from, which takes over `params`: moments of 0, the average a copy of the parameters. */
export function initState(params: Params, { ema_decay }: Pick<RunConfig, "ema_decay">): TrainState {
  const copy = () => Object.fromEntries(Object.entries(params).map(([name, tensor]) => [name, tf.clone(tensor)]));
  return { params, optimizer: adamwInit(params), ema: ema_decay === null || ema_decay === undefined ? null : copy() };
}

const releases = new WeakMap<TrainState, () => void>();

/** What the engine keeps for a state beside its tensors is released with it. */
export function onDispose(state: TrainState, release: () => void): void {
  releases.set(state, release);
}

/** Releases every tensor of a state. */
export function disposeState(state: TrainState): void {
  tf.dispose(tensorsOf(state));
  releases.get(state)?.();
  releases.delete(state);
}

/** Releases what `former` holds and `next` does not. */
export function releaseFormer(former: TrainState, next: TrainState): void {
  const held = new Set(tensorsOf(next));
  for (const tensor of tensorsOf(former)) if (!held.has(tensor)) tensor.dispose();
}

const tensorsOf = ({ params, optimizer, ema }: TrainState): tf.Tensor[] =>
  [params, optimizer.m, optimizer.v, ema ?? {}].flatMap((record) => Object.values(record));
