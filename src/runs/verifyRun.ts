/** Comparing everything of a run that has a digest with it: weights, checkpoints, scores, the data that it read. */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { ABSENT, type ByteSource, digestPart, openSource, parsePart, parseRangeKey } from "../data/source/index.js";
import { AtmorepError } from "../errors.js";
import { verifySafetensors } from "../formats/safetensors.js";
import { checkpointFiles } from "./checkpoint.js";
import { digestedWeights, verifyWeights } from "./digests.js";
import { runFolder } from "./folder.js";
import { readProvenance, readReads, readsPath } from "./provenance.js";

/** `none`: it has no digest, as files of version 0.1. */
export interface VerifiedFile {
  what: string;
  status: "equal" | "changed" | "missing" | "none";
  /** what is wrong */
  told: string | null;
}

/**
 * Compares files of run `id` with their digests, one after the other.
 * @param data also read again what the run has read of its data
 * @throws AtmorepError (usage) if there is no such run, (input) if a list of digests is damaged
 */
export async function* verifyRun(out: string, id: string, data: boolean): AsyncGenerator<VerifiedFile> {
  const folder = runFolder(out, id);
  const { modelsDir, resultsDir, checkpointDir } = folder;
  if (![modelsDir, resultsDir].some((dir) => existsSync(dir))) {
    throw new AtmorepError("usage", "there is no such run", {
      where: resultsDir,
      fix: "List the runs with: npx atmorep runs --out DIR",
    });
  }
  const listed = existsSync(modelsDir) ? await digestedWeights(modelsDir) : [];
  const weights = existsSync(modelsDir) ? (await readdir(modelsDir)).filter((name) => name.endsWith(".mod")) : [];
  for (const name of [...new Set([...listed, ...weights])].sort()) {
    const path = join(modelsDir, name);
    if (!existsSync(path)) yield { what: path, status: "missing", told: "digests.json names it" };
    else yield await compared(path, () => verifyWeights(path).then(() => listed.includes(name)));
  }
  const checkpoints = (["latest", "best"] as const).flatMap((kind) => checkpointFiles(checkpointDir, kind));
  for (const path of [...checkpoints, join(resultsDir, "scores_by_time.safetensors")]) {
    if (existsSync(path)) yield await compared(path, () => verifySafetensors(path));
  }
  await readProvenance(folder);
  const reads = await readReads(folder);
  if (existsSync(readsPath(folder))) yield { what: readsPath(folder), status: "equal", told: null };
  if (data) for (const [place, keys] of Object.entries(reads)) yield* verifyData(place, keys);
}

async function compared(path: string, verify: () => Promise<boolean>): Promise<VerifiedFile> {
  try {
    return { what: path, status: (await verify()) ? "equal" : "none", told: null };
  } catch (error) {
    if (!(error instanceof AtmorepError)) throw error;
    return { what: path, status: "changed", told: error.message };
  }
}

/** One line for each file of the data that is not what it was, and one for all that are. */
async function* verifyData(place: string, keys: Record<string, string>): AsyncGenerator<VerifiedFile> {
  if (Object.keys(keys).some((name) => parsePart(name))) return yield await verifyFile(place, keys);
  let source: ByteSource;
  try {
    source = await openSource(place);
  } catch (error) {
    if (!(error instanceof AtmorepError)) throw error;
    yield { what: place, status: "missing", told: error.message };
    return;
  }
  try {
    let equal = 0;
    for (const [name, digest] of Object.entries(keys)) {
      const { key, range } = parseRangeKey(name);
      const bytes = range ? await source.getRange(key, range) : await source.get(key, Number.MAX_SAFE_INTEGER);
      const found = bytes ? createHash("sha256").update(bytes).digest("hex") : ABSENT;
      if (found === digest) equal += 1;
      else
        yield {
          what: `${place}${name}`,
          status: bytes ? "changed" : "missing",
          told: `SHA-256 ${found}, then ${digest}`,
        };
    }
    if (equal > 0)
      yield { what: `${place}: ${equal} files or parts that the run has read`, status: "equal", told: null };
  } finally {
    await source.close();
  }
}

/** A file of a view: its size, and the parts that were digested. */
async function verifyFile(path: string, keys: Record<string, string>): Promise<VerifiedFile> {
  const info = await stat(path).catch(() => null);
  if (!info) return { what: path, status: "missing", told: "the run has read it" };
  for (const [name, digest] of Object.entries(keys)) {
    const part = parsePart(name);
    if (!part) continue;
    if (info.size !== part.size) {
      return { what: path, status: "changed", told: `${info.size} bytes, then ${part.size}` };
    }
    const found = await digestPart(path, part);
    if (found !== digest) {
      return { what: path, status: "changed", told: `${name}: SHA-256 ${found}, then ${digest}` };
    }
  }
  return { what: `${path}, which the run has read`, status: "equal", told: null };
}
