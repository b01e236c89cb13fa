/** Decoding Blosc chunks where no native library is: the blocks here, their streams by decoders that are at hand. */
import { inflateSync } from "node:zlib";
import { type BloscHeader, HEADER_BYTES } from "./bloscHeader.js";
import { blosclzBlock } from "./blosclz.js";
import { lz4Block } from "./lz4.js";
import { refuse } from "./stage.js";
import { unshuffle, unshuffleBits } from "./unshuffle.js";
import { openZstd } from "./zstd.js";

/** Decodes `bytes[from..stop)` to exactly `out[to..end)`. */
type Stream = (bytes: Uint8Array, from: number, stop: number, out: Uint8Array, to: number, end: number) => void;

/** An element of more bytes than this has its block in one stream, as has a block of fewer elements. */
const MAX_STREAMS = 16;
const MIN_STREAM_BYTES = 128;

const viaBuffer =
  (decode: (bytes: Uint8Array, size: number) => Uint8Array): Stream =>
  (bytes, from, stop, out, to, end) => {
    const decoded = decode(bytes.subarray(from, stop), end - to);
    if (decoded.length !== end - to) throw refuse(`a block gives ${decoded.length} bytes instead of ${end - to}`);
    out.set(decoded, to);
  };

async function streamOf(compressor: BloscHeader["compressor"]): Promise<Stream> {
  if (compressor === "lz4") return lz4Block;
  if (compressor === "blosclz") return blosclzBlock;
  if (compressor === "zlib") {
    return viaBuffer((bytes, size) => inflateSync(bytes, { maxOutputLength: size, chunkSize: Math.max(64, size) }));
  }
  return viaBuffer(await openZstd());
}

/**
 * Decodes a chunk whose header has been checked; follows `blosc_d` of c-blosc 1.21.
 * @param out of the length that the header says, starting on a multiple of 4 of its buffer
 * @throws Error if the blocks are not whole
 */
export async function bloscPlain(bytes: Uint8Array, header: BloscHeader, out: Uint8Array): Promise<void> {
  if (header.stored) {
    out.set(bytes.subarray(HEADER_BYTES));
    return;
  }
  const { blockBytes } = header;
  const blocks = out.length === 0 ? 0 : Math.ceil(out.length / blockBytes);
  if (HEADER_BYTES + 4 * blocks > bytes.length) throw refuse("the Blosc chunk breaks off in its list of blocks");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const stream = await streamOf(header.compressor);
  const shuffled =
    header.shuffle === "none" || (header.itemBytes === 1 && header.shuffle === "bytes")
      ? null
      : new Uint8Array(blockBytes);
  for (let block = 0; block < blocks; block++) {
    const start = view.getInt32(HEADER_BYTES + 4 * block, true);
    const target = out.subarray(block * blockBytes, Math.min(out.length, (block + 1) * blockBytes));
    const planes = shuffled ? shuffled.subarray(0, target.length) : target;
    decodeBlock(view, bytes, start, planes, target.length < blockBytes, header, stream);
    if (shuffled) restore(planes, target, header);
  }
}

function decodeBlock(
  view: DataView,
  bytes: Uint8Array,
  start: number,
  out: Uint8Array,
  isLeftover: boolean,
  { itemBytes, blockBytes, whole }: BloscHeader,
  stream: Stream,
): void {
  const split = !whole && !isLeftover && itemBytes <= MAX_STREAMS && blockBytes / itemBytes >= MIN_STREAM_BYTES;
  const streams = split ? itemBytes : 1;
  const size = Math.floor(out.length / streams);
  if (size * streams !== out.length) throw refuse("a Blosc block cannot be split evenly");
  let at = start;
  for (let i = 0; i < streams; i++) {
    if (at < HEADER_BYTES || at + 4 > bytes.length) throw refuse("a Blosc block lies outside its chunk");
    const stored = view.getInt32(at, true);
    at += 4;
    if (stored <= 0 || stored > bytes.length - at) throw refuse("a Blosc block lies outside its chunk");
    if (stored === size) out.set(bytes.subarray(at, at + stored), i * size);
    else stream(bytes, at, at + stored, out, i * size, (i + 1) * size);
    at += stored;
  }
}

function restore(planes: Uint8Array, out: Uint8Array, { shuffle, itemBytes, version }: BloscHeader): void {
  if (shuffle === "bytes") {
    unshuffle(planes, out, itemBytes);
    return;
  }
  const count = Math.floor(planes.length / itemBytes);
  if (count % 8 !== 0) {
    // Format 2 leaves such a block as it is.
    if (version === 2) out.set(planes);
    else throw refuse("shuffled bits of Blosc format 1 in a block that is no multiple of 8 elements");
    return;
  }
  const bytes = count * itemBytes;
  unshuffleBits(planes.subarray(0, bytes), out.subarray(0, bytes), itemBytes);
  out.set(planes.subarray(bytes), bytes);
}
