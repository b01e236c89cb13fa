/**
 * What the network says about the order of independent operations, for engines that run them in an order of their own.
 * Such an engine's backend carries a `Schedule` while a function is traced; where there is none, operations run one after
 * the other and nothing needs to be said.
 */
import * as tf from "@tensorflow/tfjs-core";

export interface Schedule {
  /** groups of independent samples or rows that are worth computing side by side; 1: none */
  readonly lanes: number;
  /** What is computed next shall wait for `tensor`, though it does not depend on it; undefined: for nothing. */
  startAfter(tensor: tf.Tensor | undefined): void;
  /** Runs `work`, which computes again what was not kept: it must not be merged with what was computed first. */
  again<T>(work: () => T): T;
}

type Scheduled = tf.KernelBackend & { schedule?: Schedule };

/** The current backend's. */
export const currentSchedule = (): Schedule | null => (tf.backend() as Scheduled).schedule ?? null;

/** Runs `work` with a schedule on the current backend. */
export function withSchedule<T>(schedule: Schedule, work: () => T): T {
  const backend = tf.backend() as Scheduled;
  const former = backend.schedule;
  backend.schedule = schedule;
  try {
    return work();
  } finally {
    backend.schedule = former;
  }
}

/**
 * What is computed next shall wait for `tensor`, though it does not depend on it. Of many independent chains only a few
 * are then under way at once: fewer intermediate results live, and they stay in the cache.
 */
export const startAfter = (tensor: tf.Tensor | undefined): void => currentSchedule()?.startAfter(tensor);
