/** What must not change the network's results: the order of fields, the order of samples, cross heads that say nothing. */
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, it } from "vitest";
import type { FieldEntry } from "../../src/config/types.js";
import { forward, initParameters, type ModelConfig, modelSpec, toTensors } from "../../src/model/index.js";
import type { PlainParams } from "../../src/model/types.js";
import fc from "../support/property.js";
import { B, configOf, FIELDS, inputsOf, KINDS, prepareModels, type Samples, samplesOf } from "./support.js";

beforeAll(prepareModels);

/** Members of every hidden token by field: all tokens of a sample, for each of `order`'s samples. */
function predict(
  config: ModelConfig,
  params: PlainParams,
  samples: Samples,
  order: readonly number[] = [0, 1, 2],
): Record<string, Float32Array> {
  const spec = modelSpec(config);
  return tf.tidy(() => {
    const inputs = inputsOf(config, spec, samples, order);
    const outputs = forward(toTensors(params), spec, inputs);
    return Object.fromEntries(
      spec.predicted.map((f, p) => [config.fields[f][0], outputs[p].ens.dataSync().slice() as Float32Array]),
    );
  });
}

function expectClose(actual: Float32Array, expected: Float32Array): void {
  expect(actual.length).toBe(expected.length);
  actual.forEach((value, i) => {
    expect(Math.abs(value - expected[i])).toBeLessThan(1e-5 + 1e-5 * Math.abs(expected[i]));
  });
}

/** Parameters of fields `from` under the numbers that the fields have in `to`. */
function renamed(params: PlainParams, from: readonly FieldEntry[], to: readonly FieldEntry[]): PlainParams {
  const place = (f: string) => to.findIndex(([name]) => name === from[Number(f)][0]);
  const rename = (name: string) => name.replace(/^(\w+)\.(\d+)\./, (_, part, f) => `${part}.${place(f)}.`);
  return new Map([...params].map(([name, value]) => [rename(name), value]));
}

const seeds = fc.integer({ min: 0, max: 1000 });

describe.each(KINDS)("%s attention", (_, changes) => {
  it("does not depend on the order of fields", () => {
    const config = configOf(FIELDS, changes);
    fc.assert(
      fc.property(seeds, fc.constantFrom([1, 0, 2], [2, 1, 0], [1, 2, 0], [2, 0, 1]), (seed, order) => {
        const params = initParameters(modelSpec(config), seed);
        const samples = samplesOf(seed);
        const expected = predict(config, params, samples);
        const fields = order.map((f) => FIELDS[f]);
        const actual = predict(configOf(fields, changes), renamed(params, FIELDS, fields), samples);
        for (const [name] of FIELDS) expectClose(actual[name], expected[name]);
      }),
      { numRuns: 4 },
    );
  });

  it("does not depend on the order of samples", () => {
    const config = configOf(FIELDS, changes);
    fc.assert(
      fc.property(seeds, fc.constantFrom([2, 0, 1], [1, 0, 2], [2, 1, 0]), (seed, order) => {
        const params = initParameters(modelSpec(config), seed);
        const expected = predict(config, params, samplesOf(seed));
        const actual = predict(config, params, samplesOf(seed), order);
        for (const [name] of FIELDS) {
          const size = expected[name].length / B;
          order.forEach((from, b) => {
            const own = actual[name].subarray(b * size, (b + 1) * size);
            expectClose(own, expected[name].subarray(from * size, (from + 1) * size));
          });
        }
      }),
      { numRuns: 4 },
    );
  });
});

it("a coupled model whose cross heads are zeroed equals the single-field models", () => {
  const coupled = configOf(FIELDS, KINDS[0][1]);
  const spec = modelSpec(coupled);
  const params = initParameters(spec, 7);
  const samples = samplesOf(7);
  const before = predict(coupled, params, samples);
  // the columns of proj_out that read cross heads stand after those of the self heads, which make the width
  const alone = FIELDS.map(
    ([name, [dynamic, width], ...rest]): FieldEntry => [name, [dynamic, width, [], 0], ...rest] as FieldEntry,
  );
  const single = new Map(params);
  for (const [name, { shape, data }] of params) {
    const match = /^encoders\.(\d+)\.heads\.\d+\.(proj_out|proj_heads_other)/.exec(name);
    if (!match) continue;
    if (match[2] === "proj_heads_other") {
      single.delete(name);
      continue;
    }
    const [rows, columns] = shape;
    const width = spec.fields[Number(match[1])].width;
    expect(columns).toBeGreaterThan(width);
    const zeroed = data.slice();
    const own = new Float32Array(rows * width);
    for (let r = 0; r < rows; r++) {
      zeroed.fill(0, r * columns + width, (r + 1) * columns);
      own.set(data.subarray(r * columns, r * columns + width), r * width);
    }
    params.set(name, { shape: [rows, columns], data: zeroed });
    single.set(name, { shape: [rows, width], data: own });
  }
  const zeroed = predict(coupled, params, samples);
  for (const [f, [name]] of FIELDS.entries()) {
    const own = new Map([...single].filter(([key]) => key.match(/^\w+\.(\d+)\./)?.[1] === String(f)));
    const one = predict(
      configOf([alone[f]], KINDS[0][1]),
      renamed(
        own,
        FIELDS,
        FIELDS.map(() => alone[f]),
      ),
      samples,
    );
    expectClose(zeroed[name], one[name]);
    // the heads did say something before
    expect(zeroed[name].some((value, i) => Math.abs(value - before[name][i]) > 1e-4)).toBe(true);
  }
});
