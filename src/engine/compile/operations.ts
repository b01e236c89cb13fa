/**
 * What tracing must know of TensorFlow's operations: the names of their outputs (a function refers to them by name)
 * and the shapes and types that come out. This table has those of the network; of others TensorFlow itself is asked.
 */
import { OWN_PREFIX, outputName, outputShapes, TYPES } from "../tensorflow/index.js";

/** A value while tracing. `host` holds the elements of small constants, such as axes. */
export interface TracedShape {
  shape: number[];
  dtype: number;
  host?: ArrayLike<number>;
  /** how a function refers to it behind its node's name, where the table does not say */
  place?: string;
}

type Attributes = Readonly<Record<string, unknown>>;
type Rule = (inputs: readonly TracedShape[], attributes: Attributes) => { shape: number[]; dtype: number }[];

interface Operation {
  /** name of each output, or of the one list of outputs */
  outputs: string[];
  rule: Rule;
}

/** Thrown where an operation's shape follows from elements that are not known while tracing. */
const NEEDS_HOST = "its output shape depends on values that are not known while tracing";

const host = ({ host }: TracedShape): number[] => {
  if (!host) throw new Error(NEEDS_HOST);
  return Array.from(host);
};
const positive = (axes: readonly number[], rank: number) => axes.map((axis) => (axis < 0 ? axis + rank : axis));
const product = (shape: readonly number[]) => shape.reduce((a, b) => a * b, 1);

/** Shape of an elementwise operation on two shapes. */
export function broadcast(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => {
    const [x, y] = [a, b].map((shape) => shape[shape.length - rank + i] ?? 1);
    return x === 1 ? y : x;
  });
}

const same: Rule = ([x]) => [x];
const binary: Rule = ([a, b]) => [{ shape: broadcast(a.shape, b.shape), dtype: a.dtype }];
const comparison: Rule = ([a, b]) => [{ shape: broadcast(a.shape, b.shape), dtype: TYPES.bool }];
const reduction: Rule = ([x, axes], { keep_dims }) => {
  const reduced = new Set(positive(host(axes), x.shape.length));
  const shape = keep_dims
    ? x.shape.map((size, i) => (reduced.has(i) ? 1 : size))
    : x.shape.filter((_, i) => !reduced.has(i));
  return [{ shape, dtype: x.dtype }];
};

const one = (names: string, output: string, rule: Rule): [string, Operation][] =>
  names.split(" ").map((name) => [name, { outputs: [output], rule }]);

const OPERATIONS: ReadonlyMap<string, Operation> = new Map([
  ...one("Neg Square Sqrt Rsqrt Exp Log Log1p Erf Tanh Sigmoid Sin Cos Reciprocal Abs Sign Floor", "y", same),
  ...one("ZerosLike OnesLike", "y", same),
  ...one("Identity", "output", same),
  ...one("Softmax", "softmax", same),
  ...one("Relu", "activations", same),
  ...one("Add AddV2 Sub Mul Div RealDiv DivNoNan Maximum Minimum Pow SquaredDifference FloorDiv FloorMod", "z", binary),
  ...one("Greater GreaterEqual Less LessEqual Equal NotEqual LogicalAnd LogicalOr", "z", comparison),
  ...one("Sum Mean Max Min Prod All Any", "output", reduction),
  ...one("AddN", "sum", same),
  ...one("Cast", "y", ([x], { DstT }) => [{ shape: x.shape, dtype: DstT as number }]),
  ...one("MatMul", "product", ([a, b], { transpose_a, transpose_b }) => [
    { shape: [a.shape[transpose_a ? 1 : 0], b.shape[transpose_b ? 0 : 1]], dtype: a.dtype },
  ]),
  ...one("BiasAdd", "output", same),
  ...one("BatchMatMulV2", "output", ([a, b], { adj_x, adj_y }) => {
    const rows = a.shape.at(adj_x ? -1 : -2)!;
    const columns = b.shape.at(adj_y ? -2 : -1)!;
    return [{ shape: [...broadcast(a.shape.slice(0, -2), b.shape.slice(0, -2)), rows, columns], dtype: a.dtype }];
  }),
  ...one("Reshape", "output", ([x, wanted]) => {
    const sizes = host(wanted);
    const rest = product(x.shape) / product(sizes.filter((size) => size >= 0));
    return [{ shape: sizes.map((size) => (size < 0 ? rest : size)), dtype: x.dtype }];
  }),
  ...one("ExpandDims", "output", ([x, axis]) => {
    const [at] = positive(host(axis), x.shape.length + 1);
    return [{ shape: x.shape.toSpliced(at, 0, 1), dtype: x.dtype }];
  }),
  ...one("Transpose", "y", ([x, order]) => [{ shape: host(order).map((axis) => x.shape[axis]), dtype: x.dtype }]),
  ...one("ConcatV2", "output", (inputs) => {
    const [axis] = positive(host(inputs.at(-1)!), inputs[0].shape.length);
    const parts = inputs.slice(0, -1);
    const along = parts.reduce((sum, { shape }) => sum + shape[axis], 0);
    return [{ shape: parts[0].shape.with(axis, along), dtype: parts[0].dtype }];
  }),
  ...one("SplitV", "output", ([x, sizes, axisInput]) => {
    const [axis] = positive(host(axisInput), x.shape.length);
    return host(sizes).map((size) => ({ shape: x.shape.with(axis, size), dtype: x.dtype }));
  }),
  ...one("Unpack", "output", ([x], { axis, num }) => {
    const [at] = positive([axis as number], x.shape.length);
    return Array.from({ length: num as number }, () => ({ shape: x.shape.toSpliced(at, 1), dtype: x.dtype }));
  }),
  ...one("Pack", "output", (inputs, { axis }) => {
    const [at] = positive([axis as number], inputs[0].shape.length + 1);
    return [{ shape: inputs[0].shape.toSpliced(at, 0, inputs.length), dtype: inputs[0].dtype }];
  }),
  ...one("Slice", "output", ([x, begin, size]) => {
    const starts = host(begin);
    const shape = host(size).map((length, i) => (length < 0 ? x.shape[i] - starts[i] : length));
    return [{ shape, dtype: x.dtype }];
  }),
  ...one("PadV2 Pad", "output", ([x, paddings]) => {
    const widths = host(paddings);
    return [{ shape: x.shape.map((size, i) => widths[2 * i] + size + widths[2 * i + 1]), dtype: x.dtype }];
  }),
  ...one("Tile", "output", ([x, multiples]) => {
    const times = host(multiples);
    return [{ shape: x.shape.map((size, i) => size * times[i]), dtype: x.dtype }];
  }),
  ...one("Fill", "output", ([dims, value]) => [{ shape: host(dims), dtype: value.dtype }]),
  ...one("GatherV2", "output", ([x, indices, axisInput], { batch_dims }) => {
    const [axis] = positive(host(axisInput), x.shape.length);
    const inner = indices.shape.slice(batch_dims as number);
    return [{ shape: [...x.shape.slice(0, axis), ...inner, ...x.shape.slice(axis + 1)], dtype: x.dtype }];
  }),
  ...one("UnsortedSegmentSum", "output", ([x, ids, count]) => [
    { shape: [...host(count), ...x.shape.slice(ids.shape.length)], dtype: x.dtype },
  ]),
  ...one("Select", "output", ([, a]) => [a]),
  ...one("SelectV2", "output", ([condition, a, b]) => [
    { shape: broadcast(condition.shape, broadcast(a.shape, b.shape)), dtype: a.dtype },
  ]),
  ...one("StatelessRandomUniform", "output", ([shape]) => [{ shape: host(shape), dtype: TYPES.float32 }]),
  ...one("ClipByValue", "output", same),
  ...one("Const", "output", () => []),
]);

/** Operations with kernels of our own, whose first input tells the shapes; each output has a name. */
const isOwn = (op: string): boolean => op.startsWith(OWN_PREFIX);

/** What TensorFlow is asked about an operation that is not in the table. */
export type Infer = () => (TracedShape & { place: string })[];

/** Shapes and types of an operation's outputs: by the table, which is quick, else as TensorFlow says. */
export function outputsOf(
  op: string,
  inputs: readonly TracedShape[],
  attributes: Attributes,
  count: number,
  infer: Infer,
): TracedShape[] {
  if (isOwn(op)) return outputShapes(host(inputs[0]), count).map((shape) => ({ shape, dtype: TYPES.float32 }));
  try {
    const rule = OPERATIONS.get(op)?.rule;
    if (!rule) return infer();
    return rule(inputs, attributes).map(({ shape, dtype }) => ({ shape, dtype }));
  } catch (error) {
    throw new Error(`compile: ${op}: ${(error as Error).message}`);
  }
}

/** How a function refers to output `index` of a node. */
export function outputReference(node: string, op: string, index: number, { place }: TracedShape): string {
  if (isOwn(op)) return `${node}:${outputName(index)}:0`;
  return `${node}:${place ?? `${OPERATIONS.get(op)!.outputs[0]}:${index}`}`;
}
