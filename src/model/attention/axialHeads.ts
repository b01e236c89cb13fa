/**
 * Axial attention (Ho et al. 2019): along the places of a time and level, along time, along levels, one after the
 * other or side by side.
 */
import * as tf from "@tensorflow/tfjs-core";
import { only } from "../../engine/kernels/index.js";
import { AtmorepError } from "../../errors.js";
import { drop, type ForwardPass, project } from "../forwardPass.js";
import { attend } from "./attend.js";

/** A field's tokens along the three axes. */
export interface Grid {
  L: number;
  /** time tokens */
  nt: number;
  /** tokens of one time and level */
  plane: number;
}

const AXES = ["place", "time", "level"] as const;

/** What one group of heads attends to. */
export interface AxialSource {
  /** [B*L*nt*plane, d'] layer-normalised; null: the block's own stream as it stands */
  tokens: tf.Tensor | null;
  grid: Grid;
  heads: number;
}

/** Order of the dimensions [B, L, nt, plane] that puts the attended axis last, by axis number: place, time, level. */
const ORDERS = [
  [0, 1, 2, 3],
  [0, 1, 3, 2],
  [0, 2, 3, 1],
] as const;

export const gridOf = (field: { L: number; numTokens: readonly [number, number, number] }): Grid => ({
  L: field.L,
  nt: field.numTokens[0],
  plane: field.numTokens[1] * field.numTokens[2],
});

/**
 * An axial block with its dropout and residual.
 *
 * @param x [R, d] the residual stream
 * @param own [R, d] its normalised form
 */
export function axialAttention(
  run: ForwardPass,
  name: string,
  x: tf.Tensor,
  own: tf.Tensor,
  grid: Grid,
  sources: AxialSource[],
  parallel: boolean,
): tf.Tensor {
  let stream = own;
  const sums: tf.Tensor[] = [];
  for (const axis of ORDERS.keys()) {
    const outputs = sources.map((source, i) =>
      alongAxis(run, `${name}.axial_attentions.${axis}.${i}.fn`, stream, grid, source, axis),
    );
    const joined = outputs.length === 1 ? outputs[0] : tf.concat(outputs, 1);
    const out = project(run, `${name}.to_outs.${axis}`, joined);
    if (parallel) sums.push(out);
    else stream = out;
  }
  return tf.add(x, drop(run, name, parallel ? tf.addN(sums) : stream));
}

/** Attention of `stream` to one source along one axis. [R, d] -> [R, heads*w] */
function alongAxis(
  run: ForwardPass,
  name: string,
  stream: tf.Tensor,
  grid: Grid,
  { tokens, grid: sourceGrid, heads }: AxialSource,
  axis: number,
): tf.Tensor {
  const shape = [run.batch, grid.L, grid.nt, grid.plane];
  const sourceShape = [run.batch, sourceGrid.L, sourceGrid.nt, sourceGrid.plane];
  const order = ORDERS[axis];
  const attended = order[3];

  const q = project(run, `${name}.to_q`, stream);
  const kv = project(run, `${name}.to_kv`, tokens ?? stream);
  const width = q.shape[1]!;

  // along the other axes own and source tokens must pair up: the coarser of the two is repeated
  const repeatOwn = shape.map((size, i) => (i === attended ? 1 : ratio(name, sourceShape[i], size)));
  const repeatSource = sourceShape.map((size, i) => (i === attended ? 1 : ratio(name, shape[i], size)));

  const queries = sequences(repeatTokens(tf.reshape(q, [...shape, width]), repeatOwn), order);
  const [k, v] = tf
    .split(kv, 2, 1)
    .map((part) => sequences(repeatTokens(tf.reshape(part, [...sourceShape, width]), repeatSource), order));

  const paired = shape.map((size, i) => size * repeatOwn[i]);
  const inputs = { q: only(queries), k: only(k), v: only(v) };
  const out = attend(run, placeOf(name, tokens !== null, axis), inputs, {
    batch: paired.reduce((a, b) => a * b, 1) / paired[attended],
    heads,
  });
  const inverse = order.map((_, i) => order.indexOf(i as 0 | 1 | 2 | 3));
  const grouped = tf.reshape(out, [...order.map((i) => paired[i]), width]);
  const restored = axis === 0 ? grouped : tf.transpose(grouped, [...inverse, 4]);
  return tf.reshape(averageRepeats(restored, repeatOwn), [-1, width]);
}

/** Where a group of heads stands, from its state name `<block>.axial_attentions.<axis>.<group>.fn`. */
function placeOf(name: string, cross: boolean, axis: number) {
  const [block, group] = name.split(/\.axial_attentions\.\d\.|\.fn$/);
  return { block, source: cross ? Math.max(1, Number(group)) : 0, axis: AXES[axis] };
}

/** [B, L, nt, plane, w] -> [sequences * tokens along the axis, w] */
function sequences(x: tf.Tensor, order: readonly number[]): tf.Tensor {
  const width = x.shape[4]!;
  const ordered = order[3] === 3 ? x : tf.transpose(x, [...order, 4]);
  return tf.reshape(ordered, [-1, width]);
}

/** How often each of `size` tokens is repeated to reach `wanted`; 1 where there are enough. */
function ratio(name: string, wanted: number, size: number): number {
  if (wanted <= size) return 1;
  if (wanted % size === 0) return wanted / size;
  throw new AtmorepError("config", "axial attention needs integer ratios between coupled fields' token numbers", {
    where: name,
    found: `${wanted} and ${size} tokens along one axis`,
  });
}

/** Repeats each token r times in a row along each axis. */
function repeatTokens(x: tf.Tensor, repeats: number[]): tf.Tensor {
  let y = x;
  for (const [axis, r] of repeats.entries()) {
    if (r === 1) continue;
    const shape = y.shape.slice();
    const spread = tf.reshape(y, [...shape.slice(0, axis + 1), 1, ...shape.slice(axis + 1)]);
    const reps = spread.shape.map((_, i) => (i === axis + 1 ? r : 1));
    shape[axis] *= r;
    y = tf.reshape(tf.tile(spread, reps), shape);
  }
  return y;
}

/** The inverse shape of `repeatTokens`: means over r neighbours along each axis. */
function averageRepeats(x: tf.Tensor, repeats: number[]): tf.Tensor {
  let y = x;
  for (const [axis, r] of repeats.entries()) {
    if (r === 1) continue;
    const shape = y.shape.slice();
    const split = [...shape.slice(0, axis), shape[axis] / r, r, ...shape.slice(axis + 1)];
    y = tf.mean(tf.reshape(y, split), axis + 1);
  }
  return y;
}
