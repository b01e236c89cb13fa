/** Gradients of each block of the network against central differences: embeddings, heads, MLPs, decoders, tails. */
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import { forward, initParameters, modelSpec, toTensors } from "../../src/model/index.js";
import type { Params } from "../../src/model/types.js";
import { normal } from "../engine/support.js";
import { configOf, FIELDS, inputsOf, KINDS, prepareModels, samplesOf } from "./support.js";

beforeAll(prepareModels);

/** `encoders.0.heads.1.proj_out.weight` belongs to the block `encoders.0.heads.1`. */
const blockOf = (name: string): string => name.match(/^\w+(?:\.\d+)?(?:\.\w+\.\d+)?/)?.[0] ?? name;

/** Small: a step moves a whole block, and the third derivative must not show. */
const STEP = 2e-3;

describe.each(KINDS)("%s attention", (_, changes) => {
  it("has the slopes of the loss in every block", () => {
    const config = configOf(FIELDS, { ...changes, decoder_self_att: true });
    const spec = modelSpec(config);
    const plain = initParameters(spec, 11);
    const samples = samplesOf(11);
    const params = toTensors(plain);
    const loss = (current: Params): tf.Scalar =>
      tf.tidy(() => {
        const outputs = forward(current, spec, inputsOf(config, spec, samples));
        return tf.addN(outputs.map(({ ens }) => tf.mean(tf.square(ens)))) as tf.Scalar;
      });
    const names = [...plain.keys()];
    const { grads } = tf.engine().gradients(
      () => loss(params),
      names.map((name) => params[name]),
      null as unknown as tf.Tensor,
      true,
    );
    const blocks = new Map<string, number[]>();
    for (const [k, name] of names.entries()) {
      if (grads[k]) blocks.set(blockOf(name), [...(blocks.get(blockOf(name)) ?? []), k]);
    }
    expect(blocks.size).toBeGreaterThan(20);
    for (const [block, members] of blocks) {
      const directions = new Map(members.map((k) => [names[k], normal(k, params[names[k]].shape).data]));
      const slope = members.reduce((sum, k) => {
        const direction = directions.get(names[k])!;
        return sum + (grads[k].dataSync() as Float32Array).reduce((a, g, n) => a + g * direction[n], 0);
      }, 0);
      const at = (sign: number) =>
        tf.tidy(() => {
          const moved = { ...params };
          for (const [name, direction] of directions) {
            moved[name] = tf.add(params[name], tf.mul(tf.tensor(direction, params[name].shape), sign * STEP));
          }
          return loss(moved).dataSync()[0];
        });
      const length = Math.sqrt(
        members.reduce((sum, k) => sum + (grads[k].dataSync() as Float32Array).reduce((a, g) => a + g * g, 0), 0),
      );
      const difference = (at(1) - at(-1)) / (2 * STEP);
      expect(
        Math.abs(difference - slope) / (length + 1e-3),
        `${block}: ${slope}, differences ${difference}`,
      ).toBeLessThan(0.01);
    }
    tf.dispose([grads, params]);
  });
});
