/**
 * Evaluating a trained run: cubes of a mode, predictions, result stores, scores. One batch is in memory at a time (of
 * global modes one date as well), however many samples there are.
 */

import { rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { configText } from "../config/text/files.js";
import { drawEpoch } from "../data/sampling.js";
import { formatTime } from "../data/time.js";
import { ALONE } from "../distributed/index.js";
import { AtmorepError, isAtmorepError } from "../errors.js";
import { cleanLeftovers, writeDirectoryAtomic, writeFileAtomic } from "../formats/atomic.js";
import { systemFault } from "../formats/systemFault.js";
import { createMaskStreams, getStrategy } from "../masking/index.js";
import type { Part } from "../parts.js";
import { fitBaselines } from "../prediction/baselines.js";
import { predictedInParts, predictPart } from "../prediction/inParts.js";
import type { PassContext, PassOptions } from "../prediction/pass.js";
import { predictTogether } from "../prediction/together.js";
import { storeNormalization } from "../results/storeNormalization.js";
import { assertFree, configPath, type RunFolder, runFolder } from "../runs/folder.js";
import { toldOnLine } from "../runs/toldOn.js";
import type { BaselineParams } from "../scores/index.js";
import { isPeriodic, scoresByTime } from "../scores/index.js";
import { assertAgreed } from "../training/agreement.js";
import { CALIBRATION_KEY, givenCalibration } from "./calibration.js";
import type { DrawPlan } from "./draws.js";
import { assertApart, opened, type Work } from "./open.js";
import { EvaluationOutput } from "./output.js";
import { assertAllParts, assertSameParts, beginParts, begunParts, seedsOf, withoutEngine } from "./parts.js";
import type { EvaluateRequest, Evaluation } from "./request.js";
import { rollout } from "./rollout.js";
import { datesOf, writeScoreTimes } from "./scoreTimes.js";
import { EvaluationScores, stepHours, unitsOf } from "./scoring.js";
import { NOT_PERIODIC, NOT_WHOLE, Spectra } from "./spectra.js";
import { WindowSpectra } from "./windowSpectra.js";

/**
 * Evaluates a run and writes `results/id<NEW>/`: configuration, result stores, `scores.json`. The run's own files are
 * only read.
 *
 * @throws AtmorepError (usage, config, input) before anything is written, (failed) if interrupted
 * @example const { scores } = await evaluate({ run: "ab12cd34@best", mode: "forecast" });
 */
export async function evaluate(request: EvaluateRequest): Promise<Evaluation> {
  return opened(request, async (work) => {
    const { communicator, facts } = work;
    await assertAgreed(communicator, "before the first batch", () => facts);
    const whole = communicator.rank === 0 ? await fillFolder(work) : null;
    if (whole === null) for await (const _ of batchesOf(work));
    return await communicator.broadcast(whole as Evaluation);
  });
}

/**
 * One part of an evaluation, for jobs that cannot talk to each other: its predictions are kept in
 * `results/id<NEW>.unfinished`, those of earlier calls are not made again, and `finaliseEvaluation` makes of all parts what
 * one process would have written.
 * @returns how many of the part's batches are kept: fewer than all if interrupted
 * @throws AtmorepError (usage) if other parts were asked for something else, or read other weights or data
 */
export async function evaluatePart(
  request: EvaluateRequest & { runId: string },
  part: Part,
): Promise<{ done: number; total: number; folder: string }> {
  const begun = await beginParts(runFolder(request.out ?? ".", request.runId).resultsDir, request, part.of);
  return opened(
    { ...request, communicator: ALONE },
    async (work) => {
      const { context, params, plan, cubes, facts } = work;
      assertApart(cubes, `part ${part.number} of ${part.of}`);
      await calibrationGiven(work);
      await assertSameParts(begun.folder, facts);
      const { folder } = begun;
      const kept = await predictPart(folder, part, context, params, plan.draws, passOptions(work), request.onProgress);
      return { ...kept, folder };
    },
    seedsOf(begun),
  );
}

/**
 * Makes of the parts of an evaluation what one process would have written.
 * @throws AtmorepError (usage) if parts are missing, or the run or its data are not those of the parts; (input) if a
 * prediction is damaged
 */
export async function finaliseEvaluation({
  runId,
  out = ".",
  ...told
}: Pick<EvaluateRequest, "out" | "signal" | "onProgress" | "onWarning"> & { runId: string }): Promise<Evaluation> {
  const begun = await begunParts(runFolder(out, runId).resultsDir);
  return opened(
    { ...begun.asked, ...told, out, runId },
    async (work) => {
      await assertSameParts(begun.folder, work.context.config.attention ? work.facts : withoutEngine(work.facts));
      await assertAllParts(begun, work.plan.draws.length);
      const whole = await fillFolder({ ...work, parts: begun.folder });
      await rm(begun.folder, { recursive: true, force: true });
      return whole;
    },
    seedsOf(begun),
  );
}

const fillFolder = (work: Work): Promise<Evaluation> =>
  inFolder(work.folder, (aside) => runPlan({ ...work, folder: aside }));

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

/** Batches with their predictions; in other processes than the first none, which share the work. */
function batchesOf(work: Work) {
  const { context, params, plan, communicator, parts } = work;
  if (parts !== null) return predictedInParts(parts, context, plan.draws, passOptions(work));
  return predictTogether(communicator, context, params, plan.draws, passOptions(work));
}

const passOptions = ({ request: { signal }, context: { config, fields }, told }: Work): PassOptions => ({
  streams: createMaskStreams(config, fields),
  split: told === "test" ? "test" : "validate",
  members: true,
  signal,
});

/** @throws AtmorepError if what is asked for cannot be read, or is of these times */
const calibrationGiven = async (work: Work) => {
  const { calibration, out = "." } = work.request;
  return calibration && (await givenCalibration(calibration, out, { mode: work.modeName, ...periodOf(work) }));
};

async function runPlan(work: Work): Promise<Evaluation> {
  const { request, context, params, plan, folder, run, modeName, cubes } = work;
  const { config, store, predicted } = context;
  const period = periodOf(work);
  const given = await calibrationGiven(work);
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
