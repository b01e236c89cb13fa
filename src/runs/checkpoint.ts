/**
 * The complete state of a run for exact continuation: one safetensors file each for `latest` and `best`, the
 * scalars as JSON in its metadata, a checksum over the tensors. A file is replaced in one rename, and the one before
 * is kept beside it until the next, so that the last good one always loads.
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { link, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { AtmorepError, isAtmorepError } from "../errors.js";
import { openSafetensors, writeSafetensors } from "../formats/safetensors.js";
import { bytesOf, type TensorSpec, toFloat32 } from "../formats/tensors.js";
import type { PlainParams } from "../model/types.js";

export type CheckpointKind = "latest" | "best";

/** What the console line averages over since the last one was printed. */
export interface ConsoleSums {
  /** lines printed in this epoch */
  printed: number;
  batches: number;
  total: number;
  mse: number;
}

export interface CheckpointState {
  format: 1;
  /** version of the program that wrote it */
  version: string;
  runId: string;
  /** optimiser steps done */
  step: number;
  epoch: number;
  /** next batch of the epoch; equal to their number when the epoch's validation comes next */
  batch: number;
  samples: number;
  /** rows of `metrics.jsonl` written when this was saved */
  metricsRows: number;
  /** least validation loss so far and the step it was reached at */
  best: { loss: number; step: number } | null;
  lastLoss: number | null;
  console: ConsoleSums;
  /** states of the training masks' generators */
  masking: unknown;
}

export interface Checkpoint {
  state: CheckpointState;
  params: PlainParams;
  /** first and second moments of AdamW by parameter name, and the number of updates */
  moments: { m: PlainParams; v: PlainParams; updates: number };
  /** averaged weights, if `ema_decay` is set */
  ema: PlainParams | null;
}

const GROUPS = ["param", "adam_m", "adam_v", "ema"] as const;

const fileOf = (dir: string, kind: CheckpointKind) => join(dir, `${kind}.safetensors`);
const formerOf = (dir: string, kind: CheckpointKind) => join(dir, `${kind}.previous.safetensors`);

/** Files that may hold the checkpoint `kind`: the newest and the one before it. */
export const checkpointFiles = (dir: string, kind: CheckpointKind): [newest: string, former: string] => [
  fileOf(dir, kind),
  formerOf(dir, kind),
];

/** Writes one checkpoint below `dir` (`models/id<ID>/checkpoint`), atomically. */
export async function saveCheckpoint(dir: string, kind: CheckpointKind, checkpoint: Checkpoint): Promise<string> {
  const { state, params, moments, ema } = checkpoint;
  const groups: Record<(typeof GROUPS)[number], PlainParams> = {
    param: params,
    adam_m: moments.m,
    adam_v: moments.v,
    ema: ema ?? new Map(),
  };
  const tensors: TensorSpec[] = [];
  const hash = createHash("sha256");
  for (const group of GROUPS) {
    for (const [name, { shape, data }] of groups[group]) {
      const bytes = bytesOf(data);
      hash.update(bytes);
      tensors.push({ name: `${group}.${name}`, dtype: "F32", shape, read: () => bytes });
    }
  }
  await mkdir(dir, { recursive: true });
  const path = fileOf(dir, kind);
  if (existsSync(path)) {
    await rm(formerOf(dir, kind), { force: true });
    // file systems without hard links go without the copy: the rename below is atomic all the same
    await link(path, formerOf(dir, kind)).catch(() => {});
  }
  await writeSafetensors(path, tensors, {
    metadata: { state: JSON.stringify({ ...state, updates: moments.updates }), sha256: hash.digest("hex") },
  });
  return path;
}

/**
 * Reads the checkpoint `kind` of a run; if the newest is damaged, the one before it.
 * @returns the checkpoint and, if the newest could not be used, why
 * @throws AtmorepError (usage) if there is none, (input) if none can be read
 */
export async function loadCheckpoint(
  dir: string,
  kind: CheckpointKind,
): Promise<Checkpoint & { path: string; warning: string | null }> {
  const candidates = checkpointFiles(dir, kind).filter((path) => existsSync(path));
  if (candidates.length === 0) {
    throw new AtmorepError("usage", `the run has no checkpoint "${kind}"`, {
      where: dir,
      fix: "Choose @latest or @best of a run that was trained here; --init-from takes weights alone.",
    });
  }
  let warning: string | null = null;
  for (const path of candidates) {
    try {
      return { ...(await readCheckpoint(path)), path, warning };
    } catch (error) {
      if (!isAtmorepError(error)) throw error;
      warning = `${error.message}; the checkpoint before it is used`;
    }
  }
  throw new AtmorepError("input", "no checkpoint of the run can be read", { where: dir, found: warning ?? undefined });
}

/** Reads one checkpoint file. @throws AtmorepError (input) if it is damaged */
export async function readCheckpoint(path: string): Promise<Checkpoint> {
  const file = await openSafetensors(path);
  try {
    const damaged = (what: string) =>
      new AtmorepError("input", what, { where: path, fix: "The file is damaged; use another checkpoint." });
    const groups = new Map<string, PlainParams>(GROUPS.map((group) => [group, new Map()]));
    const hash = createHash("sha256");
    for (const { name, shape } of file.tensors) {
      const dot = name.indexOf(".");
      const group = groups.get(name.slice(0, dot));
      if (!group) throw damaged(`unexpected tensor ${name}`);
      const tensor = await file.read(name);
      hash.update(tensor.bytes);
      group.set(name.slice(dot + 1), { shape, data: toFloat32(tensor) });
    }
    if (hash.digest("hex") !== file.metadata.get("sha256")) throw damaged("the checksum does not fit the data");
    let parsed: CheckpointState & { updates: number };
    try {
      parsed = JSON.parse(file.metadata.get("state") ?? "");
    } catch {
      throw damaged("the state is not JSON");
    }
    if (parsed.format !== 1) throw damaged(`format ${parsed.format} is not known here`);
    const { updates, ...state } = parsed;
    const [params, m, v, ema] = GROUPS.map((group) => groups.get(group) ?? new Map());
    return { state, params, moments: { m, v, updates }, ema: ema.size > 0 ? ema : null };
  } finally {
    await file.close();
  }
}
