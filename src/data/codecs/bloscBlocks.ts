/** Where the streams of a Blosc chunk lie. Follows `blosc_d` of c-blosc 1.21. */
import { type BloscHeader, HEADER_BYTES } from "./bloscHeader.js";
import { refuse } from "./stage.js";

/** An element of more bytes than this has its block in one stream, as has a block of fewer elements. */
const MAX_STREAMS = 16;
const MIN_STREAM_BYTES = 128;

/** A block: `streams` streams of `bytes` bytes each when decoded; each stream's place in the chunk and stored length. */
export interface BloscBlock {
  bytes: number;
  starts: number[];
  lengths: number[];
}

/**
 * All blocks of a chunk whose header has been checked and that is not stored as it is. libblosc2 is never given other
 * chunks: it takes lengths of 0 and below for runs of one value, which Blosc 1 does not have.
 * @throws Error if a stream is empty or leaves the chunk
 */
export function bloscBlocks(bytes: Uint8Array, header: BloscHeader): BloscBlock[] {
  const { decodedBytes, blockBytes, itemBytes, whole } = header;
  const count = decodedBytes === 0 ? 0 : Math.ceil(decodedBytes / blockBytes);
  if (HEADER_BYTES + 4 * count > bytes.length) throw refuse("the Blosc chunk breaks off in its list of blocks");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const blocks: BloscBlock[] = [];
  for (let block = 0; block < count; block++) {
    const size = Math.min(blockBytes, decodedBytes - block * blockBytes);
    const split =
      !whole && size === blockBytes && itemBytes <= MAX_STREAMS && blockBytes / itemBytes >= MIN_STREAM_BYTES;
    const streams = split ? itemBytes : 1;
    if (size % streams !== 0) throw refuse("a Blosc block cannot be split evenly");
    const found: BloscBlock = { bytes: size / streams, starts: [], lengths: [] };
    let at = view.getInt32(HEADER_BYTES + 4 * block, true);
    for (let i = 0; i < streams; i++) {
      if (at < HEADER_BYTES || at + 4 > bytes.length) throw refuse("a Blosc block lies outside its chunk");
      const length = view.getInt32(at, true);
      at += 4;
      if (length <= 0 || length > bytes.length - at) throw refuse("a Blosc block lies outside its chunk");
      found.starts.push(at);
      found.lengths.push(length);
      at += length;
    }
    blocks.push(found);
  }
  return blocks;
}
