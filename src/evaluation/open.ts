import * as tf from "@tensorflow/tfjs-core";
import { drawRunId } from "../config/runId.js";
import { drawSeed } from "../config/seeds.js";
import type { RunConfig } from "../config/types.js";
import { leftOut } from "../data/gaps.js";
import { openData } from "../data/openData.js";
import { ALONE, type Communicator } from "../distributed/index.js";
import { openEngine } from "../engine/index.js";
import { AtmorepError } from "../errors.js";
import { toTensors } from "../model/index.js";
import { type PassContext, passSubject } from "../prediction/pass.js";
import { assertFree, type RunFolder, runFolder } from "../runs/folder.js";
import type { ToldOn } from "../runs/toldOn.js";
import { readInitialWeights } from "../runs/weightFiles.js";
import { type Facts, stateDigest } from "../training/agreement.js";
import { programVersion } from "../training/provenance.js";
import { threadsOfEach } from "../training/threads.js";
import type { DrawPlan } from "./draws.js";
import { checkForEvaluation, findRun, type RunWeights, runConfig } from "./loadRun.js";
import { evaluationMode } from "./modes.js";
import { type EvaluationOptions, isEvaluationOverride } from "./options.js";
import { evaluationOptions } from "./readOptions.js";
import type { EvaluateRequest } from "./request.js";
import { forecastSteps } from "./rollout.js";
import { toldOn } from "./split.js";

export interface Work {
  request: EvaluateRequest;
  context: PassContext;
  params: ReturnType<typeof toTensors>;
  plan: DrawPlan;
  folder: RunFolder;
  run: RunWeights;
  modeName: string;
  options: EvaluationOptions;
  cubes: number;
  told: ToldOn;
  communicator: Communicator;
  /** what processes that share the work must have in common */
  facts: Facts;
  /** the folder of predictions that parts have left; null: they are made */
  parts: string | null;
}

/** Opens what an evaluation needs, does something with it, and closes it. @param draw seeds that the run does not have */
export async function opened<T>(
  request: EvaluateRequest,
  use: (work: Work) => Promise<T>,
  draw = drawSeed,
): Promise<T> {
  const out = request.out ?? ".";
  const communicator = request.communicator ?? ALONE;
  const run = findRun(request.run, out);
  const folder = runFolder(out, await communicator.broadcast(request.runId ?? drawRunId()));
  assertFree(folder);
  const own = request.mode === undefined;
  const modeName = request.mode ?? String(runConfig(run, null, []).config.BERT_strategy);
  const mode = evaluationMode(modeName);
  const set = request.set ?? [];
  const options = evaluationOptions(set.filter(isEvaluationOverride), modeName);
  const { config: read, folder: base, warnings } = runConfig(run, mode.strategy, set, request.data, draw);
  // drawn where the run has none: once for all
  const { torch_seed, rng_seed } = read;
  const resolved: RunConfig = { ...read, ...(await communicator.broadcast({ torch_seed, rng_seed })) };
  if (own && set.some((text) => text.startsWith("BERT_strategy="))) {
    return opened({ ...request, runId: folder.id, mode: String(resolved.BERT_strategy) }, use, draw);
  }
  const config: RunConfig = { ...resolved, wandb_id: folder.id, par_rank: 0, par_size: 1 };
  for (const warning of warnings) request.onWarning?.(warning);

  const store = await openData(config, base);
  let params: ReturnType<typeof toTensors> = {};
  try {
    for (const warning of checkForEvaluation(config, store)) request.onWarning?.(warning);
    const subject = passSubject(config, store);
    const cubes = request.rollout ?? 1;
    if (communicator.size > 1) assertApart(cubes, `${communicator.size} processes`);
    if (cubes > 1 && config.attention) request.onWarning?.("attention maps are not written of a roll-out");
    const shift = cubes > 1 ? forecastSteps(subject) * config.time_sampling : 0;
    const told = toldOn({
      asked: request.split ?? null,
      dates_test: config.dates_test,
      validationGiven: set.some((text) => /^(years|dates)_val[=[]/.test(text.trim())),
      ownTimes: mode.ownTimes(options),
    });
    const split = told === "test" ? "test" : "validate";
    const plan = mode.draws({ config, store, options, split, rollout: { cubes, shift } });
    if (plan.acrossGaps) request.onWarning?.(leftOut(plan.acrossGaps));
    const weights = await readInitialWeights(run.base, `${run.id}@${run.which}`, config, subject.model.spec);
    const engine = await openEngine(request.engine ?? "auto", await threadsOfEach(communicator));
    if (engine.instead?.reason === "unusable") request.onWarning?.(engine.instead.text);
    params = toTensors(weights);
    const context: PassContext = { ...subject, engine };
    const facts = {
      ...{ version: programVersion(), run: run.id, configuration: JSON.stringify(config), engine: engine.description },
      ...{ options: JSON.stringify(options), draws: JSON.stringify(plan.draws.map(({ timeIndex }) => timeIndex)) },
      weights: stateDigest(0, [weights]),
    };
    return await use({
      ...{ request, context, params, plan, folder, run, modeName, options, cubes, told, communicator, facts },
      parts: null,
    });
  } finally {
    tf.dispose(Object.values(params));
    await store.close();
  }
}

/** @throws AtmorepError (usage): each cube of a roll-out waits for the one before */
export function assertApart(cubes: number, found: string): void {
  if (cubes > 1) throw new AtmorepError("usage", "a roll-out works in one process", { where: "--rollout", found });
}
