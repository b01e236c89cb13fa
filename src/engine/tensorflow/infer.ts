/** What TensorFlow says comes out of an operation: one node of a graph that is never run. */
import { attribute, type NodeDefinition, nodeDefinition } from "./definitions.js";
import { TensorflowError } from "./errors.js";
import { PRODUCER } from "./graph.js";
import { type Native, offHeap, takeBuffer } from "./native.js";
import { Message } from "./unwire.js";
import { TYPES } from "./values.js";
import { join, part, whole } from "./wire.js";

/** An input of the operation; `host` holds its elements where they are known, such as axes. */
export interface KnownInput {
  shape: readonly number[];
  dtype: number;
  host?: ArrayLike<number>;
}

export interface InferredOutput {
  /** how a function refers to it behind the node's name: `output:index` */
  place: string;
  shape: number[];
  dtype: number;
}

const NODE = "node";

/**
 * Shapes, types and names of an operation's outputs.
 *
 * @throws TensorflowError `UNIMPLEMENTED` if the operation keeps state or draws random numbers, or if a shape depends on
 *   elements that are not known; another for what TensorFlow does not accept
 */
export function inferOutputs(
  native: Native,
  op: string,
  attributes: NodeDefinition["attributes"],
  inputs: readonly KnownInput[],
): InferredOutput[] {
  const { api, status, cstring } = native;
  const graph = api.TF_NewGraph();
  const source = buffer(native, graphOf(op, attributes, inputs));
  const options = api.TF_NewImportGraphDefOptions();
  const described = api.TF_NewBuffer();
  try {
    api.TF_GraphGetOpDef(graph, cstring(op), described, status);
    native.check("TF_GraphGetOpDef", () => op);
    const definition = takeBuffer(native, described);
    api.TF_GraphImportGraphDef(graph, source, options, status);
    native.check("TF_GraphImportGraphDef", () => op);
    const node = api.TF_GraphOperationByName(graph, cstring(NODE));
    return outputNames(native, node, op, definition).map((place, index) => {
      const output = { oper: node, index };
      const rank = api.TF_GraphGetTensorNumDims(graph, output, status);
      native.check("TF_GraphGetTensorNumDims", () => op);
      const dims = new BigInt64Array(offHeap(8 * Math.max(1, rank)).buffer as ArrayBuffer);
      if (rank > 0) api.TF_GraphGetTensorShape(graph, output, dims, rank, status);
      native.check("TF_GraphGetTensorShape", () => op);
      const shape = Array.from(dims.subarray(0, Math.max(0, rank)), Number);
      if (rank < 0 || shape.some((size) => size < 0)) throw new TensorflowError("UNIMPLEMENTED", op, UNKNOWN);
      return { place, shape, dtype: api.TF_OperationOutputType(output) };
    });
  } finally {
    api.TF_DeleteBuffer(source);
    api.TF_DeleteImportGraphDefOptions(options);
    api.TF_DeleteGraph(graph);
  }
}

const UNKNOWN = "its output shape depends on values that are not known while tracing";

/** `name:index` of every output, from the operation's description. */
function outputNames(native: Native, node: number, op: string, described: Uint8Array): string[] {
  const { api, status, cstring } = native;
  // OpDef: 3 output_arg (1 name), 17 is_stateful
  const definition = new Message(described);
  if (definition.whole(17) !== 0) {
    throw new TensorflowError(
      "UNIMPLEMENTED",
      op,
      "it keeps state, or gives others at every call, which a graph cannot",
    );
  }
  return definition.messages(3).flatMap((output) => {
    const name = output.text(1);
    const length = api.TF_OperationOutputListLength(node, cstring(name), status);
    native.check("TF_OperationOutputListLength", () => op);
    return Array.from({ length }, (_, i) => `${name}:${i}`);
  });
}

function graphOf(op: string, attributes: NodeDefinition["attributes"], inputs: readonly KnownInput[]): Uint8Array {
  const names = inputs.map((_, i) => `input${i}`);
  const given = inputs.map((input, i) => nodeDefinition({ ...inputNode(input), name: names[i], inputs: [] }));
  const nodes = [...given, nodeDefinition({ name: NODE, op, inputs: names, attributes })];
  return join([...nodes.map((node) => part(1, node)), part(4, whole(1, PRODUCER))]);
}

function inputNode({ shape, dtype, host }: KnownInput): Pick<NodeDefinition, "op" | "attributes"> {
  const type = { dtype: attribute.type(dtype) };
  const bytes = host && bytesOf(host, dtype);
  if (!bytes) return { op: "Placeholder", attributes: { ...type, shape: attribute.shape(shape) } };
  return { op: "Const", attributes: { ...type, value: attribute.tensor(dtype, shape, bytes) } };
}

/** Elements as they lie in memory; null for types that no shape depends on. */
function bytesOf(values: ArrayLike<number>, dtype: number): Uint8Array | null {
  if (dtype === TYPES.int32) return new Uint8Array(Int32Array.from(values).buffer);
  if (dtype === TYPES.int64) return new Uint8Array(BigInt64Array.from(Array.from(values), BigInt).buffer);
  return null;
}

const buffer = ({ api }: Native, bytes: Uint8Array): number => api.TF_NewBufferFromString(bytes, bytes.length);
