/** The writers of a run's stores, as validation and evaluation open them. */
import type { BatchContext } from "../batches/ready.js";
import type { RunFolder } from "../runs/folder.js";
import type { StepModel } from "../step/step.js";
import { resultPath } from "./paths.js";
import { storeNormalization } from "./storeNormalization.js";
import { AttentionWriter } from "./writeAttention.js";
import { ResultsWriter } from "./writeResults.js";

/** Where the stores lie, and the epoch in their names. */
export interface WritersPlace {
  folder: Pick<RunFolder, "id" | "resultsDir">;
  epoch: number;
}

/** Result stores: what was hidden and what was predicted of it. */
export function openResultsWriter(
  { config, fields, predicted, store }: Pick<BatchContext, "config" | "fields" | "predicted" | "store">,
  { folder, epoch }: WritersPlace,
): Promise<ResultsWriter> {
  return ResultsWriter.open({
    dir: folder.resultsDir,
    runId: folder.id,
    epoch,
    strategy: config.BERT_strategy,
    forecastTokens: config.forecast_num_tokens,
    fields,
    predicted,
    axes: store,
    normalization: storeNormalization(store),
  });
}

/** Attention maps. */
export function openAttentionWriter(
  { fields, store, model }: Pick<BatchContext, "fields" | "store"> & { model: StepModel },
  { folder, epoch }: WritersPlace,
): Promise<AttentionWriter> {
  return AttentionWriter.open(resultPath(folder.resultsDir, folder.id, epoch, "attention"), model, fields, store);
}
