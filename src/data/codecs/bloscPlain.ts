/** Decoding Blosc chunks where no native library is: the blocks here, their streams by decoders that are at hand. */
import { inflateSync } from "node:zlib";
import { type BloscBlock, bloscBlocks } from "./bloscBlocks.js";
import { type BloscHeader, HEADER_BYTES } from "./bloscHeader.js";
import { blosclzBlock } from "./blosclz.js";
import { lz4, MADE_BYTES, toRoom, unshuffleInRoom } from "./inRoom.js";
import { isInRoom, Loan } from "./room.js";
import { refuse } from "./stage.js";
import { unshuffle, unshuffleBits } from "./unshuffle.js";
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
  if (compressor === "lz4") return lz4;
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
  const { blockBytes, compressor, itemBytes, shuffle } = header;
  const stream = await streamOf(compressor);
  const loan = new Loan();
  try {
    const source = compressor === "lz4" ? (toRoom(bytes, loan) ?? bytes) : bytes;
    const room = loan.take(blockBytes);
    const made = itemBytes === 4 && shuffle === "bytes" && isInRoom(room) ? loan.takeRoom(MADE_BYTES) : null;
    for (const [i, block] of bloscBlocks(source, header).entries()) {
      const target = out.subarray(i * blockBytes, i * blockBytes + block.bytes * block.starts.length);
      const aside = room.subarray(0, target.length);
      if (made) decodeWords(source, block, stream, aside, target, made);
      else decodeBlock(source, header, block, stream, aside, target);
    }
  } finally {
    loan.giveBack();
  }
}

/** Decodes one stream of a block, or copies one that is stored as it is. */
function decodeStream(
  bytes: Uint8Array,
  { bytes: size, starts, lengths }: BloscBlock,
  i: number,
  stream: Stream,
  to: Uint8Array,
): void {
  const stop = starts[i] + lengths[i];
  if (lengths[i] === size) to.set(bytes.subarray(starts[i], stop), i * size);
  else stream(bytes, starts[i], stop, to, i * size, (i + 1) * size);
}

/** Shuffled elements of 4 bytes, in the room: a plane that is stored as it is stays where it is. */
function decodeWords(
  bytes: Uint8Array,
  block: BloscBlock,
  stream: Stream,
  aside: Uint8Array,
  target: Uint8Array,
  made: Uint8Array,
): void {
  const { bytes: size, starts, lengths } = block;
  const count = Math.floor(target.length / 4);
  const planes = [0, 1, 2, 3].map((i) => aside.subarray(i * count, (i + 1) * count));
  for (const [i, start] of starts.entries()) {
    const isPlane = starts.length === planes.length && lengths[i] === size && isInRoom(bytes);
    if (isPlane) planes[i] = bytes.subarray(start, start + size);
    else decodeStream(bytes, block, i, stream, aside);
  }
  unshuffleInRoom(planes, target, made);
  if (4 * count < target.length) target.set(aside.subarray(4 * count), 4 * count);
}

function decodeBlock(
  bytes: Uint8Array,
  header: BloscHeader,
  block: BloscBlock,
  stream: Stream,
  aside: Uint8Array,
  target: Uint8Array,
): void {
  const isPlain = header.shuffle === "none" || (header.itemBytes === 1 && header.shuffle === "bytes");
  const planes = isPlain && stream !== lz4 ? target : aside;
  for (const i of block.starts.keys()) decodeStream(bytes, block, i, stream, planes);
  if (!isPlain) restore(planes, target, header);
  else if (planes !== target) target.set(planes);
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
