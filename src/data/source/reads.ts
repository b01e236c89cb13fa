/**
 * Digests of what this thread reads of Zarr stores, while somebody wants them: a run tells with them which bytes it has
 * seen. Kept by place and key; a range of a file is a key of its own.
 */
import { createHash } from "node:crypto";
import type { ByteRange } from "./types.js";

/** SHA-256 in hexadecimal digits by key, `ABSENT` where there was no such file. */
export type ReadsOfPlace = Map<string, string>;

export const ABSENT = "absent";

/** Of one place, at most: a run over millions of chunks is told by its first ones. */
const MOST_KEYS = 200_000;

const reads = new Map<string, ReadsOfPlace>();
let wanted = 0;

/** Begins to keep digests. @returns what ends it; with the last one that wants them, all are forgotten */
export function recordReads(): () => void {
  wanted += 1;
  let ended = false;
  return () => {
    if (ended) return;
    ended = true;
    wanted -= 1;
    if (wanted === 0) reads.clear();
  };
}

/** True while digests are kept: the threads of a loader then keep them too. */
export const recordsReads = (): boolean => wanted > 0;

/** What is read again is not digested again. */
export function noteRead(place: string, key: string, bytes: Uint8Array | undefined): void {
  if (wanted === 0) return;
  const known = ofPlace(place);
  if (known.has(key) || known.size >= MOST_KEYS) return;
  known.set(key, bytes ? createHash("sha256").update(bytes).digest("hex") : ABSENT);
}

/** The bytes were damaged and are read again. */
export function forgetRead(place: string, key: string): void {
  const known = reads.get(place);
  for (const name of known?.keys() ?? []) if (name === key || name.startsWith(`${key}#`)) known?.delete(name);
}

/** Name of a part of a file. */
export const rangeKey = (key: string, range: ByteRange): string =>
  "suffixLength" in range ? `${key}#-${range.suffixLength}` : `${key}#${range.offset}+${range.length}`;

/** The file and the part of it that a key names. */
export function parseRangeKey(name: string): { key: `/${string}`; range: ByteRange | null } {
  const match = /^(.*)#(?:-(\d+)|(\d+)\+(\d+))$/s.exec(name);
  if (!match) return { key: name as `/${string}`, range: null };
  const [, key, suffix, offset, length] = match;
  const range = suffix ? { suffixLength: Number(suffix) } : { offset: Number(offset), length: Number(length) };
  return { key: key as `/${string}`, range };
}

/** What has been read of a place so far. */
export const readsOf = (place: string): ReadonlyMap<string, string> => reads.get(place) ?? new Map();

/** Everything, in a form that goes from thread to thread. */
export const allReads = (): [place: string, keys: [string, string][]][] =>
  [...reads].map(([place, keys]) => [place, [...keys]]);

/** Takes over what another thread has read. */
export function mergeReads(others: ReturnType<typeof allReads>): void {
  if (wanted === 0) return;
  for (const [place, keys] of others) {
    const known = ofPlace(place);
    for (const [key, digest] of keys) if (known.size < MOST_KEYS || known.has(key)) known.set(key, digest);
  }
}

function ofPlace(place: string): ReadsOfPlace {
  const known = reads.get(place) ?? new Map<string, string>();
  reads.set(place, known);
  return known;
}
