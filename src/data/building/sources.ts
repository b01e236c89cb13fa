/** What tells the files that a command reads from themselves after a change. */
import { createHash } from "node:crypto";
import { readdir, readFile, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { isUrl } from "../../config/resolve.js";
import { AtmorepError } from "../../errors.js";
import { formatAddress, splitAddress } from "../source/index.js";
import type { SourceFacts } from "./types.js";

/** Metadata of a Zarr group, which change when it grows or is written anew. */
const METADATA = [".zmetadata", "zarr.json", ".zattrs", ".zgroup"];

/** A source without the folder that it lies in, so that parts of one work may see it at different places. */
export function nameOf(path: string): string {
  if (isUrl(path)) return path.replace(/\?[^#]*/, "");
  const { place, ...rest } = splitAddress(path);
  return formatAddress({ place: basename(place), ...rest });
}

/**
 * Facts of one file, folder or address.
 * @param digest of contents that the size does not tell, if the reader has one
 */
export async function factsOf(path: string, digest: string | null = null): Promise<SourceFacts> {
  const name = nameOf(path);
  if (isUrl(path)) return { name, size: null, modified: null, digest };
  const { place, group } = splitAddress(path);
  const info = await stat(place).catch(() => null);
  if (!info?.isDirectory()) return { name, size: info?.size ?? null, modified: info?.mtimeMs ?? null, digest };
  const hash = createHash("sha256").update(digest ?? "");
  // What `data normalize` writes into a store is no part of what it reads.
  const entries = await readdir(join(place, group), { withFileTypes: true }).catch(() => []);
  const arrays = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith("normalization"));
  const folders = arrays.map((entry) => entry.name).sort();
  for (const file of [...METADATA, ...folders.flatMap((folder) => [`${folder}/.zarray`, `${folder}/zarr.json`])]) {
    const bytes = await readFile(join(place, group, file)).catch(() => null);
    if (bytes) hash.update(`${file} ${bytes.length} `).update(bytes);
  }
  for (const folder of folders) {
    const own = await stat(join(place, group, folder)).catch(() => null);
    if (own) hash.update(`${folder} ${own.mtimeMs} `);
  }
  return { name, size: null, modified: null, digest: hash.digest("hex") };
}

/** @param fix what to do then. @throws AtmorepError (input) if a source is another one than before */
export function requireUnchanged(
  where: string,
  before: readonly SourceFacts[],
  now: readonly SourceFacts[],
  fix: string,
): void {
  const changed = firstChange(before, now);
  if (changed !== null) throw sourceChanged(where, changed, fix);
}

export const sourceChanged = (where: string, found: string, fix: string): AtmorepError =>
  new AtmorepError("input", "a source changed while it was read", {
    where,
    found,
    fix: `Nothing of it is used. ${fix}`,
  });

/** The first source that is another one, in words; null if all are the same. */
export function firstChange(before: readonly SourceFacts[], now: readonly SourceFacts[]): string | null {
  for (let i = 0; i < Math.max(before.length, now.length); i++) {
    const [a, b] = [before[i], now[i]];
    if (JSON.stringify(a) === JSON.stringify(b)) continue;
    if (!a) return `${b.name}, which was not among them`;
    if (!b) return `${a.name} is not among them any more`;
    if (a.name !== b.name) return `${b.name} in place of ${a.name}`;
    return `${a.name} changed: ${sizeText(a)} then, ${sizeText(b)} now`;
  }
  return null;
}

const sizeText = ({ size, modified }: SourceFacts): string =>
  size === null ? "other metadata" : `${size} bytes of ${new Date(modified ?? 0).toISOString()}`;

/**
 * For work that takes the files of a store as they lie, not only its values.
 * @param location as given, or of the store as it was opened, which names an Icechunk repository's snapshot
 * @param otherwise what else can be done
 * @throws AtmorepError (usage) for a group within a store, and for an Icechunk repository
 */
export function requireOwnFiles(command: string, location: string, otherwise = ""): void {
  const { place, group, version } = splitAddress(location);
  if (version !== null) {
    throw new AtmorepError(
      "usage",
      `${command} works on the files of a Zarr store, and an Icechunk repository has none`,
      {
        where: location,
        fix: `Copy the snapshot to a Zarr store first (in Python: xarray.open_zarr, then to_zarr)${otherwise}`,
      },
    );
  }
  if (group === "") return;
  throw new AtmorepError("usage", `${command} works on a whole store, not on a group within one`, {
    where: location,
    found: `the group ${group}`,
    fix: `Name the folder of the group, ${join(place, group)}; unpack a zip file first${otherwise}`,
  });
}
