/** Telling what makes a run, while it is made. */
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { createReadStream, existsSync, readFileSync } from "node:fs";
import { cpus } from "node:os";
import { resolve } from "node:path";
import { promisify } from "node:util";
import { parseFields } from "../config/fields.js";
import { isUrl } from "../config/resolve.js";
import type { RunConfig } from "../config/types.js";
import { digestFiles, readsOf, splitAddress } from "../data/source/index.js";
import type { Store } from "../data/store.js";
import type { Continuation } from "../runs/continue.js";
import { digestOf } from "../runs/digests.js";
import { parseRunReference, runFolder } from "../runs/folder.js";
import {
  addProvenance,
  addReads,
  type DataOrigin,
  madeOfDir,
  type Origin,
  type Provenance,
  type ProvenanceSession,
  type StoredProvenance,
  sha256Lines,
  TOLD_VARIABLES,
  toStore,
} from "../runs/provenance.js";
import { type WeightTag, weightPath } from "../runs/weightFiles.js";
import type { TrainOptions } from "./options.js";
import type { Session } from "./session.js";

/** Version of the program. */
export function programVersion(): string {
  return JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")).version;
}

/** What makes the run that a session trains, once its engine and its data are open. */
export async function provenanceOf(
  session: Pick<Session, "config" | "options" | "engine" | "store" | "parent">,
  continued: Continuation | null,
): Promise<Provenance> {
  const { config, options, engine, store, parent } = session;
  return {
    version: programVersion(),
    engine: engine.name,
    kernels: engine.kernels?.text ?? null,
    products: process.env.ATMOREP_PRODUCTS || "float32",
    processor: cpus()[0]?.model.trim() || process.arch,
    seeds: { torch_seed: config.torch_seed ?? null, rng_seed: config.rng_seed ?? null },
    code: await commitOf(process.cwd()),
    data: dataOrigin(store),
    parent,
    startedFrom: continued ? (continued.checkpoint.provenance?.startedFrom ?? []) : await originsOf(config, options),
  };
}

/** Adds this process to those that made the run. */
export async function tellProvenance(session: Session): Promise<void> {
  const { began, config, options, engine, folder, progress, communicator, provenance } = session;
  const { initFrom, acceptMissing, acceptUnexpected, overfit } = options;
  const given = { initFrom: initFrom && withoutSecrets(initFrom), acceptMissing, acceptUnexpected, overfit };
  const entry: ProvenanceSession = {
    ...provenance,
    began: new Date(began).toISOString(),
    step: progress.step,
    config: configDigest(config),
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    description: engine.description,
    processes: communicator.size,
    command: options.command?.map(withoutSecrets) ?? null,
    environment: Object.fromEntries(
      TOLD_VARIABLES.flatMap((name) => (process.env[name] ? [[name, process.env[name] as string]] : [])),
    ),
    options: Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined && value !== false)),
  };
  await addProvenance(folder, entry).catch((error: NodeJS.ErrnoException) => {
    // results/ and models/ may be places of their own in a folder that nothing can be made in
    if (!["EROFS", "EACCES", "EPERM"].includes(error.code ?? "")) throw error;
    session.warnings.push(`what made this run is kept in its checkpoints only: ${error.message}`);
  });
}

/** Writes down what has been read of the data so far. */
export async function tellReads({ folder, store, provenance }: Session): Promise<void> {
  // its snapshot says all that could be said of it
  if (snapshotOf(provenance.data.location) || !existsSync(madeOfDir(folder))) return;
  const { location, statistics, view } = store;
  const files = view ? view.files.map(({ path }) => path) : [];
  const places = new Set([location, ...files, ...(statistics ? [statistics] : [])]);
  const read = [...places].map((place) => [place, Object.fromEntries(readsOf(place))] as const);
  const noted = read.filter(([, keys]) => Object.keys(keys).length > 0);
  // of a view's files that are no Zarr, and of its mapping file, nobody notes what is read
  const whole = view ? [location, ...files].filter((place) => readsOf(place).size === 0 && !isUrl(place)) : [];
  const paths = new Set(whole.map((name) => splitAddress(name).place));
  const told = { ...Object.fromEntries(noted), ...(await digestFiles([...paths])) };
  if (Object.keys(told).length > 0) await addReads(folder, told);
}

function snapshotOf(location: string): string | null {
  const { version } = splitAddress(location);
  return version?.kind === "snapshot" ? version.name : null;
}

/** What checkpoints tell of it. */
export const storedProvenance = ({ provenance }: Pick<Session, "provenance">): StoredProvenance =>
  toStore(provenance, snapshotOf(provenance.data.location));

function dataOrigin(store: Store): DataOrigin {
  const { location, statistics, view } = store;
  return {
    location: withoutSecrets(location),
    metadata: view || snapshotOf(location) ? null : metadataDigest(location),
    view: view && createHash("sha256").update(view.identity).digest("hex"),
    statistics: statistics === null ? null : { location: statistics, metadata: metadataDigest(statistics) },
  };
}

/** Of the metadata that have been read of a place, which opening it reads. */
function metadataDigest(place: string): string {
  const isMetadata = (key: string) => /\/(\.zarray|\.zattrs|\.zgroup|\.zmetadata|zarr\.json)$/.test(key);
  return sha256Lines([...readsOf(place)].filter(([key]) => isMetadata(key)).map((entry) => entry.join(" ")));
}

/** Of the values, but for what each process and each run has of its own. */
function configDigest(config: RunConfig): string {
  const own = new Set(["wandb_id", "slurm_job_id", "par_rank", "par_size"]);
  const values = Object.entries(config).filter(([key]) => !own.has(key));
  return sha256Lines(values.map(([key, value]) => `${key}=${JSON.stringify(value)}`));
}

/** The weights that a new run starts from, with their digests. */
async function originsOf(config: RunConfig, { initFrom, out = "." }: TrainOptions): Promise<Origin[]> {
  const origins: Origin[] = [];
  const digest = async (path: string) => (existsSync(path) ? (await digestOf(createReadStream(path))).sha256 : null);
  if (initFrom) {
    if (existsSync(initFrom) && /\.[a-z]+$/i.test(initFrom)) {
      const path = resolve(initFrom);
      const runId = /[/\\]id([a-z0-9]{8})[/\\][^/\\]+$/.exec(path)?.[1] ?? null;
      origins.push({ of: "initFrom", runId, name: path, sha256: await digest(path) });
    } else {
      const { id, which } = parseRunReference(initFrom);
      const tag: WeightTag = which === "latest" || which === "best" ? which : Number(which);
      const sha256 = await digest(weightPath(runFolder(out, id).modelsDir, id, tag));
      origins.push({ of: "initFrom", runId: id, name: `${id}@${which}`, sha256 });
    }
    return origins;
  }
  for (const { name, pretrained } of parseFields(config)) {
    if (!pretrained) continue;
    const { runId, epoch } = pretrained;
    const sha256 = await digest(weightPath(runFolder(out, runId).modelsDir, runId, epoch));
    origins.push({ of: name, runId, name: `${runId}@${epoch}`, sha256 });
  }
  return origins;
}

const runGit = promisify(execFile);

/** The commit of a folder and whether its files differ from it; null where there is no repository, or no Git. */
async function commitOf(folder: string): Promise<Provenance["code"]> {
  // a repository's configuration can name programs for Git to start: none is wanted here
  const git = async (...args: string[]) =>
    (
      await runGit("git", ["-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", ...args], {
        cwd: folder,
        timeout: 3000,
        env: { ...process.env, GIT_OPTIONAL_LOCKS: "0", GIT_TERMINAL_PROMPT: "0" },
      })
    ).stdout.trim();
  try {
    const commit = await git("rev-parse", "HEAD");
    const changed = await git("status", "--porcelain", "--untracked-files=no").catch(() => null);
    return /^[0-9a-f]{40,64}$/.test(commit) ? { commit, changed: changed !== "" } : null;
  } catch {
    return null;
  }
}

/** Names and passwords, and what is signed, in addresses. */
const withoutSecrets = (text: string): string =>
  text.replace(/(\b[a-z0-9+]+:\/\/)[^/\s@]+@/gi, "$1...@").replace(/(\bhttps?:\/\/[^\s?#]*)\?[^\s#]*/gi, "$1?...");
