/** Golden kind `net`: the network on given parameters and inputs. */
import * as tf from "@tensorflow/tfjs-core";
import { callOnce } from "../../engine/callOnce.js";
import { type Engine, openEngine } from "../../engine/index.js";
import { toFloat32, toNumbers } from "../../formats/safetensors.js";
import { forward, type ModelConfig, type ModelSpec, modelSpec, parameterTable } from "../../model/index.js";
import { canonicalName } from "../../model/names.js";
import type { NetworkInputs, Params } from "../../model/types.js";
import { compare, compareJson, TOLERANCES } from "../compare.js";
import type { Comparison, GoldenCase, KindRunner } from "../types.js";

export const net: KindRunner = async (golden, { engine }) => {
  const opened = await openEngine(engine);
  const spec = modelSpec(golden.config as unknown as ModelConfig);
  const table = parameterTable(spec);
  const comparisons = [
    compareJson(
      "parameter_order",
      table.map(({ name }) => name),
      golden.values.parameter_order,
    ),
    compareJson(
      "num_params",
      table.reduce((sum, { shape }) => sum + tf.util.sizeFromShape(shape), 0),
      golden.values.num_params,
    ),
  ];
  const params = goldenParams(golden, "param.");
  const inputs = goldenInputs(golden, spec);
  const traced = await tracedForward(opened, params, spec, inputs);
  tf.dispose([params, inputs as unknown as tf.TensorContainer]);
  for (const [name, expected] of golden.tensors) {
    if (!name.startsWith("out.")) continue;
    const actual = traced.get(name.slice(4)) ?? [];
    comparisons.push(compare(name, actual, toFloat32(expected), TOLERANCES.network) satisfies Comparison);
  }
  return comparisons;
};

/** Every intermediate result that `forward` names, and the predictions; compiled where the engine compiles. */
async function tracedForward(
  engine: Engine,
  params: Params,
  spec: ModelSpec,
  inputs: NetworkInputs,
): Promise<Map<string, Float32Array>> {
  const results = await callOnce(engine, "network", { params, inputs }, ({ params, inputs }) => {
    const found: Record<string, tf.Tensor> = {};
    const keep = (name: string, tensor: tf.Tensor) => {
      found[name] = tf.keep(tf.clone(tensor));
    };
    const predictions = forward(params, spec, inputs, { trace: keep });
    for (const [p, prediction] of predictions.entries()) {
      for (const [part, tensor] of Object.entries(prediction)) keep(`pred.${p}.${part}`, tensor);
    }
    return found;
  });
  const values = Object.entries(results).map(([name, tensor]) => [name, tensor.dataSync() as Float32Array] as const);
  tf.dispose(results);
  return new Map(values);
}

/** Parameters of a golden case by the names that the network knows. */
function goldenParams(golden: GoldenCase, prefix: string): Params {
  const params: Params = {};
  for (const [key, tensor] of golden.tensors) {
    if (!key.startsWith(prefix)) continue;
    const name = canonicalName(key.slice(prefix.length));
    params[name] ??= tf.tensor(toFloat32(tensor), tensor.shape);
  }
  return params;
}

/** Network inputs of a golden case: `in.tokens.F`, `in.token_infos.F`, and rows from `in.idx.F.l`. */
function goldenInputs(golden: GoldenCase, spec: ModelSpec): NetworkInputs {
  const read = (name: string) => golden.tensors.get(name)!;
  return {
    fields: spec.fields.map(({ L, N, D }, f) => {
      const tokens = read(`in.tokens.${f}`);
      const infos = read(`in.token_infos.${f}`);
      const batch = tokens.shape[0];
      return {
        tokens: tf.tensor(toFloat32(tokens), [batch, L, N, D]),
        infos: tf.tensor(toFloat32(infos), [batch, L, N, spec.config.size_token_info]),
      };
    }),
    rows: spec.predicted.map((f) => {
      const { L, N } = spec.fields[f];
      const rows: number[] = [];
      for (let level = 0; level < L; level++) {
        const indices = golden.tensors.get(`in.idx.${f}.${level}`);
        for (const index of indices ? toNumbers(indices) : []) {
          rows.push((Math.floor(index / N) * L + level) * N + (index % N));
        }
      }
      return tf.tensor1d(rows, "int32");
    }),
  };
}
