/** A trained network in the hand: predictions, attention weights and gradients of batches. */

import type { Prepared } from "../batches/prepare.js";
import type { StepBatch } from "../batches/tensors.js";
import { parseFields, predictedFields } from "../config/fields.js";
import type { Field, PredictedField, RunConfig } from "../config/types.js";
import { AtmorepError } from "../errors.js";
import type { PlainParams } from "../model/types.js";
import type { AttentionMap } from "../prediction/attentionMaps.js";
import type { PlainPrediction } from "../prediction/predictBatch.js";
import type { RunReference } from "../runs/locate.js";

export interface LoadOptions {
  /** folder that holds the run's `models/`; default the current one */
  out?: string;
  /** input store in place of the run's */
  data?: string;
  /** overrides of the configuration, such as `BERT_strategy=forecast` */
  set?: readonly string[];
  engine?: "auto" | "native" | "wasm";
}

/** A network with its weights; `dispose` releases them. */
export interface LoadedModel {
  /** of the run, with what was overwritten; batches are made with it: `prepare(model.config, { split: "validate" })` */
  config: RunConfig;
  fields: Field[];
  predicted: PredictedField[];
  /** by state-dict name */
  weights: PlainParams;
  /** numbers in the weights */
  parameters: number;
  /** mean, spread and members of the hidden tokens, normalised, in the order of the batch's targets */
  predict(batch: Pick<Prepared, "cube" | "masked" | "store">): Promise<PlainPrediction[]>;
  /** what every head attends to in one sample */
  attention(batch: Pick<Prepared, "cube" | "masked" | "store">, sample?: number): Promise<AttentionMap[]>;
  /** of the configuration's loss on the batch, by state-dict name, without dropout */
  gradients(batch: Pick<Prepared, "cube" | "masked" | "store">): Promise<Map<string, Float32Array>>;
  dispose(): void;
}

/**
 * Loads a run's network: ours or the reference's, whose configuration and `.mod` file lie in the same places.
 * @param run `ab12cd34`, `ab12cd34@best`, `ab12cd34@12`, a path to the run's folder, or what `train` returns
 * @throws AtmorepError (usage) if there is no such run; (config, input) if weights and configuration do not fit
 * @example
 * const model = await loadModel("ab12cd34@best");
 * const batch = await prepare(model.config, { split: "validate" });
 * const [{ mean }] = await model.predict(batch);
 */
export async function loadModel(run: RunReference, options: LoadOptions = {}): Promise<LoadedModel> {
  const [{ findRun, runConfig }, { readInitialWeights }, { stepModel }, { openEngine }] = await Promise.all([
    import("../evaluation/loadRun.js"),
    import("../runs/weightFiles.js"),
    import("../step/step.js"),
    import("../engine/index.js"),
  ]);
  const out = options.out ?? (typeof run === "string" ? undefined : run.out) ?? ".";
  const found = findRun(typeof run === "string" ? run : run.runId, out);
  const { config } = runConfig(found, null, options.set ?? [], options.data);
  const model = stepModel(config);
  const weights = await readInitialWeights(found.base, `${found.id}@${found.which}`, config, model.spec);
  const context = { model, engine: await openEngine(options.engine ?? "auto") };
  const [{ plainOf }, { toTensors: batchTensors, disposeBatch }, { toTensors }, tf] = await Promise.all([
    import("../batches/ready.js"),
    import("../batches/tensors.js"),
    import("../model/index.js"),
    import("@tensorflow/tfjs-core"),
  ]);
  const params = toTensors(weights);
  let disposed = false;

  async function onBatch<T>(
    { cube, masked, store }: Pick<Prepared, "cube" | "masked" | "store">,
    work: (batch: StepBatch) => Promise<T>,
  ): Promise<T> {
    if (disposed) {
      throw new AtmorepError("usage", "the model was disposed", { where: "loadModel", fix: "Load it again." });
    }
    const batch = batchTensors(plainOf({ config, predicted: model.predicted, store }, { cube, masked }));
    try {
      return await work(batch);
    } finally {
      disposeBatch(batch);
    }
  }

  return {
    config,
    fields: parseFields(config),
    predicted: predictedFields(config),
    weights,
    parameters: [...weights.values()].reduce((sum, { data }) => sum + data.length, 0),
    predict: (prepared) =>
      onBatch(prepared, async (batch) => {
        const { predictBatch } = await import("../prediction/predictBatch.js");
        return (await predictBatch(context, params, batch, { members: true })).predictions;
      }),
    attention: (prepared, sample = 0) =>
      onBatch(prepared, async (batch) => {
        const samples = prepared.cube.windows.length;
        if (!(Number.isInteger(sample) && sample >= 0 && sample < samples)) {
          throw new AtmorepError("usage", "the batch has no such sample", {
            where: "sample",
            found: sample,
            expected: `0 to ${samples - 1}`,
          });
        }
        const { attentionMaps } = await import("../prediction/attentionMaps.js");
        return attentionMaps(model, params, batch, sample);
      }),
    gradients: (prepared) =>
      onBatch(prepared, async (batch) => {
        const { disposeGradients, stepGradients } = await import("../step/step.js");
        const found = await stepGradients(context, params, batch, null);
        try {
          const entries = Object.entries(found.grads).map(async ([name, gradient]) => {
            return [name, Float32Array.from(await gradient.data())] as const;
          });
          return new Map(await Promise.all(entries));
        } finally {
          disposeGradients(found);
        }
      }),
    dispose() {
      if (!disposed) tf.dispose(Object.values(params));
      disposed = true;
    },
  };
}
