/** Our side of the comparison: what the original is to learn from, written to files, and our own losses. */
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { PlainBatch } from "../../src/batches/plain.js";
import type { RunConfig } from "../../src/config/types.js";
import { writeSafetensors } from "../../src/formats/safetensors.js";
import { bytesOf, type TensorSpec } from "../../src/formats/tensors.js";
import { toPlain } from "../../src/model/index.js";
import { stateDict } from "../../src/runs/stateDict.js";
import { trainBatches } from "../../src/training/batches.js";
import { openSession } from "../../src/training/open.js";
import type { TrainOptions } from "../../src/training/options.js";
import { train } from "../../src/training/train.js";

/** What both sides tell of a step. */
export interface StepLosses {
  total: number;
  /** mean over fields of the mean squared error of the ensemble mean */
  mse: number;
  lr: number;
  /** by loss, then by predicted field */
  terms: Record<string, number[]>;
}

/**
 * Writes config.json, weights.safetensors and batches/00000.safetensors, ... into `folder`.
 * @returns SHA-256 of the weights and the batches
 */
export async function writeMaterial(config: RunConfig, folder: string, steps: number): Promise<string> {
  mkdirSync(join(folder, "batches"), { recursive: true });
  // the original takes a key for set as soon as it is there
  const set = Object.entries({ ...config, wandb_id: "learning" }).filter(([, value]) => value !== null);
  writeFileSync(join(folder, "config.json"), JSON.stringify(Object.fromEntries(set)));
  const digest = createHash("sha256");
  const write = async (name: string, tensors: readonly TensorSpec[]) => {
    await writeSafetensors(join(folder, name), tensors);
    digest.update(readFileSync(join(folder, name)));
  };
  const session = await openSession(config, { out: join(folder, "session"), runId: "learning", engine: "wasm" });
  try {
    await write("weights.safetensors", stateDict(await toPlain(session.state.params)));
    let step = 0;
    for (let epoch = 0; epoch < config.num_epochs && step < steps; epoch++) {
      for await (const batch of trainBatches(session, epoch, 0)) {
        if (batch === null) throw new Error("a process that trains alone computes every batch");
        await write(join("batches", `${String(step).padStart(5, "0")}.safetensors`), batchTensors(config, batch));
        if (++step === steps) break;
      }
    }
  } finally {
    await session.close();
  }
  return digest.digest("hex");
}

/** tokens [B, L, nt, ny, nx, tt, ty, tx], infos [B, L, N, 8], targets [M, D], hidden tokens n + N*b by level. */
function batchTensors({ fields }: RunConfig, { inputs, targets }: PlainBatch): TensorSpec[] {
  return inputs.flatMap(({ shape: [B, L, N], tokens, infos }, f): TensorSpec[] => {
    const [name, , , numTokens, tokenSize] = fields[f];
    const found = targets.find((target) => target.name === name);
    const levels = Array.from({ length: L }, (_, l) =>
      Int32Array.from(
        [...(found?.rows ?? [])].filter((row) => Math.floor(row / N) % L === l),
        (row) => (row % N) + N * Math.floor(row / (L * N)),
      ),
    );
    return [
      tensor(`tokens.${f}`, [B, L, ...numTokens, ...tokenSize], tokens),
      tensor(`infos.${f}`, [B, L, N, infos.length / (B * L * N)], infos),
      ...(found ? [tensor(`target.${f}`, [found.M, found.D], found.target)] : []),
      ...levels.map((level, l) => tensor(`idx.${f}.${l}`, [level.length], level)),
    ];
  });
}

function tensor(name: string, shape: number[], data: Float32Array | Int32Array): TensorSpec {
  return { name, dtype: data instanceof Float32Array ? "F32" : "I32", shape, read: () => bytesOf(data) };
}

/** Our losses up to step `steps`, by the training that everybody runs; of a continued run those of the steps it adds. */
export async function ourLosses(
  config: RunConfig,
  folder: string,
  steps: number,
  more: Pick<TrainOptions, "engine" | "continue" | "inPlace" | "maxTime"> = {},
): Promise<StepLosses[]> {
  const losses: StepLosses[] = [];
  const options: TrainOptions = {
    out: join(folder, "ours"),
    runId: "learning",
    maxSteps: steps,
    engine: "wasm",
    ...more,
  };
  for await (const event of train(config, options)) {
    if (event.type !== "step") continue;
    const { total, mse, learningRate: lr, series } = event;
    const terms = config.losses.map((loss) => [
      loss,
      config.fields_prediction.map(([field]) => series[`${loss}, ${field}`]),
    ]);
    losses.push({ total, mse, lr, terms: Object.fromEntries(terms) });
  }
  return losses;
}
