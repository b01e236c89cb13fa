/**
 * Tracing: a function of tensors runs once on stand-ins. TensorFlow.js calls its kernels as always; in place of
 * TensorFlow they meet this binding, which notes each operation and answers with shapes.
 */
import * as tf from "@tensorflow/tfjs-core";
import { type Schedule, withSchedule } from "../kernels/schedule.js";
import {
  ATTRIBUTE_KINDS,
  type Attribute,
  attribute,
  type Binding,
  type HostValues,
  type NodeDefinition,
  type TensorflowBackend,
  type TensorMetadata,
  TYPES,
} from "../tensorflow/index.js";
import { outputReference, outputsOf, type TracedShape } from "./operations.js";
import { orientation } from "./product.js";

/** Shape and type of an input or output. */
export interface Signature {
  shape: number[];
  dtype: tf.DataType;
}

/** A traced function. */
export interface Trace {
  nodes: NodeDefinition[];
  /** reference and TensorFlow type of each output */
  outputs: { from: string; dtype: number; shape: number[] }[];
}

export interface TraceOptions {
  /** random operations read their seed from the argument `seed`, int64 [2] */
  seeded: boolean;
}

interface Traced extends TracedShape {
  reference: string;
  /** operation that computes it; absent for arguments */
  op?: string;
}

/** Ids of traced values lie above those of real tensors. */
const FIRST_ID = 2 ** 40;
/** Constants up to this size are shared, and their elements kept for shape rules. */
const SMALL_BYTES = 256;

/** Groups of samples or rows in a graph: as many as operations run at once, whatever the number of threads. */
const LANES = 2;

/** Name of argument `i` of a traced function. */
export const argumentName = (i: number): string => `a${i}`;
/** Name of the argument with the seeds. */
export const SEED = "seed";

/**
 * Traces `fn`.
 *
 * @param inputs of `fn`; it is called with tensors of these shapes that have no elements
 * @throws Error that explains what cannot be traced: reading elements, tensors from outside, host random numbers
 */
export function trace(
  backend: TensorflowBackend,
  inputs: readonly Signature[],
  fn: (inputs: tf.Tensor[]) => readonly tf.Tensor[],
  options: TraceOptions,
): Trace {
  const recorder = new Recorder(backend, options);
  const restore = recorder.install();
  try {
    return tf.tidy(() => {
      const standIns = inputs.map(({ shape, dtype }, i) => recorder.argument(argumentName(i), shape, dtype));
      const results = withSchedule(recorder.schedule, () => fn(standIns));
      return recorder.finish(results) as unknown as tf.TensorContainer;
    }) as unknown as Trace;
  } finally {
    restore();
  }
}

/** The binding while tracing. */
class Recorder implements Binding {
  private readonly nodes: (NodeDefinition & { forward: boolean; key: string })[] = [];
  private readonly values = new Map<number, Traced>();
  /** nodes by what they compute */
  private readonly computed = new Map<string, { node: string; forward: boolean; outputs: TracedShape[] }>();
  /** arrays of tensors made while tracing */
  private readonly made = new WeakSet<object>();
  private readonly real: Binding;
  private nextId = FIRST_ID;
  private lastNew = "";
  /** what the next operation was asked to wait for */
  private wanted: tf.Tensor | null = null;
  /** backward passes under way that compute again what was not kept */
  private recomputing = 0;

  readonly schedule: Schedule = {
    lanes: LANES,
    startAfter: (tensor) => {
      this.wanted = tensor ?? null;
    },
    again: (work) => {
      this.recomputing++;
      try {
        return work();
      } finally {
        this.recomputing--;
      }
    },
  };

  constructor(
    private readonly backend: TensorflowBackend,
    private readonly options: TraceOptions,
  ) {
    this.real = backend.binding;
  }

  /** Takes the binding's place. @returns undoes it */
  install(): () => void {
    const { backend, made } = this;
    const proxy = Object.assign(Object.create(this.real), { tracing: true }) as Binding;
    for (const name of [
      "createTensor",
      "createSeed",
      "createNumbers",
      "deleteTensor",
      "tensorDataSync",
      "executeOp",
    ] as const satisfies (keyof Binding)[]) {
      Object.assign(proxy, { [name]: (this[name] as (...given: never[]) => unknown).bind(this) });
    }
    const move = backend.move;
    const read = backend.read;
    // biome-ignore lint/plugin: kept to be put back, never called
    const random = Math.random;
    backend.binding = proxy;
    backend.move = (dataId, values, ...rest) => {
      if (values !== null) made.add(values);
      move.call(backend, dataId, values, ...rest);
    };
    backend.read = () => Promise.reject(new Error(READS));
    Math.random = () => {
      throw new Error(
        "compile: the traced function draws random numbers on the host, which would be the same at every call; " +
          "use dropout() of engine/kernels with a seed",
      );
    };
    return () => {
      backend.binding = this.real;
      backend.move = move;
      backend.read = read;
      Math.random = random;
    };
  }

  argument(name: string, shape: number[], dtype: tf.DataType): tf.Tensor {
    const id = this.value({ reference: name, shape, dtype: this.backend.getDTypeInteger(dtype) });
    return this.backend.createOutputTensor({ id, shape, dtype: this.backend.getDTypeInteger(dtype) });
  }

  finish(results: readonly tf.Tensor[]): Trace {
    const ids = this.backend.getInputTensorIds(results);
    const outputs = ids.map((id) => {
      const { reference, shape, dtype } = this.traced(id, "the result");
      return { from: reference, shape, dtype };
    });
    for (const tensor of results) tensor.dispose();
    return { nodes: needed(this.nodes, outputs), outputs };
  }

  createTensor(shape: number[], dtype: number, values: HostValues): number {
    if (!this.made.has(values)) throw new Error(OUTSIDE);
    return this.value(this.constant(shape, dtype, values as ArrayBufferView & ArrayLike<number>));
  }

  createSeed(seed: readonly [number, number]): number {
    if (!this.options.seeded) {
      throw new Error("compile: dropout without fed seeds would use the same mask at every call");
    }
    const offset = this.constant([2], TYPES.int64, BigInt64Array.from(seed, BigInt));
    const fed = { reference: SEED, shape: [2], dtype: TYPES.int64 };
    const attributes = { T: attribute.type(TYPES.int64) };
    return this.value(this.add("AddV2", [fed, offset], attributes, [{ shape: [2], dtype: TYPES.int64 }])[0]);
  }

  createNumbers(values: readonly number[]): number {
    return this.value(this.constant([values.length], TYPES.int64, BigInt64Array.from(values, BigInt)));
  }

  deleteTensor(id: number): void {
    if (id < FIRST_ID) this.real.deleteTensor(id);
  }

  tensorDataSync(id: number): HostValues {
    const host = this.values.get(id)?.host;
    if (!host) throw new Error(READS);
    return host as Int32Array;
  }

  executeOp(name: string, given: Attribute[], ids: number[], count: number): TensorMetadata[] {
    const inputs = ids.map((id) => this.traced(id, name));
    const values = Object.fromEntries(given.map(({ name, value }) => [name, value]));
    const [op, attributes] = simplified(name, inputs, values, given);
    const outputs = outputsOf(op, inputs, attributes.plain, count, () => this.infer(op, attributes.encoded, inputs));
    if (op === "MatMul" && attributes.plain.transpose_a && !attributes.plain.transpose_b) {
      const product = this.transposedProduct(inputs[0], inputs[1]);
      if (product) return [{ ...product, id: this.value(product) }];
    }
    if (changesNothing(op, inputs[0], outputs[0])) return [{ ...outputs[0], id: this.value(inputs[0]) }];
    return this.add(op, inputs, attributes.encoded, outputs).map((traced) => ({
      id: this.value(traced),
      shape: traced.shape,
      dtype: traced.dtype,
    }));
  }

  infer(...asked: Parameters<Binding["infer"]>): ReturnType<Binding["infer"]> {
    return this.real.infer(...asked);
  }

  getNumOfTensors(): number {
    return this.real.getNumOfTensors();
  }

  isUsingGpuDevice(): boolean {
    return this.real.isUsingGpuDevice();
  }

  /**
   * Notes a node, or finds the one that computes the same. What the backward pass computes a second time is meant to
   * be computed a second time, to save memory: it waits for the gradient, so that TensorFlow does not merge the two.
   */
  private add(
    op: string,
    inputs: readonly Traced[],
    attributes: Record<string, Uint8Array>,
    outputs: TracedShape[],
  ): Traced[] {
    const references = inputs.map(({ reference }) => reference);
    const waits = op === "Const" ? [] : this.awaited();
    const forward = tf.engine().state.gradientDepth > 0 && this.recomputing === 0;
    const key = `${op}(${references.join()})${Object.entries(attributes)
      .map(([name, bytes]) => `${name}=${Buffer.from(bytes).toString("base64")}`)
      .join()}`;
    let found = this.computed.get(key);
    const again = found?.forward === true && !forward && op !== "Const";
    if (!found || again) {
      const node = `n${this.nodes.length}`;
      const controls = again ? [...waits, `^${this.lastNew}`] : waits;
      this.nodes.push({ name: node, op, inputs: [...references, ...controls], attributes, forward, key });
      found = { node, forward, outputs };
      this.computed.set(key, found);
      if (!again && op !== "Const") this.lastNew = node;
    }
    const { node } = found;
    return outputs.map((output, i) => ({ ...output, op, reference: outputReference(node, op, i, output) }));
  }

  /** What the next node was asked to wait for. */
  private awaited(): string[] {
    const tensor = this.wanted;
    this.wanted = null;
    const { tensorMap } = this.backend;
    // one that was asked for outside is not here, or gone
    const traced =
      tensor && tensorMap.has(tensor.dataId) ? this.values.get(tensorMap.get(tensor.dataId).id) : undefined;
    return traced?.op ? [`^${traced.reference.split(":")[0]}`] : [];
  }

  /** `a^T b` by transpositions and a plain product, or null if that is no better. */
  private transposedProduct(a: Traced, b: Traced): Traced | null {
    const first = orientation(a.shape, b.shape);
    if (first === null) return null;
    const { dtype } = a;
    const order = this.constant([2], TYPES.int32, Int32Array.of(1, 0));
    const types = { T: attribute.type(dtype), Tperm: attribute.type(TYPES.int32) };
    const plain = {
      T: attribute.type(dtype),
      transpose_a: attribute.bool(false),
      transpose_b: attribute.bool(false),
    };
    const transpose = (x: Traced) =>
      this.add("Transpose", [x, order], types, [{ shape: x.shape.toReversed(), dtype }])[0];
    const product = (x: Traced, y: Traced) =>
      this.add("MatMul", [x, y], plain, [{ shape: [x.shape[0], y.shape[1]], dtype }])[0];
    return first === "first" ? product(transpose(a), b) : transpose(product(transpose(b), a));
  }

  private constant(shape: number[], dtype: number, values: ArrayBufferView & ArrayLike<number | bigint>): Traced {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    const small = bytes.length <= SMALL_BYTES;
    if (!small && Array.prototype.every.call(values, (value) => value === values[0])) {
      const dims = this.constant([shape.length], TYPES.int32, Int32Array.from(shape));
      const value = this.constant([], dtype, (values as Float32Array).slice(0, 1));
      const attributes = { T: attribute.type(dtype), index_type: attribute.type(TYPES.int32) };
      return this.add("Fill", [dims, value], attributes, [{ shape, dtype }])[0];
    }
    const attributes = { dtype: attribute.type(dtype), value: attribute.tensor(dtype, shape, bytes) };
    const [traced] = this.add("Const", [], attributes, [{ shape, dtype }]);
    if (!small) return traced;
    return {
      ...traced,
      host: values instanceof BigInt64Array ? Array.from(values, Number) : (values as Int32Array).slice(),
    };
  }

  private value(traced: Traced): number {
    this.values.set(this.nextId, traced);
    return this.nextId++;
  }

  private traced(id: number, user: string): Traced {
    const found = this.values.get(id);
    if (!found) throw new Error(`${OUTSIDE} (${user})`);
    return found;
  }
}

const OUTSIDE =
  "compile: the traced function uses a tensor made outside, which would stay as it is now at every call; " +
  "pass it as an input";
const READS = "compile: the traced function reads the elements of a tensor, which has none while tracing";

const { TF_ATTR_STRING, TF_ATTR_INT, TF_ATTR_FLOAT, TF_ATTR_BOOL, TF_ATTR_TYPE, TF_ATTR_SHAPE } = ATTRIBUTE_KINDS;

interface Attributes {
  plain: Record<string, unknown>;
  encoded: Record<string, Uint8Array>;
}

/** Operations that may come without their attribute `T`. */
const INFERRED = new Set(["ExpandDims", "ClipByValue", "Identity"]);

/** Two-dimensional products as `MatMul` and their biases as `BiasAdd`, which TensorFlow fuses. */
function simplified(
  op: string,
  [a, b]: readonly Traced[],
  plain: Record<string, unknown>,
  given: readonly Attribute[],
): [string, Attributes] {
  if ((op === "Add" || op === "AddV2") && isBias(a, b)) {
    // TensorFlow joins it with the product; the addition of two tensors it does not
    const encoded = { T: attribute.type(a.dtype), data_format: attribute.string("NHWC") };
    return ["BiasAdd", { plain, encoded }];
  }
  if (op !== "BatchMatMulV2" || a.shape.length !== 2) {
    const attributes = Object.fromEntries(given.map((entry) => [entry.name, encoded(entry)]));
    // some of tfjs-node's kernels leave it to TensorFlow's eager mode to infer the type
    if (INFERRED.has(op)) attributes.T ??= attribute.type(a.dtype);
    return [op, { plain, encoded: attributes }];
  }
  const [transpose_a, transpose_b] = [Boolean(plain.adj_x), Boolean(plain.adj_y)];
  const flags = { transpose_a: attribute.bool(transpose_a), transpose_b: attribute.bool(transpose_b) };
  return [
    "MatMul",
    { plain: { transpose_a, transpose_b }, encoded: { T: attribute.type(plain.T as number), ...flags } },
  ];
}

/** True for a vector that is added to every row of a product. */
const isBias = (a: Traced, b: Traced): boolean =>
  a.op === "MatMul" && b.shape.length === 1 && b.shape[0] === a.shape[1] && a.dtype === TYPES.float32;

/** Casts to the same type and reshapes to the same shape, of which TensorFlow.js makes many. */
const changesNothing = (op: string, x: TracedShape, y: TracedShape): boolean =>
  (op === "Cast" || op === "Reshape") && x.dtype === y.dtype && x.shape.join() === y.shape.join();

function encoded({ name, type, value }: Attribute): Uint8Array {
  if (type === TF_ATTR_STRING) return attribute.string(value as string);
  if (type === TF_ATTR_INT) {
    return Array.isArray(value) ? attribute.ints(value as number[]) : attribute.int(value as number);
  }
  if (type === TF_ATTR_FLOAT) return attribute.float(value as number);
  if (type === TF_ATTR_BOOL) return attribute.bool(Boolean(value));
  if (type === TF_ATTR_TYPE) {
    return Array.isArray(value) ? attribute.types(value as number[]) : attribute.type(value as number);
  }
  if (type === TF_ATTR_SHAPE) return attribute.shape(value as number[]);
  throw new Error(`compile: attribute ${name} of kind ${type} cannot be traced`);
}

/** The nodes that the outputs need, in their order. */
function needed(nodes: readonly NodeDefinition[], outputs: Trace["outputs"]): NodeDefinition[] {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const live = new Set<NodeDefinition>();
  const open = outputs.map(({ from }) => from);
  for (let reference = open.pop(); reference !== undefined; reference = open.pop()) {
    const node = byName.get(reference.replace("^", "").split(":")[0]);
    if (!node || live.has(node)) continue;
    live.add(node);
    open.push(...node.inputs.filter((input) => !input.startsWith("^")));
  }
  return nodes
    .filter((node) => live.has(node))
    .map((node) => ({
      ...node,
      inputs: node.inputs.filter((input) => !input.startsWith("^") || live.has(byName.get(input.slice(1))!)),
    }));
}
