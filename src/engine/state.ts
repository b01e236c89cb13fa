/** What an update changes: parameters, optimiser, averaged parameters. */
import * as tf from "@tensorflow/tfjs-core";
import type { Tensors } from "./tree.js";

/** Moments of AdamW, by parameter. */
export interface AdamwState {
  /** first moments */
  m: Tensors;
  /** second moments */
  v: Tensors;
  /** updates done */
  updates: number;
}

/** The tensors are owned by whoever holds the state. */
export interface TrainState {
  params: Tensors;
  optimizer: AdamwState;
  /** averaged parameters; null: they are not averaged */
  ema: Tensors | null;
}

const releases = new WeakMap<TrainState, () => void>();

/** For engines: what they keep for a state beside its tensors is released with it. */
export function onDispose(state: TrainState, release: () => void): void {
  releases.set(state, release);
}

/** Releases everything that a state holds. */
export function disposeState(state: TrainState): void {
  tf.dispose(tensorsOf(state));
  releases.get(state)?.();
  releases.delete(state);
}

/** Releases the tensors that `former` holds and `next` does not. */
export function releaseFormer(former: TrainState, next: TrainState): void {
  const held = new Set(tensorsOf(next));
  for (const tensor of tensorsOf(former)) if (!held.has(tensor)) tensor.dispose();
}

const tensorsOf = ({ params, optimizer, ema }: TrainState): tf.Tensor[] =>
  [params, optimizer.m, optimizer.v, ema ?? {}].flatMap((record) => Object.values(record));
