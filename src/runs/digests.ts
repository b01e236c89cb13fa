/**
 * `models/id<ID>/digests.json`: size and SHA-256 of every weights file, so that one that was changed after it was written
 * is refused. It is replaced before the files are, and keeps the digests of those that they replace: killed at any
 * moment, the program finds either file in order.
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { openRegular, readJsonBounded } from "../budgets.js";
import { AtmorepError } from "../errors.js";
import { writeFileAtomic } from "../formats/atomic.js";

export interface FileDigest {
  bytes: number;
  sha256: string;
}

/** By file name; `before` is what the file replaces, or replaced. */
type Entries = Record<string, FileDigest & { before?: FileDigest }>;

const digestsPath = (modelsDir: string): string => join(modelsDir, "digests.json");

/**
 * Enters weights files that are about to appear in `modelsDir`.
 * @throws AtmorepError (input) if the present list cannot be read
 */
export async function announceWeights(modelsDir: string, files: ReadonlyMap<string, FileDigest>): Promise<void> {
  const entries = await readDigests(modelsDir);
  for (const [name, digest] of files) {
    const path = join(modelsDir, name);
    // what was announced last may never have appeared: only the file itself tells which one it is
    const there = existsSync(path) ? await digestOf(await piecesOf(path)) : undefined;
    entries[name] = there && isListed(entries[name], there) ? { ...digest, before: there } : digest;
  }
  await writeDigests(modelsDir, entries);
}

/** The epoch in the name of a numbered weights file or result store; null for other names. */
export function epochOf(name: string): number | null {
  const match = /_epoch(\d+)(?:\.mod|_[a-z]+\.zarr)$/.exec(name);
  return match ? Number(match[1]) : null;
}

/** Removes weights files, and then what the list says of them. */
export async function removeWeights(modelsDir: string, goes: (name: string) => boolean): Promise<void> {
  const names = (await readdir(modelsDir)).filter((name) => name.endsWith(".mod") && goes(name));
  for (const name of names) await rm(join(modelsDir, name), { force: true });
  if (names.length === 0 || !existsSync(digestsPath(modelsDir))) return;
  const entries = await readDigests(modelsDir);
  for (const name of names) delete entries[name];
  await writeDigests(modelsDir, entries);
}

/**
 * Compares a weights file with the list beside it. A file that no list names passes: it is of version 0.1, or was
 * put there by somebody.
 * @throws AtmorepError (input) if it was changed after it was written, or the list cannot be read
 */
export async function verifyWeights(path: string): Promise<void> {
  const entry = (await readDigests(dirname(path)))[basename(path)];
  if (!entry) return;
  const found = await digestOf(await piecesOf(path));
  if (isListed(entry, found)) return;
  throw new AtmorepError("input", "the weights do not match their digest: the file was changed after it was written", {
    where: path,
    found: `${found.bytes} bytes, SHA-256 ${found.sha256}`,
    expected: `${entry.bytes} bytes, SHA-256 ${entry.sha256}`,
    fix: "Use another file of the run, or go on from its checkpoint. If the change was meant, copy the file elsewhere.",
  });
}

const piecesOf = async (path: string) => (await openRegular(path)).createReadStream() as AsyncIterable<Uint8Array>;

/** Names of the files that the list of a folder names. @throws AtmorepError (input) if it cannot be read */
export const digestedWeights = async (modelsDir: string): Promise<string[]> =>
  Object.keys(await readDigests(modelsDir));

/** Whether a file is the one that an entry announces, or the one that it replaces. */
const isListed = (entry: Entries[string] | undefined, { bytes, sha256 }: FileDigest): boolean =>
  [entry, entry?.before].some((known) => known?.sha256 === sha256 && known.bytes === bytes);

/** Size and SHA-256 of a file's pieces. */
export async function digestOf(pieces: AsyncIterable<Uint8Array>): Promise<FileDigest> {
  const hash = createHash("sha256");
  let bytes = 0;
  for await (const piece of pieces) {
    hash.update(piece);
    bytes += piece.length;
  }
  return { bytes, sha256: hash.digest("hex") };
}

async function writeDigests(modelsDir: string, entries: Entries): Promise<void> {
  const sorted = Object.entries(entries).sort(([a], [b]) => (a < b ? -1 : 1));
  const lines = sorted.map(([name, entry]) => `  ${JSON.stringify(name)}: ${JSON.stringify(entry)}`);
  const files = lines.length > 0 ? `{\n${lines.join(",\n")}\n}` : "{}";
  await writeFileAtomic(digestsPath(modelsDir), `{"format": 1, "files": ${files}}\n`);
}

async function readDigests(modelsDir: string): Promise<Entries> {
  const path = digestsPath(modelsDir);
  if (!existsSync(path)) return {};
  const damaged = () =>
    new AtmorepError("input", "the list of the weights' digests cannot be read", {
      where: path,
      fix: "It was changed after it was written. Without the file, the weights are read unchecked.",
    });
  let parsed: { format?: unknown; files?: unknown };
  try {
    parsed = (await readJsonBounded(path)) as typeof parsed;
  } catch {
    throw damaged();
  }
  const { format, files } = parsed ?? {};
  if (format !== 1 || typeof files !== "object" || files === null) throw damaged();
  // without Object's own names: a file may be called anything
  const entries: Entries = Object.assign(Object.create(null), files);
  for (const entry of Object.values(entries)) {
    if (!isDigest(entry) || (entry.before !== undefined && !isDigest(entry.before))) throw damaged();
  }
  return entries;
}

function isDigest(value: FileDigest | null | undefined): boolean {
  return Number.isSafeInteger(value?.bytes) && /^[0-9a-f]{64}$/.test(String(value?.sha256));
}
