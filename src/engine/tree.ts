/** Trees: arrays and records, nested as one likes, of tensors and plain values; what prepared functions take and give. */
import * as tf from "@tensorflow/tfjs-core";

/** Tensors by name. */
export type Tensors = Record<string, tf.Tensor>;

/**
 * A tree like another, with something else in place of each tensor.
 * @throws Error for objects that are neither tensors, arrays nor plain records
 */
export function mapTensors(tree: unknown, fn: (tensor: tf.Tensor) => unknown): unknown {
  if (tree instanceof tf.Tensor) return fn(tree);
  if (typeof tree === "function") throw new Error("a tree of tensors cannot hold a function");
  if (typeof tree !== "object" || tree === null) return tree;
  if (Array.isArray(tree)) return tree.map((part) => mapTensors(part, fn));
  if (Object.getPrototypeOf(tree) !== Object.prototype) {
    throw new Error(`a tree of tensors cannot hold a ${tree.constructor?.name ?? "null-prototype object"}`);
  }
  return Object.fromEntries(Object.entries(tree).map(([name, part]) => [name, mapTensors(part, fn)]));
}

/** Its tensors, in the order of its entries. */
export function tensorsIn(tree: unknown): tf.Tensor[] {
  const found: tf.Tensor[] = [];
  mapTensors(tree, (tensor) => found.push(tensor));
  return found;
}

/** A tree like another with these tensors, in the order of `tensorsIn`. */
export function withTensors<T>(tree: T, tensors: readonly tf.Tensor[]): T {
  let at = 0;
  return mapTensors(tree, () => tensors[at++]) as T;
}

/** Equal for trees that differ in the elements of their tensors alone. */
export const keyOf = (tree: unknown): string =>
  JSON.stringify(mapTensors(tree, ({ dtype, shape }) => ({ "": `${dtype}[${shape}]` })));

/** `tf.tidy` for any tree: what `work` makes and does not return is released. */
export const tidied = <T>(work: () => T): T => tf.tidy(work as () => tf.TensorContainer) as T;
