/** Decoding Blosc chunks where no native library is: the blocks here, their streams by decoders that are at hand. */
import { inflateSync } from "node:zlib";
import { bloscBlocks } from "./bloscBlocks.js";
import { type BloscHeader, HEADER_BYTES } from "./bloscHeader.js";
import { blosclzBlock } from "./blosclz.js";
import { lz4Block } from "./lz4.js";
import { refuse } from "./stage.js";
import { unshuffle, unshuffleBits } from "./unshuffle.js";
import { scratch, unshuffleFast } from "./unshuffleWasm.js";
import { openZstd } from "./zstd.js";

/** Decodes `bytes[from..stop)` to exactly `out[to..end)`. */
type Stream = (bytes: Uint8Array, from: number, stop: number, out: Uint8Array, to: number, end: number) => void;

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
 * Decodes a chunk whose header has been checked.
 * @param out of the length that the header says, starting on a multiple of 4 of its buffer
 * @throws Error if the blocks are not whole
 */
export async function bloscPlain(bytes: Uint8Array, header: BloscHeader, out: Uint8Array): Promise<void> {
  if (header.stored) {
    out.set(bytes.subarray(HEADER_BYTES));
    return;
  }
  const { blockBytes } = header;
  const stream = await streamOf(header.compressor);
  const isPlain = header.shuffle === "none" || (header.itemBytes === 1 && header.shuffle === "bytes");
  const shuffled = isPlain ? null : scratch(blockBytes);
  for (const [block, { bytes: size, starts, lengths }] of bloscBlocks(bytes, header).entries()) {
    const target = out.subarray(block * blockBytes, block * blockBytes + size * starts.length);
    const planes = shuffled ? shuffled.subarray(0, target.length) : target;
    for (const [i, start] of starts.entries()) {
      const stop = start + lengths[i];
      if (lengths[i] === size) planes.set(bytes.subarray(start, stop), i * size);
      else stream(bytes, start, stop, planes, i * size, (i + 1) * size);
    }
    if (shuffled) restore(planes, target, header);
  }
}

function restore(planes: Uint8Array, out: Uint8Array, { shuffle, itemBytes, version }: BloscHeader): void {
  if (shuffle === "bytes") {
    if (itemBytes !== 4 || !unshuffleFast(planes, out)) unshuffle(planes, out, itemBytes);
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
