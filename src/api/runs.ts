/** Training, and the runs that it leaves. */
import type { Plan } from "../checks/plan.js";
import type { RunConfig } from "../config/types.js";
import type { ReportOptions } from "../notebook/report/runReport.js";
import type { BaselineOptions } from "../prediction/baselines.js";
import type { RunComparison } from "../runs/compare.js";
import type { FieldSkill, FinishedEvent, TrainEvent } from "../runs/events.js";
import type { RunDetails, RunSummary } from "../runs/list.js";
import { type RunReference, runPlace } from "../runs/locate.js";
import type { TrainOptions } from "../training/options.js";

/**
 * Trains a model as a stream of events; the files of the run are written meanwhile. Interrupting the notebook cell that
 * trains, or leaving the loop, saves a checkpoint: `train(config, { continue: runId })` goes on from it.
 * @throws AtmorepError (config, usage, input) before anything is written; (failed) while running
 * @example for await (const event of train(config, { maxSteps: 100 })) if (event.type === "step") console.log(event.total);
 */
export async function* train(config: RunConfig, options: TrainOptions = {}): AsyncGenerator<TrainEvent, FinishedEvent> {
  const { train: events } = await import("../training/train.js");
  return yield* events(config, { ...options, signal: options.signal ?? cellSignal() });
}

/** Aborts when the notebook cell at work is interrupted; undefined outside notebooks. */
function cellSignal(): AbortSignal | undefined {
  return (globalThis as { jupyter?: { signal?: AbortSignal } }).jupyter?.signal;
}

/**
 * Scores of the simple baselines (persistence, climatology, linear interpolation, ...) on the validation points of a
 * configuration, before any training: one row a predicted field. Writes nothing.
 * @throws AtmorepError (config, input) as `train`
 * @example (await baselines(config))[0].rmse.persistence;
 */
export async function baselines(config: RunConfig, options: BaselineOptions = {}): Promise<FieldSkill[]> {
  return (await import("../prediction/baselines.js")).scoreBaselines(config, options);
}

/**
 * What a run would do and need, without writing anything.
 * @throws AtmorepError (config, input) as `train`
 * @example const { parameters, steps, memory } = await planRun(config);
 */
export async function planRun(config: RunConfig, options: TrainOptions = {}): Promise<Plan> {
  return (await import("../checks/plan.js")).planRun(config, options);
}

/**
 * Every run below a folder, oldest first.
 * @example (await listRuns(".")).map(({ id, validationLoss }) => [id, validationLoss]);
 */
export async function listRuns(out = "."): Promise<RunSummary[]> {
  return (await import("../runs/list.js")).listRuns(out);
}

/**
 * One run: configuration, metrics, files.
 * @throws AtmorepError (usage) if there is no such run
 * @example const { config, steps } = await readRun("ab12cd34");
 */
export async function readRun(run: RunReference, out?: string): Promise<RunDetails> {
  const place = runPlace(run, out);
  return (await import("../runs/list.js")).readRun(place.out, place.id);
}

/**
 * Validation curves of runs and the keys that their configurations differ in.
 * @throws AtmorepError (usage) for fewer than two runs or unknown ones
 * @example const { curves, differences } = await compareRuns(["ab12cd34", "ef56gh78"]);
 */
export async function compareRuns(runs: readonly RunReference[], out?: string): Promise<RunComparison> {
  const places = runs.map((run) => runPlace(run, out));
  const { compareRuns: compare } = await import("../runs/compare.js");
  return compare(
    places[0]?.out ?? ".",
    places.map(({ id }) => id),
  );
}

/**
 * A run or an evaluation as one HTML page that needs no other file: verdict, scores with intervals, losses with baselines, samples, ranks,
 * spectra, masks, configuration, what made it.
 * @param options `against` another run, `samples` to draw, `data: false` to leave the data closed
 * @throws AtmorepError (usage) if there is no such run, (input) if an evaluation's scores cannot be read
 * @example await writeFile("report.html", await runReport("ab12cd34"));
 */
export async function runReport(
  run: RunReference,
  out?: string,
  options: Omit<ReportOptions, "out"> = {},
): Promise<string> {
  return (await import("../notebook/report/report.js")).reportHtml(run, { ...options, out });
}

/**
 * Several runs or evaluations side by side as one HTML page that needs no other file: verdicts, score card, losses, what differs.
 * @throws AtmorepError (usage) for fewer than two runs or unknown ones
 * @example await writeFile("page.html", await compareReport(["ab12cd34", "ef56gh78"]));
 */
export async function compareReport(runs: readonly RunReference[], out?: string): Promise<string> {
  return (await import("../notebook/report/compareReport.js")).compareReport(runs, out);
}

/** The rows of a run's `metrics.jsonl` as a table. Example: `(await metrics("ab12cd34")).columnNames()`. */
export { metrics } from "../runs/metricsTable.js";
