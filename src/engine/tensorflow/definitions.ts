/** TensorFlow's messages (tensorflow/core/framework/*.proto) that define a function of the graph runtime. */
import { type Bytes, entry, float, join, packed, part, whole } from "./wire.js";

/** Value of an attribute, by kind. */
export const attribute = {
  string: (value: string): Bytes => part(2, value),
  int: (value: number | bigint): Bytes => whole(3, value),
  float: (value: number): Bytes => float(4, value),
  bool: (value: boolean): Bytes => whole(5, value ? 1 : 0),
  type: (value: number): Bytes => whole(6, value),
  shape: (value: readonly number[]): Bytes => part(7, shapeOf(value)),
  tensor: (dtype: number, shape: readonly number[], content: Bytes): Bytes =>
    part(8, join([whole(1, dtype), part(2, shapeOf(shape)), part(4, content)])),
  ints: (values: readonly number[]): Bytes => part(1, packed(3, values)),
  types: (values: readonly number[]): Bytes => part(1, packed(6, values)),
  function: (name: string): Bytes => part(10, part(1, name)),
  strings: (values: readonly string[]): Bytes => part(1, join(values.map((value) => part(2, value)))),
};

const shapeOf = (shape: readonly number[]): Bytes => join(shape.map((size) => part(2, whole(1, size))));

/** One operation of a function; an input is `argument`, `node:output:index` or `^node` (runs after it). */
export interface NodeDefinition {
  name: string;
  op: string;
  inputs: readonly string[];
  attributes: Readonly<Record<string, Bytes>>;
}

export interface FunctionDefinition {
  name: string;
  arguments: readonly { name: string; dtype: number }[];
  /** `from`: an input reference as in `NodeDefinition` */
  results: readonly { name: string; dtype: number; from: string }[];
  nodes: readonly NodeDefinition[];
  /** nodes that run though no result needs them */
  effects: readonly string[];
}

/** A FunctionDef. */
export function functionDefinition(definition: FunctionDefinition): Bytes {
  const { name, nodes, results, effects } = definition;
  const argument = (field: number, key: string, dtype: number) => part(field, join([part(1, key), whole(3, dtype)]));
  const signature = join([
    part(1, name),
    ...definition.arguments.map((entry) => argument(2, entry.name, entry.dtype)),
    ...results.map((result) => argument(3, result.name, result.dtype)),
    ...(effects.length > 0 ? [whole(17, 1)] : []),
    ...effects.map((effect) => part(20, effect)),
  ]);
  return join([
    part(1, signature),
    ...nodes.map((node) => part(3, nodeDefinition(node))),
    ...results.map((result) => entry(4, result.name, result.from)),
    ...effects.map((effect) => entry(6, effect, effect)),
  ]);
}

/** A NodeDef. */
export const nodeDefinition = ({ name, op, inputs, attributes }: NodeDefinition): Bytes =>
  join([
    part(1, name),
    part(2, op),
    ...inputs.map((input) => part(3, input)),
    ...Object.entries(attributes).map(([key, value]) => entry(5, key, value)),
  ]);

/**
 * A ConfigProto. Half of the threads work within an operation and two operations run at once: two small products side
 * by side take less time than each on all threads after the other. TensorFlow's rewriting of arithmetic is off, which
 * would fold transpositions back into products.
 *
 * @param options.threads that work at once; 0: TensorFlow's own choice
 */
export const configProto = ({ threads = 0 }: { threads?: number }): Bytes => {
  const pools = threads > 0 ? [whole(2, Math.ceil(threads / 2)), whole(5, Math.min(threads, 2))] : [];
  const off = 2;
  return join([...pools, part(10, part(10, whole(7, off)))]);
};
