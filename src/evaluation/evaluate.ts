/**
 * Evaluating a trained run: cubes of a mode, predictions, result stores, scores. One batch is in memory at a time (of
 * global modes one date as well), however many samples there are.
 */

import { basename, dirname, join } from "node:path";
import * as tf from "@tensorflow/tfjs-core";
import type { OwnName } from "../config/kinds.js";
import { drawRunId } from "../config/runId.js";
import { configText } from "../config/text/files.js";
import type { RunConfig } from "../config/types.js";
import { leftOut } from "../data/gaps.js";
import { openData } from "../data/openData.js";
import { drawEpoch } from "../data/sampling.js";
import { formatTime } from "../data/time.js";
import { ALONE, type Communicator } from "../distributed/index.js";
import { openEngine } from "../engine/index.js";
import { AtmorepError, isAtmorepError } from "../errors.js";
import { cleanLeftovers, writeDirectoryAtomic, writeFileAtomic } from "../formats/atomic.js";
import { systemFault } from "../formats/systemFault.js";
import { createMaskStreams, getStrategy } from "../masking/index.js";
import { toTensors } from "../model/index.js";
import { fitBaselines } from "../prediction/baselines.js";
import { type PassContext, passSubject } from "../prediction/pass.js";
import { predictTogether } from "../prediction/together.js";
import { storeNormalization } from "../results/storeNormalization.js";
import { assertFree, configPath, type RunFolder, runFolder } from "../runs/folder.js";
import { type ToldOn, toldOnLine } from "../runs/toldOn.js";
import { readInitialWeights } from "../runs/weightFiles.js";
import type { BaselineParams, CalibrationReport, ScoreReport } from "../scores/index.js";
import { isPeriodic, scoresByTime } from "../scores/index.js";
import { assertAgreed, stateDigest } from "../training/agreement.js";
import { programVersion } from "../training/provenance.js";
import { threadsOfEach } from "../training/threads.js";
import { CALIBRATION_KEY, givenCalibration } from "./calibration.js";
import type { DrawPlan } from "./draws.js";
import { checkForEvaluation, findRun, type RunWeights, runConfig } from "./loadRun.js";
import { evaluationMode, type ModeName } from "./modes.js";
import { type EvaluationOptions, isEvaluationOverride } from "./options.js";
import { EvaluationOutput } from "./output.js";
import { evaluationOptions } from "./readOptions.js";
import { forecastSteps, rollout } from "./rollout.js";
import { datesOf, writeScoreTimes } from "./scoreTimes.js";
import { EvaluationScores, stepHours, unitsOf } from "./scoring.js";
import { NOT_PERIODIC, NOT_WHOLE, Spectra } from "./spectra.js";
import { toldOn } from "./split.js";
import { WindowSpectra } from "./windowSpectra.js";

export interface EvaluateRequest {
  /** `RUN[@latest|best|EPOCH]`, below `out` or a path to its folder; default the run whose weights are newest */
  run?: string;
  /** default: the strategy that the run was trained with */
  mode?: ModeName | OwnName;
  /** overrides of the configuration or of the mode's options, such as `fields[0][2]=[123]`, `position=[50,8]` */
  set?: readonly string[];
  data?: string;
  /** which times to draw: default the test where the run has `dates_test`, unless validation's period is overwritten */
  split?: "validation" | "test";
  /** folder that holds the run's `models/` and gets `results/id<NEW>`; default the current one */
  out?: string;
  /** id of the evaluation; default random */
  runId?: string;
  /** cubes of a roll-out; default 1 */
  rollout?: number;
  /** an earlier evaluation of other times, whose parameters of post-hoc calibration are applied; default: cross-fitted */
  calibration?: string;
  engine?: "auto" | "native" | "wasm";
  /** write result stores (default true) */
  stores?: boolean;
  signal?: AbortSignal;
  /** processes that share the predictions, each with the same request, of which the first writes; default this one alone */
  communicator?: Communicator;
  onProgress?: (done: number, total: number) => void;
  onWarning?: (message: string) => void;
}

export interface Evaluation {
  /** id of the evaluation, under which its files lie */
  runId: string;
  /** the run evaluated, and which of its weights */
  run: string;
  weights: string;
  mode: string;
  samples: number;
  scores: ScoreReport;
  /** diagrams of calibration and post-hoc calibration; null for one member */
  calibration: CalibrationReport | null;
  /** what stands beside the scores in `scores.json` */
  about: Record<string, unknown>;
  /** who wins, in one sentence */
  verdict: string;
  /** which times that is told on, in one line */
  toldOn: string;
  resultsDir: string;
  files: string[];
}

/**
 * Evaluates a run and writes `results/id<NEW>/`: configuration, result stores, `scores.json`. The run's own files are
 * only read.
 *
 * @throws AtmorepError (usage, config, input) before anything is written, (failed) if interrupted
 * @example const { scores } = await evaluate({ run: "ab12cd34@best", mode: "forecast" });
 */
export async function evaluate(request: EvaluateRequest): Promise<Evaluation> {
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
  const { config: read, folder: base, warnings } = runConfig(run, mode.strategy, set, request.data);
  // drawn where the run has none: once for all
  const { torch_seed, rng_seed } = read;
  const resolved: RunConfig = { ...read, ...(await communicator.broadcast({ torch_seed, rng_seed })) };
  if (own && set.some((text) => text.startsWith("BERT_strategy="))) {
    return evaluate({ ...request, runId: folder.id, mode: String(resolved.BERT_strategy) });
  }
  const config: RunConfig = { ...resolved, wandb_id: folder.id, par_rank: 0, par_size: 1 };
  for (const warning of warnings) request.onWarning?.(warning);

  const store = await openData(config, base);
  let params: ReturnType<typeof toTensors> = {};
  try {
    for (const warning of checkForEvaluation(config, store)) request.onWarning?.(warning);
    const subject = passSubject(config, store);
    const cubes = request.rollout ?? 1;
    assertShared(cubes, communicator);
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
    await assertAgreed(communicator, "before the first batch", () => ({
      ...{ version: programVersion(), run: run.id, configuration: JSON.stringify(config), engine: engine.description },
      ...{ options: JSON.stringify(options), draws: JSON.stringify(plan.draws.map(({ timeIndex }) => timeIndex)) },
      weights: stateDigest(0, [weights]),
    }));
    const work = { request, context, params, plan, folder, run, modeName, options, cubes, told, communicator };
    const whole =
      communicator.rank === 0 ? await inFolder(folder, (aside) => runPlan({ ...work, folder: aside })) : null;
    if (whole === null) for await (const _ of batchesOf(work));
    return await communicator.broadcast(whole as Evaluation);
  } finally {
    tf.dispose(Object.values(params));
    await store.close();
  }
}

/**
 * Fills the evaluation's folder aside, so that it is there whole or not at all; what killed evaluations left goes.
 * @throws AtmorepError (usage) if the folder cannot be made, or was taken meanwhile
 */
async function inFolder(folder: RunFolder, fill: (aside: RunFolder) => Promise<Evaluation>): Promise<Evaluation> {
  const { resultsDir } = folder;
  let began = false;
  const begin = (aside: string) => {
    began = true;
    return fill({ ...folder, resultsDir: aside });
  };
  await cleanLeftovers(dirname(resultsDir));
  const evaluation = await writeDirectoryAtomic(resultsDir, begin, { replace: false }).catch((error) => {
    assertFree(folder);
    const [code, what] = began
      ? (["failed", "the evaluation cannot go on; no stores or scores were written"] as const)
      : (["usage", "the folder of the evaluation cannot be created"] as const);
    throw systemFault(error, code, what, { where: resultsDir, fix: "Make room, or choose another folder with --out." });
  });
  const files = evaluation.files.map((path) => join(resultsDir, basename(path)));
  return { ...evaluation, resultsDir, files };
}

interface Work {
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
}

/** Batches with their predictions; in other processes than the first none, which share the work. */
function batchesOf({ request: { signal }, context, params, plan, told, communicator }: Work) {
  const streams = createMaskStreams(context.config, context.fields);
  const split = told === "test" ? "test" : "validate";
  return predictTogether(communicator, context, params, plan.draws, { streams, split, members: true, signal });
}

/** @throws AtmorepError (usage): each cube of a roll-out waits for the one before */
function assertShared(cubes: number, { size }: Communicator): void {
  if (cubes === 1 || size === 1) return;
  throw new AtmorepError("usage", "a roll-out works in one process", {
    where: "--rollout",
    found: `${size} processes`,
  });
}

async function runPlan(work: Work): Promise<Evaluation> {
  const { request, context, params, plan, folder, run, modeName, cubes } = work;
  const { config, store, predicted } = context;
  const period = periodOf(work);
  const mode = { mode: modeName, ...period };
  const given = request.calibration && (await givenCalibration(request.calibration, request.out ?? ".", mode));
  const fitted = await fittedBaselines(context, request.onWarning);
  const lookup = storeNormalization(store);
  const span = config.n_size[0] * config.time_sampling;
  const scores = new EvaluationScores(context, lookup, fitted, plan.draws, span);
  const spectra = new Spectra(spectrumRefusal(context, plan));
  const windows = new WindowSpectra(store, lookup);
  const output = await openOutput(work, spectra);
  let samples = 0;
  let done = 0;
  const signal = request.signal;
  try {
    if (cubes > 1) {
      for (const draw of plan.draws) {
        if (signal?.aborted) break;
        const rolled = [];
        for await (const cube of rollout(context, params, draw, cubes, fitted)) {
          const place = { leadOffset: cube.leadOffset, initialTime: draw.timeIndex };
          for (const [p, { field }] of predicted.entries()) {
            const { baselines, ...prediction } = cube.predictions[p];
            await scores.add(cube, field, prediction, { ...place, baselines });
            await windows.add(field, cube.cube.windows, cube.masked.fields[field.index], prediction.mean);
          }
          rolled.push(cube);
        }
        const [first, ...following] = rolled.map(({ cube: { windows }, masked, predictions }) => ({
          windows,
          fields: masked.fields,
          predictions,
        }));
        await output.append({ ...first, following });
        samples += draw.places.length;
        done += 1;
        request.onProgress?.(done, plan.draws.length);
      }
    } else {
      for await (const batch of batchesOf(work)) {
        const predictions = batch.predictions.map(({ mean, ens }) => ({ mean, ens: ens! }));
        for (const [p, { field }] of predicted.entries()) {
          await scores.add(batch, field, predictions[p]);
          await windows.add(field, batch.cube.windows, batch.masked.fields[field.index], predictions[p].mean);
        }
        await output.append({ windows: batch.cube.windows, fields: batch.masked.fields, predictions });
        await output.appendAttention(params, batch);
        samples += batch.cube.windows.length;
        done += 1;
        request.onProgress?.(done, plan.draws.length);
      }
    }
    if (done < plan.draws.length) throw interrupted(done, plan.draws.length);
    const files = await output.close();
    const report = scores.report();
    spectra.addTo(report);
    windows.addTo(report);
    const { sentence } = scores.verdict();
    const calibration = scores.calibration(given || undefined);
    const about = {
      run: run.id,
      weights: run.which,
      mode: modeName,
      split: work.told,
      rollout: cubes,
      samples,
      options: work.options,
      units: unitsOf(predicted.map(({ field }) => field)),
      first_time: formatTime(period.from),
      last_time: formatTime(period.to),
      hours_per_lead_step: stepHours(store, config.time_sampling),
      verdict: sentence,
      told_on: toldOnLine(work.told, run.which),
    };
    const path = join(folder.resultsDir, "scores.json");
    const all = { ...report, _about: about, ...(calibration && { [CALIBRATION_KEY]: calibration }) };
    await writeFileAtomic(path, `${JSON.stringify(all, null, 1)}\n`);
    const timed = await writeScoreTimes(folder.resultsDir, timedScores(work, scores, about));
    return {
      runId: folder.id,
      run: run.id,
      weights: run.which,
      mode: modeName,
      samples,
      scores: report,
      calibration,
      about,
      verdict: sentence,
      toldOn: about.told_on,
      resultsDir: folder.resultsDir,
      files: [...files, path, timed],
    };
  } catch (error) {
    await output.abort();
    throw error;
  }
}

async function openOutput({ request, context, folder, run, plan }: Work, spectra: Spectra): Promise<EvaluationOutput> {
  await writeFileAtomic(configPath(folder.resultsDir, folder.id), configText(context.config));
  const epoch = /^\d+$/.test(run.which) ? Number(run.which) : 0;
  return EvaluationOutput.open(context, plan, { folder, epoch, stores: request.stores ?? true }, spectra);
}

/** The first and the last time of all cubes, those of a roll-out included; nanoseconds since 1970. */
function periodOf({ context: { config, store }, plan, cubes }: Work): { from: bigint; to: bigint } {
  const ends = plan.draws.map(({ timeIndex }) => timeIndex);
  const [steps] = config.n_size;
  const sampling = config.time_sampling;
  const first = ends.reduce((a, b) => Math.min(a, b)) - steps * sampling;
  const last = ends.reduce((a, b) => Math.max(a, b)) + (cubes - 1) * steps * sampling - sampling;
  const { times } = store;
  return { from: times[Math.max(0, first)], to: times[Math.min(times.length - 1, last)] };
}

/** What a score card needs of this evaluation. */
function timedScores(
  { context: { config, store }, run, modeName }: Work,
  scores: EvaluationScores,
  about: { units: Record<string, string>; hours_per_lead_step: number },
) {
  const { accumulator } = scores;
  const timed = scoresByTime(accumulator);
  return {
    ...timed,
    dates: datesOf(timed.times, store.times, config.time_sampling),
    about: {
      run: run.id,
      weights: run.which,
      mode: modeName,
      span: accumulator.span(),
      hoursPerLeadStep: about.hours_per_lead_step,
      predictors: [...accumulator.options.predictors],
      units: about.units,
    },
  };
}

/** Fitted baselines need training times; a store without them is no obstacle to the rest. */
async function fittedBaselines(
  { config, store }: PassContext,
  onWarning?: (message: string) => void,
): Promise<BaselineParams> {
  try {
    return await fitBaselines({ config, store, draws: (epoch) => drawEpoch({ config, store, split: "train", epoch }) });
  } catch (error) {
    if (!isAtmorepError(error)) throw error;
    onWarning?.(`the baselines that are fitted are left out: they need the training period (${error.message})`);
    return {};
  }
}

function spectrumRefusal({ config, store }: PassContext, { draws, tiling }: DrawPlan): string | null {
  if (!getStrategy(config.BERT_strategy).forecasts) return NOT_WHOLE;
  const around = tiling ? store.isGlobal : store.isGlobal && Math.abs(config.n_size[2] - 360) < store.res[1] / 2;
  return around && isPeriodic(store.lons) && draws.length > 0 ? null : NOT_PERIODIC;
}

function interrupted(done: number, total: number) {
  return new AtmorepError("failed", "the evaluation was interrupted; no stores or scores were written", {
    found: `${done} of ${total} batches`,
    fix: "Give the command again to begin anew",
  });
}
