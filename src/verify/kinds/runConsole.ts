/** A run's console and logged series: every line of the original comes out of our formatting, from its own numbers. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { readBounded, readJsonBounded } from "../../budgets.js";
import { predictedFields } from "../../config/fields.js";
import { consoleLines } from "../../config/text/files.js";
import type { RunConfig } from "../../config/types.js";
import { countParameters } from "../../model/parameters.js";
import { modelSpec } from "../../model/spec.js";
import { epochLine, finishedLine, lineIsDue, parametersLine, stepLine, validationLines } from "../../runs/console.js";
import {
  fieldLossSeries,
  GRADIENT_LOSS,
  isValidationSeries,
  spreadSeries,
  TRAINING_LOSS,
  termSeries,
  validationLossSeries,
} from "../../runs/series.js";
import { learningRates } from "../../step/schedule.js";
import { compareJson } from "../compare.js";
import type { Comparison, GoldenCase } from "../types.js";

type Row = Record<string, number>;

/** Lines about devices and arrays are not part of the form. */
const OTHER = /^(\['|self\.)/;
const STEP = /^epoch: (\d+) \[(\d+)\/(\d+) \(\d+%\)\]\tLoss: \S+ : \S+ :: (\S+) \((\S+) s\/sec\)$/;

export async function compareConsole(golden: GoldenCase): Promise<Comparison[]> {
  const path = join(golden.dir, "console.log");
  if (!existsSync(path)) return [];
  const config = golden.config as RunConfig;
  const theirs = (await readBounded(path))
    .toString("utf8")
    .split("\n")
    .filter((line) => line !== "" && !OTHER.test(line));
  const logged = join(golden.dir, "wandb_log.json");
  const rows: Row[] = existsSync(logged) ? ((await readJsonBounded(logged)) as Row[]) : [];
  const ours = ourLines(config, theirs, rows);
  const comparisons = theirs.map((line, i) => compareJson(`console.log: ${line.slice(0, 40)}`, ours[i] ?? null, line));
  if (ours.length !== theirs.length) comparisons.push(compareJson("console.log: lines", ours.length, theirs.length));
  return [...comparisons, ...compareSeries(config, rows)];
}

/** The whole log from the configuration and the logged series; only times, speeds and spreads are taken from the log. */
function ourLines(config: RunConfig, theirs: string[], rows: Row[]): string[] {
  const lines = [...consoleLines(config), parametersLine(countParameters(modelSpec(config)))];
  const rates = learningRates(config);
  const steps = theirs.map((line) => STEP.exec(line)).filter((match) => match !== null);
  const clocks = theirs.flatMap((line) => /(\d\d):(\d\d):(\d\d)/.exec(line)?.slice(1).map(Number) ?? []);
  const time = (i: number) => new Date(2000, 0, 1, clocks[3 * i], clocks[3 * i + 1], clocks[3 * i + 2]);
  const batches = Number(steps[0]?.[3] ?? 0);
  const remaining = [...rows];
  let printed = 0;
  let last = Number.NaN;
  for (let epoch = 0; epoch < config.num_epochs; epoch++) {
    lines.push(epochLine(epoch, time(epoch), config.batch_size, rates[epoch]));
    let ctr = 0;
    for (let k = 0; k < batches; k++) {
      if (!lineIsDue(k, config.batch_size, ctr)) continue;
      ctr++;
      const row = remaining.shift() ?? {};
      const [spread, samplesPerSecond] = (steps[printed++]?.slice(4) ?? []).map(Number);
      const [total, mse] = [row[GRADIENT_LOSS], row[TRAINING_LOSS]];
      lines.push(stepLine({ epoch, k, batches, total, mse, spread, samplesPerSecond }));
    }
    const row = remaining.shift() ?? {};
    last = row[validationLossSeries(config.BERT_strategy)];
    const fields = predictedFields(config).map(({ field: { name } }) => ({
      name,
      loss: row[fieldLossSeries(config.BERT_strategy, name)],
    }));
    lines.push(...validationLines(config.BERT_strategy, epoch, last, fields));
  }
  lines.push(finishedLine(time(config.num_epochs), last));
  return lines;
}

/** Names of the logged series. */
function compareSeries(config: RunConfig, rows: Row[]): Comparison[] {
  const fields = predictedFields(config).map(({ field }) => field.name);
  const training = [TRAINING_LOSS, GRADIENT_LOSS, ...fields.map(spreadSeries)];
  for (const loss of config.losses) training.push(...fields.map((name) => termSeries(loss, name)));
  const strategy = config.BERT_strategy;
  const validation = [validationLossSeries(strategy), ...fields.map((name) => fieldLossSeries(strategy, name))];
  return rows.map((row, i) => {
    const expected = Object.keys(row).some(isValidationSeries) ? validation : training;
    return compareJson(`wandb_log[${i}]`, expected.toSorted(), Object.keys(row).toSorted());
  });
}
