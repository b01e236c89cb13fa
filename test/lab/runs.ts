/** Cells that train a run of a second or longer, and what it wrote. */
import { readFileSync } from "node:fs";
import { join } from "node:path";

/** One field of the storm, 9,000 parameters, far more epochs than a test waits for. */
export const SETUP = `import * as atmorep from "atmorep";
import * as nb from "atmorep/notebook";
const out = ".";
const { config } = atmorep.resolveConfig({
  preset: "storm",
  seed: 1,
  set: {
    n_size: [12, 22.5, 45],
    idx_time_mask: null,
    fields: [["mean_sea_level_pressure", [1, 24, [], 0], [0], [4, 3, 3], [3, 6, 6], [0.5, 0.9, 0.4, 0.3]]],
    fields_prediction: [["mean_sea_level_pressure", 1]],
    BERT_strategy: "BERT",
    batch_size: 2,
    batch_size_validation: 2,
    num_samples_per_epoch: 40,
    num_samples_validate: 4,
    num_epochs: 500,
    encoder_num_layers: 1,
    decoder_num_layers: 1,
    encoder_num_heads: 2,
    decoder_num_heads: 2,
    net_tail_num_nets: 2,
  },
});`;

/** Steps and training losses of a run's `metrics.jsonl`, as far as it is written. */
export function trainingRows(folder: string, id: string): { step: number; loss: number }[] {
  const text = readFileSync(join(folder, "results", `id${id}`, "metrics.jsonl"), "utf8");
  return text
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Record<string, number>)
    .filter((row) => "training loss" in row)
    .map((row) => ({ step: row.step, loss: row["training loss"] }));
}
