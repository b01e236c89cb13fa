/** Where a store's bytes come from: a folder, a zip file or an http address. */
import { stat } from "node:fs/promises";
import { isUrl } from "../../config/resolve.js";
import { AtmorepError } from "../../errors.js";
import { directorySource } from "./directory.js";
import { groupSource, splitGroup } from "./group.js";
import { httpSource } from "./http/index.js";
import type { ByteSource } from "./types.js";
import { notAFile } from "./types.js";
import { zipSource } from "./zip.js";

export { splitGroup } from "./group.js";
/** to one server */
export { REQUESTS_AT_ONCE } from "./http/request.js";
export { type ByteRange, type ByteSource, METADATA_BYTES } from "./types.js";

/**
 * Opens a location: a folder, a `.zip` file, or an `http(s)://` address of a folder; with `#GROUP` a group in it.
 * @param session what the threads of a run share, so that a server that sends one of them something else is noticed
 * @throws AtmorepError (input) if nothing can be read there
 */
export async function openSource(location: string, session?: string): Promise<ByteSource> {
  const { place, group } = splitGroup(location);
  const source = await openPlace(place, session);
  return group === "" ? source : groupSource(source, place, group);
}

async function openPlace(location: string, session?: string): Promise<ByteSource> {
  if (isUrl(location)) return httpSource(location, session);
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
  if (info.isDirectory()) return directorySource(location);
  if (info.isFile()) return zipSource(location);
  throw notAFile(location);
}
