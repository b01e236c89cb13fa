/** A traced function as one call into TensorFlow. */
import type * as tf from "@tensorflow/tfjs-core";
import { jitKernels } from "../jit/register.js";
import { functionDefinition, type Tensorflow, TYPES } from "../tensorflow/index.js";
import { argumentName, SEED, type Signature, trace } from "./recorder.js";

/** A function that TensorFlow runs as one graph. */
export interface CompiledFunction {
  /** Runs it on another thread. @returns its outputs, which the caller disposes */
  run(inputs: readonly tf.Tensor[], seed?: readonly [number, number]): Promise<tf.Tensor[]>;
  /** Forgets the graph; it cannot be run afterwards. */
  release(): void;
  /** operations in the graph */
  nodes: number;
  /** seconds that tracing took */
  seconds: number;
}

let count = 0;

/**
 * Traces `fn` and makes it known to TensorFlow.
 *
 * @param label part of its name in messages
 * @param inputs shapes and types it will be called with
 * @param options.seeded `run` is given a seed; what the traced function asks for is added to it
 * @throws Error that explains what cannot be traced
 */
export function compileFunction(
  engine: Tensorflow,
  label: string,
  inputs: readonly Signature[],
  fn: (inputs: tf.Tensor[]) => readonly tf.Tensor[],
  { seeded = false }: { seeded?: boolean } = {},
): CompiledFunction {
  const { backend, context } = engine;
  const began = performance.now();
  const { nodes, outputs } = trace(backend, inputs, fn, { seeded });
  const name = `${label}_${process.pid}_${count++}`;
  const seedArgument = seeded ? [{ name: SEED, dtype: TYPES.int64 }] : [];
  const definition = functionDefinition({
    name,
    arguments: [
      ...inputs.map(({ dtype }, i) => ({ name: argumentName(i), dtype: backend.getDTypeInteger(dtype) })),
      ...seedArgument,
    ],
    results: outputs.map(({ from, dtype }, i) => ({ name: `o${i}`, dtype, from })),
    nodes,
    effects: [],
  });
  // kernels of our own are compiled on other threads meanwhile
  let adding: Promise<void> | null = null;
  let [added, released] = [false, false];
  const add = async (): Promise<void> => {
    await jitKernels(engine)?.ready();
    if (released) return;
    context.addFunction(definition);
    added = true;
  };
  return {
    release: () => {
      if (added) context.removeFunction(name);
      [added, released] = [false, true];
    },
    nodes: nodes.length,
    seconds: (performance.now() - began) / 1000,
    async run(given, seed) {
      check(label, inputs, given);
      if (seeded !== (seed !== undefined)) throw new Error(`${label}: ${seeded ? "needs a seed" : "takes no seed"}`);
      if (!added && !released) {
        adding ??= add();
        await adding;
      }
      if (released) throw new Error(`${label}: cannot be run, it is released`);
      const ids = backend.getInputTensorIds(given);
      const seedId = seed && backend.binding.createSeed(seed);
      try {
        const all = seedId === undefined ? ids : [...ids, seedId];
        const found = await context.executeAsync(name, [], all, outputs.length);
        return found.map((metadata) => backend.createOutputTensor(metadata));
      } finally {
        if (seedId !== undefined) backend.binding.deleteTensor(seedId);
      }
    },
  };
}

/** Shapes are part of a compiled function. */
function check(label: string, expected: readonly Signature[], given: readonly tf.Tensor[]): void {
  const text = ({ shape, dtype }: Signature) => `${dtype}[${shape}]`;
  for (let i = 0; i < Math.max(expected.length, given.length); i++) {
    const [want, got] = [expected[i], given[i]].map((side) => (side ? text(side as Signature) : "nothing"));
    if (want !== got) throw new Error(`${label}: input ${i} is ${got}, compiled for ${want}`);
  }
}
