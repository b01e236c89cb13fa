/**
 * Digests of files that are read by libraries and at any place: NetCDF, GRIB, archives of them. What was read of them is not
 * known, so a file is digested whole; where there are more bytes than a run can wait for, parts of it, spread evenly.
 */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { ABSENT } from "./reads.js";

/** Of all files of a source together: some seconds. */
const MOST_BYTES = 4 * 2 ** 30;
/** of a file that is too large */
const PARTS = 16;

/** A part of a file, named as HTTP names it (RFC 9110, 14.4), which tells the size too: `bytes 0-1048575/5242880`. */
interface Part {
  first: number;
  last: number;
  size: number;
}

const nameOf = ({ first, last, size }: Part) => `bytes ${first}-${last}/${size}`;

/** @returns null for what is not the name of a part of a file */
export function parsePart(name: string): Part | null {
  const match = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(name);
  if (!match) return null;
  const [first, last, size] = match.slice(1).map(Number);
  return { first, last, size };
}

const known = new Map<string, Record<string, string>>();

/**
 * SHA-256 by part of each file; none of what is no file. Files that were digested in this process and have not changed
 * since are not read again.
 * @param most bytes to read of all of them
 */
export async function digestFiles(
  paths: readonly string[],
  most = MOST_BYTES,
): Promise<Record<string, Record<string, string>>> {
  const told: Record<string, Record<string, string>> = {};
  for (const path of paths) {
    const info = await stat(path).catch(() => null);
    if (!info?.isFile()) continue;
    const parts = partsOf(info.size, Math.floor(most / paths.length));
    const key = JSON.stringify([path, info.mtimeMs, parts.map(nameOf)]);
    const digests = known.get(key) ?? {};
    if (!known.has(key)) {
      for (const part of parts) digests[nameOf(part)] = await digestPart(path, part);
      known.set(key, digests);
    }
    told[path] = digests;
  }
  return told;
}

function partsOf(size: number, most: number): Part[] {
  if (size <= most) return [{ first: 0, last: Math.max(0, size - 1), size }];
  const length = Math.max(1, Math.floor(most / PARTS));
  return Array.from({ length: PARTS }, (_, i) => {
    const first = Math.floor((i * (size - length)) / (PARTS - 1));
    return { first, last: first + length - 1, size };
  });
}

/** SHA-256 of a part of a file, whatever size the file has now; `absent` if there is no such file. */
export async function digestPart(path: string, { first, last, size }: Part): Promise<string> {
  const hash = createHash("sha256");
  try {
    if (size > 0) for await (const bytes of createReadStream(path, { start: first, end: last })) hash.update(bytes);
    return hash.digest("hex");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return ABSENT;
    throw error;
  }
}
