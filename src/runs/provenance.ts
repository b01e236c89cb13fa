/**
 * What made a run. `.atmorep/id<ID>/provenance.json`, beside `results/` and `models/`, has an entry for each time that a process
 * took the run up; what does not differ between two calls of the same run also stands in its checkpoints.
 * `.atmorep/id<ID>/reads.json` has a digest of everything that was read of the data. Both tell clocks, commands and what was read
 * ahead: in the folders of the run two calls leave the same bytes.
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { AtmorepError } from "../errors.js";
import { writeFileAtomic } from "../formats/atomic.js";
import type { RunFolder } from "./folder.js";

/** Where weights come from that a run starts from. */
export interface Origin {
  /** `initFrom`, or the field that was trained before */
  of: string;
  /** null for a file that belongs to no run here */
  runId: string | null;
  /** as it was named */
  name: string;
  /** of the weights file; null where parts of the weights were read */
  sha256: string | null;
}

/** The data of a run. */
export interface DataOrigin {
  /** with the snapshot of an Icechunk repository */
  location: string;
  /** of the metadata of a Zarr store; null for a view of other files, and of an Icechunk repository */
  metadata: string | null;
  /** of the files of a view, with their mapping; null for a store */
  view: string | null;
  /** normalisation that stands beside the source, and the digest of its metadata */
  statistics: { location: string; metadata: string } | null;
}

/** What made a run, whoever made it. */
export interface Provenance {
  /** of the program */
  version: string;
  /** `native` or `wasm` */
  engine: string;
  /** kernels of our own, in words; null where the engine has none */
  kernels: string | null;
  /** precision of the products */
  products: string;
  /** its model */
  processor: string;
  seeds: { torch_seed: unknown; rng_seed: unknown };
  /** commit of the user's code: of the repository that the process was started in, if it was one */
  code: { commit: string; changed: boolean } | null;
  data: DataOrigin;
  /** the run that it goes on from under another id */
  parent: { runId: string; step: number } | null;
  startedFrom: Origin[];
}

/**
 * Of that what stands in checkpoints: nothing that depends on where a run was made, so that the same run leaves the same bytes
 * in a notebook, on the command line and on another machine.
 */
export interface StoredProvenance extends Omit<Provenance, "processor" | "code" | "data"> {
  data: { metadata: string | null; view: string | null; snapshot: string | null; statistics: string | null };
}

/** @param snapshot of an Icechunk repository, or null */
export function toStore({ processor, code, data, ...rest }: Provenance, snapshot: string | null): StoredProvenance {
  const { metadata, view, statistics } = data;
  return { ...rest, data: { metadata, view, snapshot, statistics: statistics?.metadata ?? null } };
}

/** One process (or several that trained together) at a run. */
export interface ProvenanceSession extends Provenance {
  /** UTC */
  began: string;
  /** optimiser steps done before */
  step: number;
  /** SHA-256 of the configuration, but for what each process has of its own */
  config: string;
  node: string;
  platform: string;
  /** the engine in words, with its threads */
  description: string;
  processes: number;
  /** arguments of the command line; null in a notebook or a program */
  command: string[] | null;
  /** variables of the environment that change what is computed, or how */
  environment: Record<string, string>;
  /** options that are not part of the configuration */
  options: { initFrom?: string; acceptMissing?: boolean; acceptUnexpected?: boolean; overfit?: number };
}

/** `ATMOREP_` variables that change what is computed, or how. */
export const TOLD_VARIABLES = [
  "ATMOREP_THREADS",
  "ATMOREP_KERNELS",
  "ATMOREP_COMPILE",
  "ATMOREP_PRODUCTS",
  "OMP_NUM_THREADS",
] as const;

/** What was read: SHA-256 by key and place; `absent` for a file that was looked for and is not there. */
export type ReadList = Record<string, Record<string, string>>;

const FILE = "provenance.json";
/** `.atmorep/id<ID>` of a run whose weights stand in `models/id<ID>`. */
export const madeOfDir = ({ modelsDir }: Pick<RunFolder, "modelsDir">): string =>
  join(dirname(dirname(resolve(modelsDir))), ".atmorep", basename(modelsDir));
export const provenancePath = (folder: Pick<RunFolder, "modelsDir">): string => join(madeOfDir(folder), FILE);
export const readsPath = (folder: Pick<RunFolder, "modelsDir">): string => join(madeOfDir(folder), "reads.json");

/**
 * The entries of a run, oldest first; none for a run that does not tell (of version 0.1 and 0.2).
 * @throws AtmorepError (input) if the file is damaged
 */
export async function readProvenance(folder: Pick<RunFolder, "modelsDir">): Promise<ProvenanceSession[]> {
  const path = provenancePath(folder);
  if (!existsSync(path)) return [];
  const { format, sessions } = (await readObject(path)) as { format?: unknown; sessions?: unknown };
  if (format === 1 && Array.isArray(sessions) && sessions.every(isSession)) return sessions as ProvenanceSession[];
  throw damaged(path);
}

/** Adds an entry: the first of a new run, a further one of a run that is continued in place. */
export async function addProvenance(folder: RunFolder, session: ProvenanceSession): Promise<void> {
  // a damaged list ends no training: what is lost is told by `runs verify`, which saw it before
  const before = await readProvenance(folder).catch(() => []);
  const sessions = [...before, session].map((entry) => JSON.stringify(entry));
  await writeFileAtomic(provenancePath(folder), `{"format": 1, "sessions": [\n${sessions.join(",\n")}\n]}\n`);
}

/** The file that tells what made a run, as it stands, by a weights file of the run; null if there is none. */
export async function provenanceBeside(weights: string): Promise<string | null> {
  const path = provenancePath({ modelsDir: dirname(weights) });
  return existsSync(path) ? (await readFile(path, "utf8")).replaceAll("\n", "") : null;
}

/**
 * What was read of the data; nothing for a run that does not tell.
 * @throws AtmorepError (input) if the file is damaged
 */
export async function readReads(folder: Pick<RunFolder, "modelsDir">): Promise<ReadList> {
  const path = readsPath(folder);
  if (!existsSync(path)) return {};
  const { format, places, digest } = (await readObject(path)) as Record<string, unknown>;
  if (format === 1 && isRecord(places) && Object.values(places).every(isDigests)) {
    const list = places as ReadList;
    if (digest === digestOfReads(list)) return list;
  }
  throw damaged(path);
}

/** Adds what has been read to the list of a run. A key that is there already keeps the newer digest. */
export async function addReads(folder: RunFolder, read: ReadList): Promise<void> {
  const before = await readReads(folder).catch(() => ({}) as ReadList);
  const places = [...new Set([...Object.keys(before), ...Object.keys(read)])].sort();
  const merged = Object.fromEntries(places.map((place) => [place, sorted({ ...before[place], ...read[place] })]));
  const body = JSON.stringify({ format: 1, digest: digestOfReads(merged), places: merged }, null, 1);
  await writeFileAtomic(readsPath(folder), `${body}\n`);
}

/** One digest of everything that was read. */
export const digestOfReads = (read: ReadList): string =>
  sha256Lines(
    Object.entries(read).flatMap(([place, keys]) =>
      Object.entries(keys).map(([key, digest]) => `${place}\n${key}\n${digest}`),
    ),
  );

/** SHA-256 of lines, whatever their order. */
export const sha256Lines = (lines: readonly string[]): string =>
  createHash("sha256")
    .update([...lines].sort().join("\n"))
    .digest("hex");

const sorted = (keys: Record<string, string>) =>
  Object.fromEntries(Object.entries(keys).sort(([a], [b]) => (a < b ? -1 : 1)));

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isDigests = (value: unknown): boolean =>
  isRecord(value) && Object.values(value).every((digest) => /^([0-9a-f]{64}|absent)$/.test(String(digest)));

/** Checked as far as the commands rely on it. */
function isSession(value: unknown): boolean {
  if (!isRecord(value)) return false;
  const { version, engine, began, step, data, startedFrom, environment, options, parent, processes } = value;
  const texts = [version, engine, began].every((text) => typeof text === "string");
  const isParent = parent === null || (isRecord(parent) && typeof parent.runId === "string");
  const isOrigins = Array.isArray(startedFrom) && startedFrom.every((origin) => isRecord(origin));
  const isData = isRecord(data) && typeof data.location === "string";
  const isRest = isRecord(environment) && isRecord(options) && Number.isSafeInteger(processes);
  return texts && Number.isSafeInteger(step) && isData && isParent && isOrigins && isRest;
}

async function readObject(path: string): Promise<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(await readFile(path, "utf8"));
    if (isRecord(value)) return value;
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  throw damaged(path);
}

const damaged = (path: string): AtmorepError =>
  new AtmorepError("input", "what made the run cannot be read", {
    where: path,
    fix: "The file was changed after it was written. The run itself does not need it.",
  });
