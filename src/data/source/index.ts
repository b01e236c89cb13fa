/** Where a store's bytes come from: a folder, a zip file or an http address. */
import { stat } from "node:fs/promises";
import { notAFile } from "../../budgets.js";
import { isBucket, isUrl } from "../../config/resolve.js";
import { AtmorepError } from "../../errors.js";
import { splitAddress, type Version } from "./address.js";
import { directorySource } from "./directory.js";
import { groupSource } from "./group.js";
import { httpSource } from "./http/index.js";
import { ifForbidden } from "./http/request.js";
import { icechunkSource, isRepository } from "./icechunk/index.js";
import type { ByteSource } from "./types.js";
import { zipSource } from "./zip.js";

export { formatAddress, splitAddress, withVersion } from "./address.js";
export { digestFiles, digestPart, parsePart } from "./fileDigests.js";
/** to one server */
export { REQUESTS_AT_ONCE } from "./http/request.js";
export { ABSENT, allReads, mergeReads, parseRangeKey, readsOf, recordReads, recordsReads } from "./reads.js";
export { type ByteRange, type ByteSource, type Lend, METADATA_BYTES } from "./types.js";

/**
 * Opens a location: a folder, a `.zip` file, or an `http(s)://` address of a folder, or an Icechunk repository there or at
 * `s3://BUCKET/PREFIX`; with `#GROUP` a group in it, with `#branch=NAME` and the like a version (`address.ts`).
 * @param session what the threads of a run share, so that a server that sends one of them something else is noticed
 * @param again another thread of the run has opened it: a server that does not answer is away, and waited for
 * @throws AtmorepError (input) if nothing can be read there
 */
export async function openSource(location: string, session?: string, again = false): Promise<ByteSource> {
  const { place, group, version } = splitAddress(location);
  const source = await openPlace(place, version, session, again);
  return group === "" ? source : groupSource(source, place, group);
}

async function openPlace(
  location: string,
  version: Version | null,
  session: string | undefined,
  again: boolean,
): Promise<ByteSource> {
  if (isBucket(location)) return icechunkSource(location, version, null);
  if (isUrl(location)) {
    // branches move, and a run may go on beside its repository's commits: they are asked for anew
    return openTree(location, version, httpSource(location, session, again), () => httpSource(location));
  }
  const info = await stat(location).catch((cause: NodeJS.ErrnoException) => {
    throw new AtmorepError(
      "input",
      cause.code === "ENOENT" ? "there is no such store" : `cannot be read (${cause.code})`,
      {
        where: location,
        fix: "Give the path of a Zarr folder or zip file, or an http address, with --data or in file_path",
        cause,
      },
    );
  });
  if (info.isDirectory()) {
    const folder = directorySource(location);
    return openTree(location, version, folder, () => folder);
  }
  if (info.isFile()) return zipSource(location);
  throw notAFile(location);
}

/** A Zarr store, or a repository with its branches and tags in `heads`. */
async function openTree(
  place: string,
  version: Version | null,
  objects: ByteSource,
  heads: () => ByteSource,
): Promise<ByteSource> {
  const found = version === null ? await probe(objects) : null;
  if (found && (isZarr(found) || !(await isRepository(objects)))) return remembering(objects, found);
  return icechunkSource(place, version, { heads: heads(), objects });
}

/** Files of which every Zarr store has one at its root. */
const ROOTS = ["/zarr.json", "/.zmetadata", "/.zgroup", "/.zarray"] as const;
type Probed = Map<string, Uint8Array | undefined>;

/** Looks for them one after the other, up to the first that is there. */
async function probe(source: ByteSource): Promise<Probed> {
  const found: Probed = new Map();
  for (const key of ROOTS) {
    const bytes = await source.get(key).catch(ifForbidden(null));
    if (bytes !== null) found.set(key, bytes);
    if (bytes) break;
  }
  return found;
}

const isZarr = (found: Probed) => [...found.values()].some((bytes) => bytes !== undefined);

/** A source that need not be asked again for what a look at it has brought. */
function remembering(source: ByteSource, found: Probed): ByteSource {
  return {
    ...source,
    async get(key, limit, lend) {
      if (!found.has(key)) return source.get(key, limit, lend);
      const bytes = found.get(key);
      found.delete(key);
      return bytes;
    },
  };
}
