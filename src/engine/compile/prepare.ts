/** Prepared functions: one compiled function for each set of shapes and plain values they are called with. */
import type * as tf from "@tensorflow/tfjs-core";
import type { Prepared, PrepareOptions, PureFunction } from "../engine.js";
import { collectGarbage } from "../garbage.js";
import type { Tensorflow } from "../tensorflow/index.js";
import { keyOf, tensorsIn, withTensors } from "../tree.js";
import { type CompiledFunction, compileFunction } from "./function.js";
import type { Signature } from "./recorder.js";

/**
 * Sizes of inputs up to the largest: each has a graph of its own, and up to one part in so many is computed in vain.
 */
const SIZES = 12;

interface Compiled<O> {
  compiled: CompiledFunction;
  /** the outputs' tree; its tensors are those of the tracing, without elements */
  outputs: O;
}

/** As `Engine.prepare`. */
export function prepareCompiled<I, O>(
  engine: Tensorflow,
  label: string,
  fn: PureFunction<I, O>,
  { pad }: PrepareOptions<I> = {},
): Prepared<I, O> {
  const known = new Map<string, Compiled<O>>();
  return {
    async call(given, seed = null) {
      const { inputs, release } = pad ? pad(given, SIZES) : { inputs: given, release: () => {} };
      try {
        const tensors = tensorsIn(inputs);
        const key = `${seed ? "seeded" : "plain"} ${keyOf(inputs)}`;
        let found = known.get(key);
        if (!found) {
          found = compile(engine, label, fn, inputs, seed !== null);
          known.set(key, found);
          // once the engine has its own copies, what they were made from and what tracing left need not wait for the peak
          engine.backend.getInputTensorIds(tensors);
          collectGarbage();
        }
        return withTensors(found.outputs, await found.compiled.run(tensors, seed ?? undefined));
      } finally {
        release();
      }
    },
    release() {
      for (const { compiled } of known.values()) compiled.release();
      known.clear();
    },
  };
}

function compile<I, O>(
  engine: Tensorflow,
  label: string,
  fn: PureFunction<I, O>,
  inputs: I,
  seeded: boolean,
): Compiled<O> {
  const shapes = tensorsIn(inputs).map(({ shape, dtype }): Signature => ({ shape: [...shape], dtype }));
  let outputs: O | undefined;
  const run = (standIns: tf.Tensor[]) => {
    // the seed given here is an offset to the one that each call is fed
    outputs = fn(withTensors(inputs, standIns), seeded ? [0, 0] : null);
    return tensorsIn(outputs);
  };
  const compiled = compileFunction(engine, label, shapes, run, { seeded });
  return { compiled, outputs: outputs as O };
}
