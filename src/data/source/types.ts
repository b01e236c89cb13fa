/** What every kind of source offers, and what they share. */

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

/** The part of whole bytes that a range names. */
export function sliceRange(bytes: Uint8Array, range: ByteRange): Uint8Array {
  if ("suffixLength" in range) return bytes.subarray(Math.max(0, bytes.length - range.suffixLength));
  return bytes.subarray(range.offset, range.offset + range.length);
}
