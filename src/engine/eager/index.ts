/** What TensorFlow.js does on any backend, operation by operation: the ground that engines stand on. */
import * as tf from "@tensorflow/tfjs-core";
import type { Engine, Prepared, PureFunction } from "../engine.js";
import { profile } from "../profile.js";
import { mapTensors, tensorsIn, tidied } from "../tree.js";
import { eagerUpdate } from "./adamw.js";
import { copyIn, copyOut, squares } from "./inMemory.js";

/** The answers of an engine that has none of its own. */
export const eager: Pick<
  Engine,
  "compiles" | "memory" | "prepare" | "update" | "copyOut" | "copyIn" | "squares" | "profile"
> = {
  compiles: false,
  memory() {
    const { numTensors, numBytes } = tf.memory();
    return { numTensors, bytes: numBytes };
  },
  prepare: (_, fn) => prepareEager(fn),
  update: eagerUpdate,
  copyOut,
  copyIn,
  squares,
  profile,
};

function prepareEager<I, O>(fn: PureFunction<I, O>): Prepared<I, O> {
  return {
    call: async (inputs, seed = null) => {
      const given = new Set(tensorsIn(inputs));
      const own = (tensor: tf.Tensor) => (given.has(tensor) ? tf.clone(tensor) : tensor);
      return tidied(() => mapTensors(fn(inputs, seed), own) as O);
    },
    release: () => {},
  };
}
