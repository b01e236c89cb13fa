/** The state that a run starts from: new, from given weights, or where the run that it continues stood. */
import type { RunConfig } from "../config/types.js";
import { initParameters, type ModelSpec, parameterTable, toTensors } from "../model/index.js";
import type { PlainParams } from "../model/types.js";
import type { CheckpointState } from "../runs/checkpoint.js";
import type { Continuation } from "../runs/continue.js";
import { withPretrained } from "../runs/pretrained.js";
import { assertFits, compareWeights, readInitialWeights } from "../runs/weightFiles.js";
import { checkFreeze } from "../step/freeze.js";
import { initState, type TrainState } from "../step/step.js";
import type { TrainOptions } from "./options.js";
import { emptySums, type Progress } from "./session.js";

const NOTHING_DONE: Progress = {
  step: 0,
  epoch: 0,
  batch: 0,
  samples: 0,
  best: null,
  lastLoss: null,
  console: emptySums(),
};

/** Where the run stands before its first step here. */
export function startingProgress(continued: Continuation | null): Progress {
  if (!continued) return structuredClone(NOTHING_DONE);
  const { step, epoch, batch, samples, best, lastLoss, console } = continued.checkpoint.state;
  return structuredClone({ step, epoch, batch, samples, best, lastLoss, console });
}

/** The run that `id` goes on from; in place, the parent stays the one of before. */
export function parentOf(continued: Continuation | null, id: string): CheckpointState["parent"] {
  if (!continued) return null;
  const { state } = continued.checkpoint;
  return continued.runId === id ? state.parent : { runId: continued.runId, step: state.step };
}

/** @throws AtmorepError (config, usage, input) if the weights asked for are not there or do not fit */
export async function startingWeights(
  config: RunConfig,
  spec: ModelSpec,
  { initFrom, out = ".", acceptMissing, acceptUnexpected }: TrainOptions,
  continued: Continuation | null,
): Promise<PlainParams> {
  const table = parameterTable(spec);
  const names = (entries: typeof table) => entries.map(({ name }) => name);
  checkFreeze(config.freeze, names(table), names(table.filter(({ trainable }) => trainable)));
  if (continued) {
    const shapes = new Map(table.map((entry) => [entry.name, entry]));
    assertFits(compareWeights(shapes, continued.checkpoint.params), continued.path);
    return continued.checkpoint.params;
  }
  if (initFrom) {
    const accept = { missing: acceptMissing, unexpected: acceptUnexpected };
    return readInitialWeights(out, initFrom, config, spec, accept);
  }
  return withPretrained(out, config, initParameters(spec, config.torch_seed as number));
}

/** Weights and optimiser as tensors. */
export function startingState(params: PlainParams, continued: Continuation | null, config: RunConfig): TrainState {
  if (!continued) return initState(toTensors(params), config);
  const { moments, ema } = continued.checkpoint;
  const tensors = toTensors(params);
  const optimizer = { m: toTensors(moments.m), v: toTensors(moments.v), updates: moments.updates };
  if (config.ema_decay === null || config.ema_decay === undefined) return { params: tensors, optimizer, ema: null };
  return { params: tensors, optimizer, ema: toTensors(ema ?? params) };
}
