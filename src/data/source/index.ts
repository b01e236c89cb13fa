/** Where a store's bytes come from: a folder, a zip file or an http address. */
import { stat } from "node:fs/promises";
import { AtmorepError } from "../../errors.js";
import { directorySource } from "./directory.js";
import { httpSource } from "./http.js";
import { zipSource } from "./zip.js";

/** Read access to the files of a store. Keys start with `/`. */
export interface ByteSource {
  /** true if a read costs a round trip, so that consolidated metadata should be preferred */
  remote: boolean;
  /** the bytes of a key, or undefined if there is none */
  get(key: `/${string}`): Promise<Uint8Array | undefined>;
  /** a part of the bytes of a key (sharded arrays read their index so) */
  getRange(key: `/${string}`, range: ByteRange): Promise<Uint8Array | undefined>;
  close(): Promise<void>;
}

export type ByteRange = { offset: number; length: number } | { suffixLength: number };

/**
 * Opens a location: a folder, a `.zip` file, or an `http(s)://` address of a folder.
 * @throws AtmorepError (input) if nothing can be read there
 */
export async function openSource(location: string): Promise<ByteSource> {
  if (/^https?:\/\//i.test(location)) return httpSource(location);
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
  return info.isDirectory() ? directorySource(location) : zipSource(location);
}

/** The part of whole bytes that a range names. */
export function sliceRange(bytes: Uint8Array, range: ByteRange): Uint8Array {
  if ("suffixLength" in range) return bytes.subarray(Math.max(0, bytes.length - range.suffixLength));
  return bytes.subarray(range.offset, range.offset + range.length);
}
