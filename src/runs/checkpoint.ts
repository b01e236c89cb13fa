/**
 * The complete state of a run for exact continuation: one safetensors file each for `latest` and `best`, the
 * scalars as JSON in its metadata, a digest over every byte. A file is replaced in one rename, and the one before
 * is kept beside it until the next, so that the last good one always loads.
 */
import { existsSync } from "node:fs";
import { link, rm } from "node:fs/promises";
import { join } from "node:path";
import { AtmorepError, isAtmorepError } from "../errors.js";
import { makeFolder } from "../formats/atomic.js";
import { openSafetensors, verifySafetensors, writeSafetensors } from "../formats/safetensors.js";
import { bytesOf, type TensorSpec, toFloat32 } from "../formats/tensors.js";
import type { PlainParams } from "../model/types.js";
import { type CheckpointState, parseState, readFormat1 } from "./checkpointState.js";
import type { StoredProvenance } from "./provenance.js";

export type CheckpointKind = "latest" | "best";

export interface Checkpoint {
  state: CheckpointState;
  params: PlainParams;
  /** first and second moments of AdamW by parameter name, and the number of updates */
  moments: { m: PlainParams; v: PlainParams; updates: number };
  /** averaged weights, if `ema_decay` is set */
  ema: PlainParams | null;
  /** what made the run; null in checkpoints of versions before 0.3 */
  provenance: StoredProvenance | null;
}

/** Tensors by name, for a file: with their numbers, or how to get them once their turn comes, in the order of the file. */
export type WrittenParams = ReadonlyMap<
  string,
  { shape: number[]; data: Float32Array | (() => Promise<Float32Array>) }
>;

export interface WrittenCheckpoint extends Omit<Checkpoint, "params" | "moments" | "ema"> {
  params: WrittenParams;
  moments: { m: WrittenParams; v: WrittenParams; updates: number };
  ema: WrittenParams | null;
}

export type { CheckpointState, ConsoleSums, MadeBy } from "./checkpointState.js";

const GROUPS = ["param", "adam_m", "adam_v", "ema"] as const;

const fileOf = (dir: string, kind: CheckpointKind) => join(dir, `${kind}.safetensors`);
const formerOf = (dir: string, kind: CheckpointKind) => join(dir, `${kind}.previous.safetensors`);

/** Files that may hold the checkpoint `kind`: the newest and the one before it. */
export const checkpointFiles = (dir: string, kind: CheckpointKind): [newest: string, former: string] => [
  fileOf(dir, kind),
  formerOf(dir, kind),
];

/** Those of them that are there. */
export const presentCheckpoints = (dir: string, kind: CheckpointKind): string[] =>
  checkpointFiles(dir, kind).filter((path) => existsSync(path));

/**
 * Writes one checkpoint below `dir` (`models/id<ID>/checkpoint`), atomically, tensor by tensor: parameters, first and second moments,
 * averages.
 */
export async function saveCheckpoint(
  dir: string,
  kind: CheckpointKind,
  checkpoint: WrittenCheckpoint,
): Promise<string> {
  const { state, params, moments, ema, provenance } = checkpoint;
  const groups: Record<(typeof GROUPS)[number], WrittenParams> = {
    param: params,
    adam_m: moments.m,
    adam_v: moments.v,
    ema: ema ?? new Map(),
  };
  const tensors: TensorSpec[] = [];
  for (const group of GROUPS) {
    for (const [name, { shape, data }] of groups[group]) {
      const read = async () => bytesOf(typeof data === "function" ? await data() : data);
      tensors.push({ name: `${group}.${name}`, dtype: "F32", shape, read });
    }
  }
  await makeFolder(dir);
  const path = fileOf(dir, kind);
  if (existsSync(path)) {
    await rm(formerOf(dir, kind), { force: true });
    // file systems without hard links go without the copy: the rename below is atomic all the same
    await link(path, formerOf(dir, kind)).catch(() => {});
  }
  await writeSafetensors(path, tensors, {
    metadata: {
      state: JSON.stringify({ ...state, updates: moments.updates }),
      ...(provenance && { provenance: JSON.stringify(provenance) }),
    },
    digest: true,
  });
  return path;
}

/** A checkpoint, the file it was read from, and what went wrong with a newer one. */
export interface LoadedCheckpoint extends Checkpoint {
  path: string;
  /** why the newest was not used, naming the file; null if it was */
  fault: string | null;
}

/**
 * Reads the checkpoint `kind` of a run; if there is any fault in the newest, the one before it.
 * @throws AtmorepError (usage) if there is none, (input) if none can be read
 */
export async function loadCheckpoint(dir: string, kind: CheckpointKind): Promise<LoadedCheckpoint> {
  const candidates = presentCheckpoints(dir, kind);
  if (candidates.length === 0) {
    throw new AtmorepError("usage", `the run has no checkpoint "${kind}"`, {
      where: dir,
      fix: "Choose @latest or @best of a run that was trained here; --init-from takes weights alone.",
    });
  }
  const faults: string[] = [];
  for (const path of candidates) {
    try {
      return { ...(await readCheckpoint(path)), path, fault: faults[0] ?? null };
    } catch (error) {
      faults.push(isAtmorepError(error) ? error.message : `${path}: ${String((error as Error).message)}`);
    }
  }
  throw new AtmorepError("input", "no checkpoint of the run can be read", {
    where: dir,
    found: faults.join("; "),
    fix: "Choose the other one, RUN@best or RUN@latest; --init-from takes the weights of an epoch alone.",
  });
}

/**
 * Reads one checkpoint file, its digest first. Those of version 0.1 (format 1), which have a checksum over the tensors
 * alone, are read too.
 * @throws AtmorepError (input) if it is damaged
 */
export async function readCheckpoint(path: string): Promise<Checkpoint> {
  const whole = await verifySafetensors(path);
  const file = await openSafetensors(path);
  try {
    const groups = new Map<string, PlainParams>(GROUPS.map((group) => [group, new Map()]));
    const read: Uint8Array[] = [];
    for (const { name, shape } of file.tensors) {
      const dot = name.indexOf(".");
      const group = groups.get(name.slice(0, dot));
      if (!group) throw damaged(path, `unexpected tensor ${name}`);
      const tensor = await file.read(name);
      read.push(tensor.bytes);
      group.set(name.slice(dot + 1), { shape, data: toFloat32(tensor) });
    }
    const text = file.metadata.get("state") ?? "";
    const parsed = whole ? parseState(text) : readFormat1(text, read, file.metadata.get("sha256"));
    if (typeof parsed === "string") throw damaged(path, parsed);
    const { updates, ...state } = parsed;
    const [params, m, v, ema] = GROUPS.map((group) => groups.get(group) ?? new Map());
    const provenance = parseProvenance(file.metadata.get("provenance"));
    return { state, params, moments: { m, v, updates }, ema: ema.size > 0 ? ema : null, provenance };
  } finally {
    await file.close();
  }
}

/** How far the newest "latest" has come by its own words, for which `isWholeLatest` vouches; null if there is none. */
export async function readProgress(dir: string): Promise<Pick<CheckpointState, "epoch" | "step" | "batch"> | null> {
  const [path] = presentCheckpoints(dir, "latest");
  const file = path === undefined ? null : await openSafetensors(path).catch(() => null);
  if (file === null) return null;
  try {
    const state = parseState(file.metadata.get("state") ?? "");
    return typeof state === "string" ? null : state;
  } finally {
    await file.close();
  }
}

/** Whether the newest "latest" has the digest that it names. */
export async function isWholeLatest(dir: string): Promise<boolean> {
  const [path] = presentCheckpoints(dir, "latest");
  return path !== undefined && (await verifySafetensors(path).catch(() => false));
}

/** It is told and nothing depends on it; the digest vouches for it. */
function parseProvenance(text: string | undefined): StoredProvenance | null {
  try {
    return text === undefined ? null : JSON.parse(text);
  } catch {
    return null;
  }
}

const damaged = (path: string, what: string): AtmorepError =>
  new AtmorepError("input", what, { where: path, fix: "The file is damaged; use another checkpoint." });
