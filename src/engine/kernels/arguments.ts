/**
 * What kernels of ours are given, checked before memory is touched: they compute addresses from shapes, and one that
 * does not fit would be read, or written, as memory of others.
 */
import type { TensorInfo } from "@tensorflow/tfjs-core";
import * as tf from "@tensorflow/tfjs-core";
import { FUSED } from "./fused.js";

type Inputs = Record<string, TensorInfo>;
type Shapes = Record<string, readonly number[]>;

/** Sizes of an input; one that it has not is NaN, which equals nothing. */
const sizes = ({ shape }: TensorInfo, rank: number): number[] =>
  Array.from({ length: rank }, (_, i) => shape[i] ?? Number.NaN);

/** The multiple of `unit` that a size must be. */
const multiple = (size: number, unit: number) => unit * Math.floor(size / unit);

function heads({ q, k, v }: Inputs, attrs: tf.NamedAttrMap): Shapes {
  const { batch, heads } = attrs as { batch: number; heads: number };
  const [[rows, width], [others]] = [sizes(q, 2), sizes(k, 1)];
  const key = [multiple(others, batch), width];
  return { q: [multiple(rows, batch), multiple(width, heads)], k: key, v: v && key };
}

function columns(inputs: Inputs, attrs: tf.NamedAttrMap): Shapes {
  const { batch, heads, sources, parts } = attrs as {
    batch: number;
    heads: number;
    sources: number[];
    parts: number[];
  };
  const widths = sources.map((source, i) => [source, sizes(inputs[`x${source}`], 2)[1] / parts[i]] as const);
  const width = multiple(widths[0][1], heads);
  const [key, value] = [sources[1], sources[2]].map((source) => sizes(inputs[`x${source}`], 1)[0]);
  if (key !== value) return { [`x${sources[2]}`]: [key, width * parts[2]] };
  const given = sources.map((source, i) => [
    `x${source}`,
    [multiple(sizes(inputs[`x${source}`], 1)[0], batch), width * parts[i]],
  ]);
  const weights = attrs.weighted ? [[`x${Math.max(...sources) + 1}`, [4, width / heads]]] : [];
  return Object.fromEntries([...given, ...weights]) as Shapes;
}

function rowsOf({ x }: Inputs): { d: number[]; rows: number[] } {
  const d = x.shape.at(-1) ?? Number.NaN;
  return { d: [d], rows: [tf.util.sizeFromShape(x.shape) / d] };
}

function layer({ x, weight }: Inputs): { x: number[]; weight: number[]; bias: number[]; y: number[] } {
  const [[r, i], [o]] = [sizes(x, 2), sizes(weight, 1)];
  return { x: [r, i], weight: [o, i], bias: [o], y: [r, o] };
}

/** Which shapes inputs must have, from those of others; inputs that were not given are not asked for. */
const EXPECTED: Record<string, (inputs: Inputs, attrs: tf.NamedAttrMap) => Shapes> = {
  [FUSED.geluGrad]: ({ x }) => ({ dy: x.shape }),
  [FUSED.layerNorm]: (inputs) => ({ gamma: rowsOf(inputs).d, beta: rowsOf(inputs).d }),
  [FUSED.layerNormGrad](inputs) {
    const { d, rows } = rowsOf(inputs);
    return { mean: rows, scale: rows, dy: inputs.x.shape, gamma: d };
  },
  [FUSED.attention]: heads,
  [FUSED.attentionGrad]: (inputs, attrs) => ({ ...heads(inputs, attrs), o: inputs.q.shape, dy: inputs.q.shape }),
  [FUSED.headAttention]: columns,
  [FUSED.headAttentionGrad]: (inputs, attrs) => ({ ...columns(inputs, attrs), dy: inputs.o.shape }),
  [FUSED.linear]: layer,
  [FUSED.linearGrad]: (inputs) => ({ ...layer(inputs), dy: layer(inputs).y }),
  [FUSED.moments]: ({ ens }) => ({ ens: sizes(ens, 3) }),
  [FUSED.momentsGrad]({ ens }) {
    const [M, E, D] = sizes(ens, 3);
    return { ens: [M, E, D], moments: [2, M, D], dy: [2, M, D] };
  },
  [FUSED.squares]({ ens }) {
    const [M, E, D] = sizes(ens, 3);
    return { ens: [M, E, D], target: [M, D], weights: [M, D] };
  },
  [FUSED.squaresGrad]({ ens }) {
    const [M, E, D] = sizes(ens, 3);
    return { ens: [M, E, D], target: [M, D], weights: [M, D], dy: [] };
  },
  [FUSED.product]({ a, b }, { turned }) {
    const [[m, k], [p, q]] = [sizes(a, 2), sizes(b, 2)];
    const n = turned ? p : q;
    return { a: [m, k], b: turned ? [n, k] : [k, n], bias: [n] };
  },
  [FUSED.weightGrad]: ({ x, dy }) => ({ x: sizes(x, 2), dy: [sizes(x, 1)[0], sizes(dy, 2)[1]] }),
  /** parameters, gradients, first and second moments: four lists of the same shapes */
  [FUSED.adamw](inputs) {
    const count = Object.keys(inputs).filter((name) => /^x\d+$/.test(name)).length / 4;
    const lists = Array.from({ length: 4 * count }, (_, i) => [
      `x${i}`,
      inputs[`x${i % count}`]?.shape ?? [Number.NaN],
    ]);
    return { rates: [3], scale: [], ...Object.fromEntries(lists) };
  },
  [tf.UnsortedSegmentSum]: ({ x }) => ({ segmentIds: sizes(x, 1) }),
};

/** Inputs of whole numbers; all others are float32. */
const WHOLE = new Set(["rows", "segmentIds"]);

/**
 * Refuses what does not fit.
 *
 * @param kernel its name; of those that are not ours nothing is known
 * @throws Error with the kernel, the input, its shape or type, and what it must be
 */
export function checkArguments(kernel: string, inputs: Inputs, attrs: tf.NamedAttrMap): void {
  const ours = kernel in EXPECTED || OURS.has(kernel);
  if (!ours) return;
  for (const [name, info] of Object.entries(inputs)) {
    const dtype = WHOLE.has(name) ? "int32" : "float32";
    if (info && info.dtype !== dtype) throw new Error(`${kernel}: ${name} must be ${dtype}, and is ${info.dtype}`);
  }
  for (const [name, shape] of Object.entries(EXPECTED[kernel]?.(inputs, attrs) ?? {})) {
    const given = inputs[name]?.shape;
    if (given && !(given.length === shape.length && shape.every((size, i) => size === given[i]))) {
      throw new Error(`${kernel}: ${name} has shape [${given}], which does not fit [${shape}] of the others`);
    }
  }
  const { rate } = attrs;
  if (rate !== undefined && !((rate as number) >= 0 && (rate as number) < 1)) {
    throw new Error(`${kernel}: the rate must be from 0 up to 1, and is ${rate}`);
  }
}

const OURS = new Set<string>(Object.values(FUSED));
