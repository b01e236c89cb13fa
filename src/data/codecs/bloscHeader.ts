/**
 * The 16 bytes before a Blosc chunk, checked before any decoder sees it.
 * Format: https://github.com/Blosc/c-blosc/blob/main/README_CHUNK_FORMAT.rst
 */
import { refuse, type Size, stated } from "./stage.js";

export const HEADER_BYTES = 16;

export interface BloscHeader {
  /** 1 or 2 */
  version: number;
  /** bytes of the chunk when decoded */
  decodedBytes: number;
  /** bytes of an element */
  itemBytes: number;
  /** bytes of a block before compression; the last block may be shorter */
  blockBytes: number;
  shuffle: "none" | "bytes" | "bits";
  /** the blocks are stored as they are */
  stored: boolean;
  /** a block is one stream rather than one for each byte of an element */
  whole: boolean;
  compressor: "blosclz" | "lz4" | "snappy" | "zlib" | "zstd";
}

const COMPRESSORS = ["blosclz", "lz4", "snappy", "zlib", "zstd"] as const;

/**
 * @param size of the chunk when decoded
 * @throws Error for other versions (a chunk of Blosc 2 may name plug-ins, which its library would look for by starting
 *   Python), and for sizes that are not those of the file and of the chunk
 */
export function bloscHeader(bytes: Uint8Array, size: Size): BloscHeader {
  if (bytes.length < HEADER_BYTES) throw refuse(`${bytes.length} bytes are no Blosc chunk`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const version = bytes[0];
  if (version !== 1 && version !== 2) throw refuse(`Blosc format ${version} instead of 1 or 2`);
  const flags = bytes[2];
  const [decoded, blockBytes, stored] = [4, 8, 12].map((at) => view.getUint32(at, true));
  stated(decoded, size);
  if (stored !== bytes.length) throw refuse(`a Blosc chunk of ${stored} bytes in ${bytes.length}`);
  const itemBytes = bytes[3];
  if (itemBytes === 0 || (decoded > 0 && (blockBytes === 0 || blockBytes > decoded))) {
    throw refuse("the Blosc header is damaged");
  }
  // Format 1 of every compressor is the only one; a set bit 3, or both shuffles, are no chunk of Blosc 1.
  if (bytes[1] !== 1 || (flags & 8) !== 0 || (flags & 5) === 5) throw refuse("the Blosc header is damaged");
  const isStored = (flags & 2) !== 0;
  if (isStored && stored !== decoded + HEADER_BYTES) throw refuse("the Blosc header is damaged");
  const compressor = COMPRESSORS[flags >>> 5];
  if (compressor === undefined) throw refuse(`Blosc names the unknown compressor ${flags >>> 5}`);
  if (compressor === "snappy" && !isStored) throw refuse("Blosc with Snappy, which is not supported");
  const shuffle = flags & 1 ? "bytes" : flags & 4 ? "bits" : "none";
  return {
    version,
    decodedBytes: decoded,
    itemBytes,
    blockBytes,
    shuffle,
    stored: isStored,
    whole: (flags & 16) !== 0,
    compressor,
  };
}
