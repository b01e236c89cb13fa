/** AdamW and the moving average by operations of TensorFlow.js, each rounded to float32 (`../adamw.ts`). */
import * as tf from "@tensorflow/tfjs-core";
import { type AdamwConstants, adamwConstants, adamwRates, type UpdateSettings } from "../adamw.js";
import type { Gradients, Tensors } from "../engine.js";
import { FUSED, hasKernel, runFused } from "../kernels/fused.js";
import { releaseFormer, type TrainState } from "../state.js";
import { asTensors } from "./inMemory.js";

/** As `Engine.update`: new tensors for what changed. The engine's own kernel computes AdamW if it has one. */
export async function eagerUpdate(
  state: TrainState,
  { grads: given, scale }: Gradients,
  settings: UpdateSettings,
): Promise<TrainState> {
  const { params, optimizer, ema } = state;
  const { grads, release } = asTensors(given, params);
  const names = Object.keys(params).filter((name) => grads[name]);
  const updates = optimizer.updates + 1;
  const next = tf.tidy(() => {
    const rates = tf.tensor1d(adamwRates(settings.learningRate, updates, settings));
    const lists = [params, grads, optimizer.m, optimizer.v].map((record) => names.map((name) => record[name]));
    const update = hasKernel(FUSED.adamw) ? fusedAdamw : composedAdamw;
    const [p, m, v] = update(lists, rates, scale, adamwConstants(settings));
    const e = ema ? names.map((name, i) => averaged(ema[name], p[i], settings.emaDecay)) : [];
    const replace = (record: Tensors, updated: tf.Tensor[]): Tensors => ({
      ...record,
      ...Object.fromEntries(names.map((name, i) => [name, updated[i]])),
    });
    return {
      params: replace(params, p),
      m: replace(optimizer.m, m),
      v: replace(optimizer.v, v),
      ema: replace(ema ?? {}, e),
    };
  });
  release();
  const renewed = { params: next.params, optimizer: { m: next.m, v: next.v, updates }, ema: ema && next.ema };
  releaseFormer(state, renewed);
  return renewed;
}

/** @param lists parameters, gradients, first and second moments, each in the same order */
type Update = (
  lists: tf.Tensor[][],
  rates: tf.Tensor1D,
  scale: tf.Scalar,
  constants: AdamwConstants,
) => [p: tf.Tensor[], m: tf.Tensor[], v: tf.Tensor[]];

const fusedAdamw: Update = (lists, rates, scale, constants) => {
  const inputs = Object.fromEntries(lists.flat().map((tensor, i) => [`x${i}`, tensor]));
  const updated = runFused(FUSED.adamw, { rates, scale, ...inputs }, { ...constants });
  const n = lists[0].length;
  return [updated.slice(0, n), updated.slice(n, 2 * n), updated.slice(2 * n)];
};

const composedAdamw: Update = ([p, g, m, v], rates, scale, { beta1, beta2, eps }) => {
  const [decay, stepSize, root] = [0, 1, 2].map((i) => tf.reshape(tf.slice(rates, i, 1), []));
  const [newP, newM, newV]: tf.Tensor[][] = [[], [], []];
  for (const [i, parameter] of p.entries()) {
    const gradient = tf.mul(g[i], scale);
    const first = tf.add(tf.mul(m[i], beta1), tf.mul(gradient, 1 - beta1));
    const second = tf.add(tf.mul(v[i], beta2), tf.mul(tf.square(gradient), 1 - beta2));
    const move = tf.mul(tf.div(first, tf.add(tf.div(tf.sqrt(second), root), eps)), stepSize);
    newP.push(tf.sub(tf.sub(parameter, tf.mul(parameter, decay)), move));
    newM.push(first);
    newV.push(second);
  }
  return [newP, newM, newV];
};

const averaged = (average: tf.Tensor, parameter: tf.Tensor, decay: number): tf.Tensor =>
  tf.add(tf.mul(average, decay), tf.mul(parameter, 1 - decay));
