/**
 * Safetensors: an 8-byte little-endian header length, a JSON header, then raw little-endian data without gaps.
 * Format: https://github.com/huggingface/safetensors (README, "Format").
 *
 * Aliases (one tensor under two names) are written as two entries, since data may not overlap; the file's
 * `__metadata__` says which name repeats which, so that converting back gives one storage again.
 */
import { createHash, type Hash } from "node:crypto";
import { BUDGET, openRegular, parseBounded } from "../budgets.js";
import { AtmorepError, isAtmorepError } from "../errors.js";
import { brief, cut } from "../shown.js";
import { withAtomicFile } from "./atomic.js";
import {
  DTYPE_SIZE,
  numElements,
  type SafeTensor,
  type TensorDtype,
  type TensorFile,
  type TensorInfo,
  type TensorSpec,
} from "./tensors.js";
import { openFile, readRange } from "./zip/reader.js";

export { type SafeTensor, toFloat32, toNumbers } from "./tensors.js";

const ALIASES = "atmorep.aliases";
const MODULE_VERSIONS = "atmorep.module_versions";
/** How a header begins that holds a digest: at a place that is known before anything is believed. */
const DIGEST_PREFIX = '{"__metadata__":{"digest":"';
const DIGEST_AT = 8 + DIGEST_PREFIX.length;
/** SHA-256 in hexadecimal digits */
const DIGEST_LENGTH = 64;
const NO_DIGEST = "0".repeat(DIGEST_LENGTH);

/** Dimensions of a tensor, as in PyTorch. */
const MAX_DIMS = 64;

interface Located extends TensorInfo {
  start: number;
  end: number;
}

/**
 * Opens a safetensors file: reads and checks its header only.
 * @throws AtmorepError (input) if the file is not valid safetensors
 */
export async function openSafetensors(path: string): Promise<TensorFile & { metadata: Map<string, string> }> {
  const handle = await openFile(path);
  try {
    const { size } = await handle.stat();
    if (size < 8) throw damaged(path, "shorter than a safetensors header");
    const prefix = Buffer.from(await readRange(path, handle, 0, 8, size));
    const headerLength = Number(prefix.readBigUInt64LE(0));
    if (headerLength > size - 8) throw damaged(path, "the header is longer than the file");
    if (headerLength > BUDGET.safetensorsHeader) {
      throw damaged(path, `the header has ${headerLength} bytes, and at most ${BUDGET.safetensorsHeader} are read`);
    }
    const header = Buffer.from(await readRange(path, handle, 8, headerLength, size));
    const base = 8 + headerLength;
    const { located, metadata } = parseHeader(path, header, size - base);
    const byName = new Map(located.map((entry) => [entry.name, entry]));
    return {
      format: "safetensors",
      path,
      metadata,
      tensors: located.map(({ start: _start, end: _end, ...info }) => info),
      moduleVersions: parseModuleVersions(metadata.get(MODULE_VERSIONS)),
      async read(name) {
        const entry = byName.get(name);
        if (!entry) throw new AtmorepError("input", `the file has no tensor ${name}`, { where: path });
        const bytes = await readRange(path, handle, base + entry.start, entry.end - entry.start, size);
        return { dtype: entry.dtype, shape: entry.shape, bytes };
      },
      close: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/**
 * Reads a whole safetensors file.
 * @returns tensors by name, in the order of their data
 * @throws AtmorepError (input) if the file is not valid safetensors
 */
export async function readSafetensors(path: string): Promise<Map<string, SafeTensor>> {
  const file = await openSafetensors(path);
  try {
    const tensors = new Map<string, SafeTensor>();
    for (const { name } of file.tensors) tensors.set(name, await file.read(name));
    return tensors;
  } finally {
    await file.close();
  }
}

export interface SafetensorsOptions {
  /** PyTorch's `_metadata`, kept for the way back */
  moduleVersions?: Map<string, number> | null;
  /** further entries of `__metadata__` */
  metadata?: Record<string, string>;
  /** also write a SHA-256 over every byte of the file (its own digits counted as zeros), for `verifySafetensors` */
  digest?: boolean;
}

/** Writes a safetensors file, tensor by tensor, atomically; equal tensors give equal bytes. */
export async function writeSafetensors(
  path: string,
  tensors: readonly TensorSpec[],
  { moduleVersions, metadata = {}, digest = false }: SafetensorsOptions = {},
): Promise<void> {
  const aliases = Object.fromEntries(tensors.flatMap((t) => (t.aliasOf === undefined ? [] : [[t.name, t.aliasOf]])));
  const meta: Record<string, string> = { ...(digest && { digest: NO_DIGEST }), format: "pt", ...metadata };
  if (Object.keys(aliases).length > 0) meta[ALIASES] = JSON.stringify(aliases);
  if (moduleVersions) meta[MODULE_VERSIONS] = JSON.stringify([...moduleVersions]);
  let offset = 0;
  const entries = [`"__metadata__":${JSON.stringify(meta)}`];
  for (const { name, dtype, shape } of tensors) {
    const end = offset + numElements(shape) * DTYPE_SIZE[dtype];
    entries.push(`${JSON.stringify(name)}:${JSON.stringify({ dtype, shape, data_offsets: [offset, end] })}`);
    offset = end;
  }
  const json = Buffer.from(`{${entries.join(",")}}`, "utf8");
  const header = Buffer.alloc(8 + Math.ceil(json.length / 8) * 8, " ");
  header.writeBigUInt64LE(BigInt(header.length - 8), 0);
  json.copy(header, 8);
  await withAtomicFile(path, async (file) => {
    const hash = digest ? createHash("sha256") : null;
    const write = async (bytes: Uint8Array) => {
      hash?.update(bytes);
      await file.write(bytes);
    };
    await write(header);
    for (const tensor of tensors) {
      const bytes = await tensor.read();
      checkSize(tensor, bytes);
      await write(bytes);
    }
    if (hash) await file.patch(Buffer.from(hash.digest("hex")), DIGEST_AT);
  });
}

/**
 * Compares a file with the digest that it was written with, before anything in it is believed.
 * @returns false if it holds none
 * @throws AtmorepError (input) if any byte of it has changed
 */
export async function verifySafetensors(path: string): Promise<boolean> {
  const hash = createHash("sha256");
  let found = "";
  let at = 0;
  const pieces = (await openRegular(path)).createReadStream({ highWaterMark: 1 << 20 });
  for await (const piece of pieces as AsyncIterable<Buffer>) {
    if (at === 0) {
      if (piece.toString("latin1", 8, DIGEST_AT) !== DIGEST_PREFIX) return false;
      found = piece.toString("latin1", DIGEST_AT, DIGEST_AT + DIGEST_LENGTH);
      hashWithoutDigest(hash, piece);
    } else hash.update(piece);
    at += piece.length;
  }
  if (at === 0) return false;
  if (hash.digest("hex") === found) return true;
  throw damaged(path, "the file does not match its digest: it was changed after it was written");
}

function hashWithoutDigest(hash: Hash, piece: Buffer): void {
  hash.update(piece.subarray(0, DIGEST_AT));
  hash.update(NO_DIGEST.slice(0, Math.max(0, piece.length - DIGEST_AT)));
  hash.update(piece.subarray(DIGEST_AT + DIGEST_LENGTH));
}

/** @throws AtmorepError (failed) if a tensor's data do not fit its shape */
export function checkSize({ name, shape, dtype }: TensorInfo, bytes: Uint8Array): void {
  const expected = numElements(shape) * DTYPE_SIZE[dtype];
  if (bytes.length === expected) return;
  throw new AtmorepError("failed", "a tensor's data do not fit its shape", {
    where: name,
    found: `${bytes.length} bytes`,
    expected: `${expected} bytes for [${shape.join(", ")}] ${dtype}`,
  });
}

function damaged(path: string, what: string): AtmorepError {
  return new AtmorepError("input", what, { where: path, fix: "The file is damaged or not a safetensors file." });
}

function parseHeader(path: string, header: Buffer, dataSize: number) {
  let json: unknown;
  try {
    json = parseBounded(new TextDecoder("utf-8", { fatal: true }).decode(header), `${path}: header`);
  } catch (error) {
    if (isAtmorepError(error) && error.cause === undefined) throw error;
    throw damaged(path, "the header is not JSON in UTF-8");
  }
  if (!isRecord(json)) throw damaged(path, "the header is not a JSON object");
  const metadata = new Map<string, string>();
  const located: Located[] = [];
  for (const [name, value] of Object.entries(json)) {
    if (name !== "__metadata__") located.push(parseEntry(path, name, value, dataSize));
    else if (isRecord(value))
      for (const [key, text] of Object.entries(value)) if (typeof text === "string") metadata.set(key, text);
  }
  located.sort((a, b) => a.start - b.start || a.end - b.end);
  let end = 0;
  for (const entry of located) {
    if (entry.start !== end) throw damaged(path, `tensor ${entry.name} overlaps another or leaves a gap before it`);
    end = entry.end;
  }
  if (end !== dataSize) throw damaged(path, `the data have ${dataSize} bytes and the header describes ${end}`);
  applyAliases(located, metadata.get(ALIASES));
  return { located, metadata };
}

function parseEntry(path: string, name: string, value: unknown, dataSize: number): Located {
  const { dtype, shape, data_offsets: offsets } = isRecord(value) ? value : {};
  if (typeof dtype !== "string" || !Object.hasOwn(DTYPE_SIZE, dtype)) {
    throw damaged(path, `tensor ${name} has the unknown dtype ${cut(brief(dtype), 100)}`);
  }
  if (!isCounts(shape)) throw damaged(path, `tensor ${name} has no valid shape`);
  if (!isCounts(offsets) || offsets.length !== 2 || offsets[0] > offsets[1] || offsets[1] > dataSize) {
    throw damaged(path, `tensor ${name} lies outside the file`);
  }
  const [start, end] = offsets;
  if (numElements(shape) * DTYPE_SIZE[dtype as TensorDtype] !== end - start) {
    throw damaged(path, `tensor ${name} has ${end - start} bytes, which do not fit [${shape.join(", ")}] ${dtype}`);
  }
  return { name, dtype: dtype as TensorDtype, shape, start, end };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCounts(value: unknown): value is number[] {
  return Array.isArray(value) && value.length <= MAX_DIMS && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}

/** A name repeats another only if both are there, alike, and the other comes first. */
function applyAliases(located: Located[], text: string | undefined): void {
  const aliases = parseJson(text);
  if (!isRecord(aliases)) return;
  const seen = new Map<string, Located>();
  for (const entry of located) {
    const original = Object.hasOwn(aliases, entry.name) ? seen.get(String(aliases[entry.name])) : undefined;
    if (original && original.dtype === entry.dtype && original.shape.join() === entry.shape.join()) {
      entry.aliasOf = original.name;
    }
    seen.set(entry.name, entry);
  }
}

function parseModuleVersions(text: string | undefined): Map<string, number> | null {
  const pairs = parseJson(text);
  if (!Array.isArray(pairs)) return null;
  const versions = new Map<string, number>();
  for (const pair of pairs) {
    if (Array.isArray(pair) && typeof pair[0] === "string" && Number.isSafeInteger(pair[1])) {
      versions.set(pair[0], pair[1]);
    }
  }
  return versions;
}

function parseJson(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}
