/** AdamW and the moving average number by number, in the orders of operations that engines have (src/engine/adamw.ts). */
import * as tf from "@tensorflow/tfjs-core";
import {
  type AdamwConstants,
  type AdamwRates,
  adamwConstants,
  adamwRates,
  adamwStep,
  type UpdateSettings,
} from "../../src/engine/adamw.js";
import type { Engine } from "../../src/engine/engine.js";
import { disposeState, type TrainState } from "../../src/engine/state.js";
import { normal } from "./support.js";

export interface Lists {
  p: Float32Array[];
  m: Float32Array[];
  v: Float32Array[];
  /** empty: no moving average */
  ema: Float32Array[];
}

/** One number: its parameter, moments and gradient -> the new ones. `scale` and `rates` are float32. */
export type Order = (
  given: { p: number; m: number; v: number; g: number },
  scale: number,
  rates: AdamwRates,
  constants: AdamwConstants,
) => [p: number, m: number, v: number];

const f = Math.fround;

/** `adamwStep`: float64, rounded where a number is stored. */
export const wide: Order = ({ p, m, v, g }, scale, rates, constants) => {
  const one = (value: number) => Float32Array.of(value);
  const [newP, newM, newV] = [one(0), one(0), one(0)];
  adamwStep({ p: one(p), g: one(g), m: one(m), v: one(v), newP, newM, newV }, scale, rates, constants);
  return [newP[0], newM[0], newV[0]];
};

/** Each operation rounded to float32, in the order of src/engine/eager/adamw.ts. */
export const single: Order = ({ p, m, v, g }, scale, [decay, step, root], { beta1, beta2, eps }) => {
  const gradient = f(g * scale);
  const first = f(f(m * f(beta1)) + f(gradient * f(1 - beta1)));
  const second = f(f(v * f(beta2)) + f(f(gradient * gradient) * f(1 - beta2)));
  const move = f(f(first / f(f(f(Math.sqrt(second)) / root) + f(eps))) * step);
  return [f(f(p - f(p * decay)) - move), first, second];
};

/** Each operation rounded to float32, in the order of TensorFlow's `ResourceApplyAdam`. */
export const tensorflow: Order = ({ p, m, v, g }, scale, [decay, step, root], { beta1, beta2, eps }) => {
  const gradient = f(g * scale);
  const first = f(m + f(f(gradient - m) * f(1 - f(beta1))));
  const second = f(v + f(f(f(gradient * gradient) - v) * f(1 - f(beta2))));
  const move = f(f(first * f(step * root)) / f(f(Math.sqrt(second)) + f(f(eps) * root)));
  return [f(f(p - f(p * decay)) - move), first, second];
};

/**
 * Update number `t`.
 * @param gradients null: that parameter has none
 */
export function reference(
  order: Order,
  { p, m, v, ema }: Lists,
  gradients: readonly (Float32Array | null)[],
  t: number,
  scale: number,
  settings: UpdateSettings,
): Lists {
  const constants = adamwConstants(settings);
  const rates = adamwRates(settings.learningRate, t, settings).map(f) as AdamwRates;
  const copy = (lists: Float32Array[]) => lists.map((list) => list.slice());
  const next: Lists = { p: copy(p), m: copy(m), v: copy(v), ema: copy(ema) };
  const [keep, take] = [f(settings.emaDecay), f(1 - settings.emaDecay)];
  for (const [k, list] of gradients.entries()) {
    for (let i = 0; list && i < list.length; i++) {
      const given = { p: p[k][i], m: m[k][i], v: v[k][i], g: list[i] };
      [next.p[k][i], next.m[k][i], next.v[k][i]] = order(given, f(scale), rates, constants);
      if (ema.length > 0) next.ema[k][i] = f(f(ema[k][i] * keep) + f(next.p[k][i] * take));
    }
  }
  return next;
}

const numbers = (seed: number, shapes: readonly number[][]): Float32Array[] =>
  shapes.map((shape, i) => normal(100 * seed + i, shape).data);

/** Lists to start from. */
export const startLists = (shapes: readonly number[][], averaged: boolean): Lists => ({
  p: numbers(1, shapes),
  m: numbers(2, shapes).map((list) => list.map((x) => x / 8)),
  v: numbers(3, shapes).map((list) => list.map((x) => x * x)),
  ema: averaged ? numbers(4, shapes) : [],
});

/** Gradients of update `t`; the second parameter has none in the third. */
export const gradientLists = (shapes: readonly number[][], t: number): (Float32Array | null)[] =>
  numbers(10 + t, shapes).map((list, i) => (t === 3 && i === 1 ? null : list));

/** Some updates by the reference and by an engine, which releases what it was given. */
export async function updates(
  engine: Pick<Engine, "update">,
  order: Order,
  shapes: readonly number[][],
  { settings, averaged, count = 4 }: { settings: UpdateSettings; averaged: boolean; count?: number },
): Promise<{ actual: Lists; expected: Lists; tensorsLeft: number }> {
  const scale = f(0.37);
  const before = tf.memory().numTensors;
  const record = (lists: readonly (Float32Array | null)[]) =>
    Object.fromEntries(lists.flatMap((list, i) => (list ? [[`w${i}`, tf.tensor(list, shapes[i])]] : [])));
  let expected = startLists(shapes, averaged);
  let state: TrainState = {
    params: record(expected.p),
    optimizer: { m: record(expected.m), v: record(expected.v), updates: 0 },
    ema: averaged ? record(expected.ema) : null,
  };
  for (let t = 1; t <= count; t++) {
    const gradients = gradientLists(shapes, t);
    expected = reference(order, expected, gradients, t, scale, settings);
    const given = { grads: record(gradients), scale: tf.scalar(scale) };
    state = await engine.update(state, given, settings);
    tf.dispose([given.scale, ...Object.values(given.grads)]);
  }
  const lists = (tensors: Record<string, tf.Tensor>) =>
    shapes.map((_, i) => Float32Array.from(tensors[`w${i}`].dataSync()));
  const actual = {
    p: lists(state.params),
    m: lists(state.optimizer.m),
    v: lists(state.optimizer.v),
    ema: state.ema ? lists(state.ema) : [],
  };
  disposeState(state);
  return { actual, expected, tensorsLeft: tf.memory().numTensors - before };
}
