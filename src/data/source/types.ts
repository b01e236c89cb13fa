/** What every kind of source offers, and what they share. */
import { AtmorepError } from "../../errors.js";

/** Gives memory for so many bytes, with anything in it, which the giver will want back. */
export type Lend = (bytes: number) => Uint8Array;

/** Read access to the files of a store. Keys start with `/`. */
export interface ByteSource {
  /** true if a read costs a round trip, so that consolidated metadata should be preferred */
  remote: boolean;
  /** name of these very contents for good, where the name that they were opened by may come to mean others */
  pinned?: string;
  /**
   * The bytes of a key, or undefined if there is none.
   * @param limit bound of the bytes (default `METADATA_BYTES`). @throws AtmorepError (input) beyond it
   * @param lend where the bytes may be put; a source that has them anyway gives its own
   */
  get(key: `/${string}`, limit?: number, lend?: Lend): Promise<Uint8Array | undefined>;
  /** a part of the bytes of a key (sharded arrays read their index so), fewer where it ends; `limit` bounds the whole */
  getRange(key: `/${string}`, range: ByteRange, limit?: number, lend?: Lend): Promise<Uint8Array | undefined>;
  /** bytes of a key as they are stored, undefined if there is none; a source where this costs a request has no such call */
  size?(key: `/${string}`): Promise<number | undefined>;
  /** names of the folders in a folder; a source that cannot be listed has no such call */
  folders?(path: `/${string}`): Promise<string[]>;
  /** the bytes of a key turned out to be damaged: the next read takes them from where they come, not from a copy */
  forget?(key: `/${string}`): Promise<void>;
  close(): Promise<void>;
}

/** More than any metadata of a store have. */
export const METADATA_BYTES = 2 ** 26;

/** A file, entry or answer that is larger than what it should hold can be. */
export function tooLarge(where: string, found: number | string, limit: number): AtmorepError {
  return new AtmorepError("input", "larger than what it should hold", {
    where,
    found: typeof found === "number" ? `${found} bytes` : found,
    expected: `at most ${limit} bytes`,
    fix: "It is damaged or not what its name says; copy or write the store again",
  });
}

export type ByteRange = { offset: number; length: number } | { suffixLength: number };

/** The part of whole bytes that a range names. */
export function sliceRange(bytes: Uint8Array, range: ByteRange): Uint8Array {
  if ("suffixLength" in range) return bytes.subarray(Math.max(0, bytes.length - range.suffixLength));
  return bytes.subarray(range.offset, range.offset + range.length);
}
