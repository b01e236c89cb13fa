/**
 * AdamW (Loshchilov and Hutter 2019) and the moving average of the parameters: what an update is, on every engine.
 *
 *     g = scale gradient            m = b1 m + (1 - b1) g          v = b2 v + (1 - b2) g^2
 *     p = p - lr wd p - lr / (1 - b1^t) m / (sqrt(v) / sqrt(1 - b2^t) + eps)
 *     average = decay average + (1 - decay) p
 *
 * Each engine has it once, for what it runs on, and rounds differently:
 *
 * - `wasm/adamw.ts` runs `adamwStep` below: float64, rounded where a number is stored;
 * - `eager/adamw.ts`, operations of TensorFlow.js: each is rounded to float32; so is the average, on every engine;
 * - `jit/adamw.ts`, a kernel that LLVM compiles: the operations of `eager/adamw.ts` in their order, so their bits;
 * - `compile/adamw.ts`, TensorFlow's `ResourceApplyAdam`: moments as m + (1 - b1) (g - m), and the bias correction of v
 *   in the rate and in eps; each operation is rounded to float32.
 *
 * `test/engine/adamw.test.ts` and its twins in `test/native/` hold each to a reference in its own order, bit by bit.
 */
import { pow } from "../math/index.js";

export interface AdamwOptions {
  weightDecay: number;
  beta1?: number;
  beta2?: number;
  eps?: number;
}

/** `AdamwOptions` with every value. */
export type AdamwConstants = Required<AdamwOptions>;

/** What an engine is told of an update. */
export interface UpdateSettings extends AdamwOptions {
  learningRate: number;
  /** of the moving average, if the state has one */
  emaDecay: number;
}

/** The reference's values where none is given. */
export const adamwConstants = ({
  weightDecay,
  beta1 = 0.9,
  beta2 = 0.999,
  eps = 1e-8,
}: AdamwOptions): AdamwConstants => ({ weightDecay, beta1, beta2, eps });

/** What changes from update to update. */
export type AdamwRates = [decay: number, stepSize: number, root: number];

/**
 * `[lr wd, lr / (1 - b1^t), sqrt(1 - b2^t)]`; engines are fed them as float32.
 *
 * @param t number of this update, from 1
 */
export function adamwRates(learningRate: number, t: number, options: AdamwOptions): AdamwRates {
  const { weightDecay, beta1, beta2 } = adamwConstants(options);
  return [learningRate * weightDecay, learningRate / (1 - pow(beta1, t)), Math.sqrt(1 - pow(beta2, t))];
}

/** One parameter: its numbers, gradients and moments, and where the new ones go. All are of one length. */
export interface AdamwNumbers {
  p: Float32Array;
  g: Float32Array;
  m: Float32Array;
  v: Float32Array;
  newP: Float32Array;
  newM: Float32Array;
  newV: Float32Array;
}

/** The update of one parameter in float64, rounded where a number is stored. */
export function adamwStep(
  { p, g, m, v, newP, newM, newV }: AdamwNumbers,
  scale: number,
  [decay, stepSize, root]: Readonly<AdamwRates>,
  { beta1, beta2, eps }: AdamwConstants,
): void {
  for (let i = 0; i < p.length; i++) {
    const gradient = g[i] * scale;
    const first = beta1 * m[i] + (1 - beta1) * gradient;
    const second = beta2 * v[i] + (1 - beta2) * gradient * gradient;
    newM[i] = first;
    newV[i] = second;
    newP[i] = p[i] - p[i] * decay - (stepSize * first) / (Math.sqrt(second) / root + eps);
  }
}
