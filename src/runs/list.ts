/** The runs below a folder: what is known of each from its configuration and its metrics. */
import { existsSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { readJsonBounded } from "../budgets.js";
import { assertRunId, runIdsOf } from "../config/runId.js";
import type { RunConfig } from "../config/types.js";
import { AtmorepError } from "../errors.js";
import { type EndMark, readEndMark } from "./endMark.js";
import { configPath, type RunFolder, runFolder } from "./folder.js";
import { MetricsReader, type MetricsRow } from "./metrics.js";
import { validationLoss } from "./series.js";

/**
 * `completed`: its last epoch was validated. `stopped`: at a limit of steps or time. `interrupted`: by a signal, after
 * saving. `failed`: by an error. A run that does not say how it ended is `running` if its metrics changed within the
 * last two minutes, else `unfinished`: killed, or waiting for long. `evaluated`: an evaluation, which trains nothing.
 */
export type RunStatus =
  | "running"
  | "completed"
  | "stopped"
  | "interrupted"
  | "failed"
  | "unfinished"
  | "not started"
  | "evaluated";

const STATUS_OF_REASON: Record<EndMark["reason"], RunStatus> = {
  completed: "completed",
  "max-steps": "stopped",
  "max-time": "stopped",
  interrupted: "interrupted",
  failed: "failed",
};

export interface RunSummary {
  id: string;
  /** ISO 8601 of the first metrics row, or of the configuration file if there is none */
  date: string;
  strategy: string;
  fields: string[];
  /** optimiser steps done */
  steps: number;
  /** last validation loss (mean squared error of the mean prediction); null before the first validation */
  validationLoss: number | null;
  /** least validation loss so far */
  bestValidationLoss: number | null;
  status: RunStatus;
  /** damaged rows of its metrics, which are left out; null if there are none */
  metricsFault: string | null;
}

export interface RunDetails extends RunSummary {
  config: RunConfig;
  metrics: MetricsRow[];
  resultsDir: string;
  modelsDir: string;
  /** file names in both folders */
  files: { results: string[]; models: string[] };
}

const RUNNING_WITHIN_MS = 120_000;

/**
 * Every run below `out`, oldest first. Folders without a readable configuration are left out.
 * @param out the folder that holds `results/` and `models/`
 */
export async function listRuns(out: string): Promise<RunSummary[]> {
  const names = await readdir(join(out, "results")).catch(() => []);
  const runs = await Promise.all(runIdsOf(names).map((id) => readRun(out, id).catch(() => null)));
  return runs
    .filter((run) => run !== null)
    .map(
      ({ config: _config, metrics: _metrics, resultsDir: _results, modelsDir: _models, files: _files, ...summary }) =>
        summary,
    )
    .sort((a, b) => a.date.localeCompare(b.date) || a.id.localeCompare(b.id));
}

/**
 * One run.
 * @param reader of its metrics, by whoever reads the run again and again
 * @throws AtmorepError (usage) if there is no such run, (input) if its files cannot be read
 */
export async function readRun(out: string, id: string, reader?: MetricsReader): Promise<RunDetails> {
  assertRunId(id, "run");
  const folder = runFolder(out, id);
  const file = configFile(folder);
  if (!file) {
    throw new AtmorepError("usage", "there is no such run", {
      where: folder.resultsDir,
      fix: "List the runs with npx atmorep runs --out DIR, or listRuns(DIR) in a notebook; DIR holds results/ and models/.",
    });
  }
  const config = await readJson(file);
  const { rows: metrics, fault } = await (reader ?? new MetricsReader(folder.metrics)).read();
  const losses = metrics.map(validationLoss).filter((loss) => loss !== null);
  return {
    id,
    date: metrics[0]?.time ?? (await stat(file)).mtime.toISOString(),
    strategy: String(config.BERT_strategy),
    fields: config.fields.map(([name]) => name),
    steps: metrics.reduce((most, row) => Math.max(most, row.step), 0),
    validationLoss: losses.at(-1) ?? null,
    bestValidationLoss: losses.length > 0 ? Math.min(...losses) : null,
    status: await statusOf(folder, config, metrics),
    metricsFault: fault,
    config,
    metrics,
    resultsDir: folder.resultsDir,
    modelsDir: folder.modelsDir,
    files: { results: await filesIn(folder.resultsDir), models: await filesIn(folder.modelsDir) },
  };
}

function configFile({ id, resultsDir, modelsDir }: RunFolder): string | undefined {
  return [resultsDir, modelsDir].map((dir) => configPath(dir, id)).find((path) => existsSync(path));
}

async function readJson(path: string): Promise<RunConfig> {
  try {
    const config = (await readJsonBounded(path)) as RunConfig;
    if (Array.isArray(config?.fields) && config.fields.every(Array.isArray)) return config;
    throw new AtmorepError("input", "it names no fields", { where: path });
  } catch (cause) {
    const found = (cause as Error).message;
    throw new AtmorepError("input", "the run's configuration cannot be read", { where: path, found, cause });
  }
}

async function statusOf(folder: RunFolder, config: RunConfig, metrics: MetricsRow[]): Promise<RunStatus> {
  const mark = await readEndMark(folder);
  if (mark) return STATUS_OF_REASON[mark.reason];
  const last = metrics.at(-1);
  if (!last) return existsSync(join(folder.resultsDir, "scores.json")) ? "evaluated" : "not started";
  if (validationLoss(last) !== null && last.epoch >= config.num_epochs - 1) return "completed";
  const changed = await stat(folder.metrics);
  return Date.now() - changed.mtimeMs < RUNNING_WITHIN_MS ? "running" : "unfinished";
}

async function filesIn(dir: string): Promise<string[]> {
  return (await readdir(dir).catch(() => [])).sort();
}
