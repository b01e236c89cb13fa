/** Running a run again, in a folder aside, and comparing step by step and bit by bit. */
import { existsSync } from "node:fs";
import { mkdir, readdir, symlink } from "node:fs/promises";
import { join, resolve } from "node:path";
import { parseFields } from "../config/fields.js";
import { locateConfig } from "../config/locate.js";
import { resolveConfig } from "../config/resolve.js";
import type { RunConfig } from "../config/types.js";
import { AtmorepError } from "../errors.js";
import { withScratch } from "../formats/atomic.js";
import type { PlainParams } from "../model/types.js";
import { type Checkpoint, loadCheckpoint } from "../runs/checkpoint.js";
import { epochOf } from "../runs/digests.js";
import type { TrainEvent } from "../runs/events.js";
import { parseRunReference, type RunFolder, runFolder } from "../runs/folder.js";
import { readRun } from "../runs/list.js";
import { type MetricsRow, readMetrics } from "../runs/metrics.js";
import { type ProvenanceSession, readProvenance, TOLD_VARIABLES } from "../runs/provenance.js";
import { readWeights, weightPath } from "../runs/weightFiles.js";
import type { TrainOptions } from "./options.js";
import { train } from "./train.js";

export interface Reproduction {
  id: string;
  /** optimiser steps compared */
  steps: number;
  equal: boolean;
  /** the first row of the metrics that differs; null if none does */
  row: { step: number; series: string; found: unknown; expected: unknown } | null;
  /** the first tensor that differs of the earliest file that has one; null if none does */
  tensor: { file: string; step: number | null; name: string } | null;
  /** what was not as it was when the run was made */
  otherwise: string[];
  /** of processes that trained it together; this one takes the batches of all of them to a step, which gives the same bits */
  processes: number;
}

/**
 * Trains run `id` again, as far as its latest checkpoint, and compares rows of metrics, numbered weights and the whole
 * state. The environment's variables that change what is computed are set as they were. What several processes trained
 * together is trained in this one, with as many batches to a step.
 * @throws AtmorepError (usage, input) if the run does not tell what made it, what it started from is gone, or several
 *   processes trained it in a way that one cannot; as `train`
 */
export async function reproduceRun(
  out: string,
  id: string,
  { signal, onEvent }: { signal?: AbortSignal; onEvent?: (event: TrainEvent) => void } = {},
): Promise<Reproduction> {
  const folder = runFolder(out, id);
  const { metrics } = await readRun(out, id);
  const { config: own, folder: base } = resolveConfig({ file: locateConfig(id, out) });
  const sessions = await readProvenance(folder);
  const processes = processesOf(id, sessions, own);
  // a second run of the same name is nothing that trackers should have
  const untracked = { trackers: [], with_wandb: false };
  const config: RunConfig = { ...own, ...untracked, grad_accumulation: own.grad_accumulation * processes };
  const original = await loadCheckpoint(folder.checkpointDir, "latest");
  const { step, epoch, metricsRows } = original.state;
  return withScratch("reproduce", async (scratch) => {
    await bringOrigins(out, scratch, config, sessions);
    restoreEnvironment(sessions[0].environment);
    const options: TrainOptions = {
      ...(await startOf(out, sessions[0])),
      out: scratch,
      folder: base,
      runId: id,
      engine: sessions[0].engine as TrainOptions["engine"],
      maxSteps: epoch >= config.num_epochs ? undefined : step,
      signal,
    };
    for await (const event of train(config, options)) onEvent?.(event);
    if (signal?.aborted) throw new AtmorepError("failed", "the run was not reproduced: it was stopped", { where: id });
    const again = runFolder(scratch, id);
    const row = firstRow(metrics.slice(0, metricsRows), await readMetrics(again.metrics));
    const tensor = await firstTensor(folder, again, original);
    const [now] = await readProvenance(again);
    return { id, steps: step, equal: !row && !tensor, row, tensor, otherwise: changes(sessions, now), processes };
  });
}

/** How many trained it together, all the time, if one process can do the same. */
function processesOf(id: string, sessions: readonly ProvenanceSession[], config: RunConfig): number {
  if (sessions.length === 0) {
    throw new AtmorepError("usage", "the run does not tell what made it: an earlier version of the program did", {
      where: id,
      fix: `Train with its configuration and compare: npx atmorep train models/id${id}/model_id${id}.json`,
    });
  }
  const numbers = [...new Set(sessions.map(({ processes }) => processes))];
  const fix = "Train it as it was trained, under another id, and compare: npx atmorep runs compare";
  if (numbers.length > 1) {
    throw new AtmorepError("usage", "the run was trained by one number of processes and went on with another", {
      where: id,
      found: numbers.join(", then "),
      fix,
    });
  }
  const [processes] = numbers;
  // the library adds up in an order of its own
  if (processes > 1 && config.reduction === "fast") {
    throw new AtmorepError("usage", `${processes} processes trained it with a sum of the library's`, {
      where: id,
      found: "reduction = fast",
      fix,
    });
  }
  return processes;
}

/** How the run began: from nothing, from weights, or where another run stood. */
async function startOf(out: string, first: ProvenanceSession): Promise<Partial<TrainOptions>> {
  const { parent, startedFrom, options } = first;
  if (!parent) {
    const { initFrom, ...rest } = options;
    if (initFrom === undefined) return rest;
    const [origin] = startedFrom.filter(({ of }) => of === "initFrom");
    return { ...rest, initFrom: origin.name };
  }
  const { checkpointDir } = runFolder(out, parent.runId);
  for (const kind of ["latest", "best"] as const) {
    const there = await loadCheckpoint(checkpointDir, kind).catch(() => null);
    if (there?.state.step === parent.step && there.fault === null) {
      return { overfit: options.overfit, continue: `${parent.runId}@${kind}` };
    }
  }
  throw new AtmorepError("input", "the state that the run went on from is gone", {
    where: checkpointDir,
    expected: `a checkpoint of step ${parent.step}`,
    fix: `Reproduce the run that it went on from as far as that step, with --max-steps ${parent.step}.`,
  });
}

/** What the run was made from, where the run that is made again looks for it. */
async function bringOrigins(out: string, scratch: string, config: RunConfig, sessions: readonly ProvenanceSession[]) {
  const ids = new Set(
    [
      sessions[0].parent?.runId,
      ...sessions[0].startedFrom.map(({ runId }) => runId),
      ...parseFields(config).map(({ pretrained }) => pretrained?.runId),
    ].filter((id) => typeof id === "string"),
  );
  for (const home of ["results", "models"]) {
    await mkdir(join(scratch, home), { recursive: true });
    for (const id of ids) {
      const from = resolve(out, home, `id${parseRunReference(id).id}`);
      if (existsSync(from)) await symlink(from, join(scratch, home, `id${id}`), "dir");
    }
  }
}

function restoreEnvironment(environment: Record<string, string>): void {
  for (const name of TOLD_VARIABLES) {
    if (environment[name] === undefined) delete process.env[name];
    else process.env[name] = String(environment[name]);
  }
}

/** The first row, and the first of its series, that is not the same; times aside. */
function firstRow(expected: readonly MetricsRow[], found: readonly MetricsRow[]): Reproduction["row"] {
  for (const [i, row] of expected.entries()) {
    const other: Record<string, unknown> = found[i] ?? {};
    for (const [series, value] of Object.entries(row)) {
      if (series === "time" || Object.is(other[series], value)) continue;
      return { step: row.step, series, found: other[series], expected: value };
    }
  }
  return null;
}

async function firstTensor(one: RunFolder, other: RunFolder, original: Checkpoint): Promise<Reproduction["tensor"]> {
  const names = await readdir(one.modelsDir);
  const epochs = names.map((name) => (name === `AtmoRep_id${one.id}_epoch${epochOf(name)}.mod` ? epochOf(name) : null));
  for (const epoch of epochs.filter((of) => of !== null).sort((a, b) => a - b)) {
    const [path, again] = [one, other].map(({ modelsDir, id }) => weightPath(modelsDir, id, epoch));
    if (!existsSync(again)) continue;
    const name = firstOf(await readWeights(path), await readWeights(again));
    if (name) return { file: path, step: null, name };
  }
  const again = await loadCheckpoint(other.checkpointDir, "latest");
  const groups = (of: Checkpoint) =>
    ({ param: of.params, adam_m: of.moments.m, adam_v: of.moments.v, ema: of.ema ?? new Map() }) as const;
  const [a, b] = [groups(original), groups(again)];
  for (const group of ["param", "adam_m", "adam_v", "ema"] as const) {
    const name = firstOf(a[group], b[group]);
    if (name) return { file: one.checkpointDir, step: original.state.step, name: `${group}.${name}` };
  }
  return null;
}

/** The first tensor whose bits differ, or that only one of both has. */
function firstOf(one: PlainParams, other: PlainParams): string | null {
  const bytes = ({ buffer, byteOffset, byteLength }: Float32Array) => Buffer.from(buffer, byteOffset, byteLength);
  for (const [name, { data }] of one) {
    const found = other.get(name)?.data;
    if (!found || !bytes(data).equals(bytes(found))) return name;
  }
  return [...other.keys()].find((name) => !one.has(name)) ?? null;
}

/** What is otherwise than when the run was made, and changes between the processes that made it. */
function changes(sessions: readonly ProvenanceSession[], now: ProvenanceSession): string[] {
  const [first] = sessions;
  const told: string[] = [];
  for (const key of ["version", "engine", "kernels", "products", "processor", "node", "platform"] as const) {
    if (first[key] !== now[key]) told.push(`${key}: ${now[key]}, then ${first[key]}`);
  }
  if (first.code?.commit !== now.code?.commit) {
    told.push(`commit of your code: ${now.code?.commit ?? "none"}, then ${first.code?.commit ?? "none"}`);
  }
  if (now.code?.changed || first.code?.changed) told.push("your code had changes that were not committed");
  for (const key of ["metadata", "view"] as const) {
    if (first.data?.[key] !== now.data[key]) told.push(`the data: ${key} ${now.data[key]}, then ${first.data?.[key]}`);
  }
  for (const { config, step } of sessions.slice(1)) {
    if (config !== first.config) told.push(`the configuration was changed when the run went on at step ${step}`);
  }
  for (const { of, name, sha256 } of first.startedFrom) {
    const found = now.startedFrom.find((origin) => origin.of === of)?.sha256;
    if (found !== sha256) told.push(`${name}: SHA-256 ${found}, then ${sha256}`);
  }
  return told;
}
