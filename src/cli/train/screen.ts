/**
 * What a person sees of a training run: what is trained on and the baseline to beat, about a line a second, and a
 * last screen of at most 25 lines. Pure text; the command decides where it goes.
 */
import type { RunConfig } from "../../config/types.js";
import { gapLine } from "../../data/gaps.js";
import type { FieldSkill, FinishedEvent, Series, StartedEvent, StepEvent, ValidatedEvent } from "../../runs/events.js";
import { averagingLine, toldOnLine } from "../../runs/toldOn.js";
import { formatTable } from "../output.js";

/** 3 significant digits without exponent where possible. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (value === 0) return "0";
  const magnitude = Math.abs(value);
  if (magnitude >= 1000 || magnitude < 1e-3) return value.toExponential(2);
  return magnitude >= 100 ? value.toFixed(0) : magnitude >= 10 ? value.toFixed(1) : value.toFixed(3);
}

/** `1:05` or `1:02:03` */
export function clock(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor((seconds % 3600) / 60), seconds % 60];
  const pad = (n: number) => String(n).padStart(2, "0");
  return h > 0 ? `${h}:${pad(m)}:${pad(s)}` : `${m}:${pad(s)}`;
}

/** The rows that say how well a field is restored: for BERT its masked tokens, else all hidden ones. */
function mainRows(skill: readonly FieldSkill[]): FieldSkill[] {
  const masked = skill.filter(({ kind }) => kind === "masked");
  return masked.length > 0 ? masked : skill.filter(({ kind }) => kind === "all");
}

/** The baseline with the smallest error on a field, or null if there is none. */
function bestBaseline(skill: FieldSkill): { name: string; rmse: number } | null {
  const rows = Object.entries(skill.rmse).filter(([name]) => name !== "model");
  if (rows.length === 0) return null;
  const [name, rmse] = rows.reduce((a, b) => (b[1] < a[1] ? b : a));
  return { name, rmse };
}

/** What a row of scores is of: a field, or the tokens of one kind in it. */
const scored = ({ field, kind }: FieldSkill) => (kind === "all" ? field : `${field} (${kind})`);

const STRATEGY_TEXT: Record<string, string> = {
  BERT: "restore masked, noised and coarsened tokens",
  forecast: "forecast the last time tokens",
  temporal_interpolation: "fill hidden time tokens from the steps before and after",
};

/** What a run is about, known before its data are read. */
export function openingLines(config: RunConfig): string[] {
  const fields = config.fields.map((f) => `${f[0]} (${f[2].map((l) => (l === 0 ? "surface" : l)).join(", ")})`);
  return [
    "AtmoRep for TypeScript",
    `data      ${config.file_path}`,
    `fields    ${fields.join("; ")}`,
    `task      ${STRATEGY_TEXT[config.BERT_strategy] ?? config.BERT_strategy}`,
  ];
}

/** What the run will do and what it has to beat. */
export function startedLines(event: StartedEvent): string[] {
  const { config } = event;
  const lines = [
    `run       ${event.runId}`,
    `model     ${event.parameters.toLocaleString("en-US")} parameters, ${config.net_tail_num_nets} ensemble members; engine ${event.engine}`,
    ...(event.engineOffer ? [`faster    ${event.engineOffer}`] : []),
    `training  ${event.plannedSteps} steps of ${config.batch_size} samples; validation on ${event.validationSamples} samples`,
    `times     ${gapLine(event.times)}`,
    ...event.trackers.map((where) => `tracked   ${where}`),
  ];
  for (const skill of mainRows(event.baselines)) {
    const best = bestBaseline(skill);
    if (!best) continue;
    const others = Object.entries(skill.rmse)
      .filter(([name]) => name !== best.name)
      .map(([name, value]) => `${name} ${short(value)}`);
    lines.push(
      `to beat   ${scored(skill)}: ${best.name} ${short(best.rmse)} ${skill.unit}${others.length ? ` (${others.join(", ")})` : ""}`,
    );
  }
  return lines;
}

/** Each loss with its value for every field: `mse_ensemble 1.28/1.18`. */
function lossTerms(series: Series): string[] {
  const byLoss = new Map<string, string[]>();
  for (const [name, value] of Object.entries(series)) {
    const [loss, field] = name.split(", ");
    if (field === undefined || loss === "stddev") continue;
    byLoss.set(loss, [...(byLoss.get(loss) ?? []), short(value)]);
  }
  return [...byLoss].map(([loss, values]) => `${loss} ${values.join("/")}`);
}

/** One line of progress: step, each loss term, last validation beside the best baseline, time left. */
export function stepText(
  event: StepEvent,
  plannedSteps: number,
  skill: FieldSkill[],
  millisecondsLeft: number | null,
): string {
  const parts = [`step ${event.step}/${plannedSteps}`, `loss ${short(event.total)}`, ...lossTerms(event.series)];
  for (const s of mainRows(skill).slice(0, 2)) {
    if (s.rmse.model === undefined) continue;
    const best = bestBaseline(s);
    parts.push(`val ${short(s.rmse.model)} ${s.unit}${best ? ` (${best.name} ${short(best.rmse)})` : ""}`);
  }
  if (millisecondsLeft !== null) parts.push(`${clock(millisecondsLeft)} left`);
  return parts.join("  ");
}

/** A bar for a terminal: loss, time left, learning rate, samples/s, ms for data and compute, memory; cut at the width. */
export function progressBar(
  event: StepEvent,
  plannedSteps: number,
  samplesPerSecond: number,
  millisecondsLeft: number,
  columns: number,
): string {
  const width = 20;
  const done = Math.min(width, Math.floor((width * event.step) / Math.max(1, plannedSteps)));
  const text = [
    `[${"#".repeat(done)}${".".repeat(width - done)}] ${event.step}/${plannedSteps}`,
    `loss ${short(event.total)}`,
    `${clock(millisecondsLeft)} left`,
    `lr ${event.learningRate.toExponential(1)}`,
    `${samplesPerSecond.toFixed(1)} samples/s`,
    `data ${event.milliseconds.data.toFixed(0)} + compute ${event.milliseconds.compute.toFixed(0)} ms`,
    `${(event.rss / 2 ** 20).toFixed(0)} MiB`,
  ].join("  ");
  return text.slice(0, Math.max(20, columns - 1));
}

export function validatedText(event: ValidatedEvent): string {
  const parts = [`validation after step ${event.step}: mse ${short(event.loss)}${event.best ? " (best so far)" : ""}`];
  for (const s of mainRows(event.skill).slice(0, 3)) {
    if (s.rmse.model !== undefined) parts.push(`${scored(s)} ${short(s.rmse.model)} ${s.unit}`);
  }
  return parts.join("  ");
}

/** At most 25 lines: one table in physical units, one verdict, where the files lie, three commands to try. */
const MAX_ROWS = 8;

/** Baselines on the last screen, as far as it has room; `evaluate` lists them all. */
const MOST_BASELINES = 5;
const COLUMNS = 80;

/** The model, and the baselines that are best in the first field. */
function shownNames(rows: readonly FieldSkill[]): string[] {
  const all = [...new Set(rows.flatMap(({ rmse }) => Object.keys(rmse)))];
  const of = (name: string) => rows[0].rmse[name] ?? Number.POSITIVE_INFINITY;
  const best = all.filter((name) => name !== "model").sort((a, b) => of(a) - of(b));
  return [...all.filter((name) => name === "model"), ...best.slice(0, MOST_BASELINES)];
}

/** RMSE in physical units: a row each for fields and kinds of tokens, a column each for the model and what it is beside. */
function skillTable(skill: readonly FieldSkill[], split: string): string[] {
  for (let names = shownNames(skill); ; names = names.slice(0, -1)) {
    const head = [`${split} RMSE`, "unit", ...names];
    const rows = skill.map((s) => [
      s.kind === "all" ? s.field : `  ${s.kind}`,
      s.unit,
      ...names.map((n) => (s.rmse[n] === undefined ? "-" : short(s.rmse[n]))),
    ]);
    const numbers = names.map((_, i) => i + 2);
    const lines = formatTable([head, ...rows], numbers);
    if (names.length <= 2 || lines.every(({ length }) => length <= COLUMNS)) return lines;
  }
}

/** Which times the verdict is told on, and whether averaging the weights was of use. */
function toldLines({ toldOn, averaging }: Pick<FinishedEvent, "toldOn" | "averaging">): string[] {
  const lines = toldOn === null ? [] : [toldOnLine(toldOn)];
  return averaging === null ? lines : [...lines, averagingLine(averaging)];
}

export function finalLines(event: FinishedEvent, commands: readonly string[]): string[] {
  const lines: string[] = [];
  const reasons: Record<string, string> = {
    completed: "finished",
    "max-steps": "stopped at --max-steps",
    "max-time": "stopped at --max-time",
    interrupted: "interrupted; everything is saved",
  };
  lines.push(`Run ${event.runId} ${reasons[event.reason]} after step ${event.step}, ${clock(event.milliseconds)}`, "");
  const shown = event.skill.slice(0, MAX_ROWS);
  if (shown.length > 0) {
    lines.push(...skillTable(shown, event.toldOn === "test" ? "test" : "validation"));
    lines.push("", event.verdict ?? "Nothing was compared.", ...toldLines(event), "");
  }
  lines.push(`results  ${event.resultsDir}`, `models   ${event.modelsDir}`, "");
  lines.push("Try next:", ...commands.map((command) => `  ${command}`));
  return lines;
}
