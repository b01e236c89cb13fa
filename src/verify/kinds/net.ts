/** Golden kind `net`: the network on given parameters and inputs. */
import * as tf from "@tensorflow/tfjs-core";
import { callOnce } from "../../engine/compile/index.js";
import { openEngine } from "../../engine/index.js";
import { toFloat32, toNumbers } from "../../formats/safetensors.js";
import { forward, type ModelConfig, type ModelSpec, modelSpec, parameterTable } from "../../model/index.js";
import type { NetworkInputs, Params } from "../../model/types.js";
import { compare, compareJson, TOLERANCES } from "../compare.js";
import type { Comparison, GoldenCase, KindRunner } from "../types.js";

export const net: KindRunner = async (golden, { engine }) => {
  await openEngine(engine);
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
  const traced = await tracedForward(params, spec, inputs);
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
  params: Params,
  spec: ModelSpec,
  { fields, rows }: NetworkInputs,
): Promise<Map<string, Float32Array>> {
  const names = Object.keys(params);
  const results: string[] = [];
  const given = [...Object.values(params), ...fields.flatMap(({ tokens, infos }) => [tokens, infos]), ...rows];
  const outputs = await callOnce("network", given, (tensors) => {
    const all = [...tensors];
    const next = () => all.shift()!;
    const found: tf.Tensor[] = [];
    const keep = (name: string, tensor: tf.Tensor) => {
      results.push(name);
      found.push(tf.keep(tf.clone(tensor)));
    };
    const own = Object.fromEntries(names.map((name) => [name, next()]));
    const inputs = { fields: fields.map(() => ({ tokens: next(), infos: next() })), rows: rows.map(next) };
    const predictions = forward(own, spec, inputs as NetworkInputs, { trace: keep });
    for (const [p, prediction] of predictions.entries()) {
      for (const [part, tensor] of Object.entries(prediction)) keep(`pred.${p}.${part}`, tensor);
    }
    return found;
  });
  const values = outputs.map((tensor) => tensor.dataSync() as Float32Array);
  tf.dispose(outputs);
  return new Map(results.map((name, i) => [name, values[i]]));
}

/** Parameters of a golden case by our names: the reference's alias `encoders.F.embed.*` becomes `embeds.F.*`. */
export function goldenParams(golden: GoldenCase, prefix: string): Params {
  const params: Params = {};
  for (const [key, tensor] of golden.tensors) {
    if (!key.startsWith(prefix)) continue;
    const name = key.slice(prefix.length).replace(/^encoders\.(\d+)\.embed\./, "embeds.$1.");
    params[name] ??= tf.tensor(toFloat32(tensor), tensor.shape);
  }
  return params;
}

/** Network inputs of a golden case: `in.tokens.F`, `in.token_infos.F`, and rows from `in.idx.F.l`. */
export function goldenInputs(golden: GoldenCase, spec: ModelSpec): NetworkInputs {
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
