/**
 * Gives libblosc2 damaged chunks, frames and blocks; run as a process of its own, which a fault of the library kills.
 * Source and target end where memory that may not be touched begins, so that one byte too many is such a fault.
 * @param argv number of cases that reach each decoder (blosc, zstd, lz4), seed
 */
import { createRequire } from "node:module";
import { bloscHeader } from "../../../src/data/codecs/bloscHeader.js";
import { type NativeDecoder, openBlosc } from "../../../src/native/index.js";
import { chooser, DAMAGES } from "../../support/damage.js";

const [cases, seed] = process.argv.slice(-2).map(Number);
const koffi = createRequire(import.meta.url)("koffi") as typeof import("koffi");
const system = koffi.load(null);
const mmap = system.func("void *mmap(void *at, size_t length, int protection, int flags, int file, int64_t offset)");
const mprotect = system.func("int mprotect(void *at, size_t length, int protection)");
const PAGE = 16384;
const PRIVATE_ANONYMOUS = process.platform === "darwin" ? 0x1002 : 0x22;

/** Memory of which the last `length` bytes before the forbidden page are given. */
function guarded(capacity: number): (length: number) => Uint8Array {
  const room = Math.ceil(capacity / PAGE) * PAGE;
  const at = mmap(null, room + PAGE, 3, PRIVATE_ANONYMOUS, -1, 0);
  if (mprotect(koffi.address(at) + BigInt(room), PAGE, 0) !== 0) throw new Error("mprotect");
  const memory = koffi.view(at, room) as ArrayBuffer;
  return (length) => new Uint8Array(memory, room - length, length);
}

/** Whole inputs of one of the library's decoders. */
interface Samples {
  decode: NativeDecoder;
  isBlosc: boolean;
  bytes: Uint8Array[];
}

const native = openBlosc();
if (!native) throw new Error("no libblosc2");
const raw = new Uint8Array(
  Float32Array.from({ length: 9000 }, (_, i) => 280 + Math.fround((i * 7919) % 1009) / 7).buffer,
);
const chunks: Uint8Array[] = [];
const { default: Blosc } = await import("numcodecs/blosc");
const { default: Zstd } = await import("numcodecs/zstd");
const { default: Lz4 } = await import("numcodecs/lz4");
for (const cname of ["blosclz", "lz4", "lz4hc", "zlib", "zstd"] as const) {
  for (const shuffle of [0, 1, 2]) {
    for (const blocksize of [0, 4096]) {
      chunks.push(await Blosc.fromConfig({ cname, clevel: 5, shuffle, blocksize } as never).encode(raw));
    }
  }
}
const decoders: Record<string, Samples> = { blosc: { decode: native.blosc, isBlosc: true, bytes: chunks } };
if (native.zstd) {
  const bytes = await Promise.all([1, 3, 9].map((level) => Zstd.fromConfig({ level }).encode(raw)));
  decoders.zstd = { decode: native.zstd, isBlosc: false, bytes };
}
if (native.lz4) {
  const bytes = await Promise.all([1, 9].map((acceleration) => Lz4.fromConfig({ acceleration }).encode(raw)));
  // numcodecs writes the length before the block
  decoders.lz4 = { decode: native.lz4, isBlosc: false, bytes: bytes.map((block: Uint8Array) => block.subarray(4)) };
}

const source = guarded(4 * raw.length);
const target = guarded(raw.length)(raw.length);
const kinds = Object.values(DAMAGES);
const choose = chooser(seed);
const tallies: Record<string, Record<string, number>> = {};
for (const [name, { decode, isBlosc, bytes }] of Object.entries(decoders)) {
  const tally = { refusedByHeader: 0, refused: 0, short: 0, same: 0, other: 0 };
  tallies[name] = tally;
  for (let given = 0, i = 0; given < cases; i++) {
    const damaged = kinds[choose(kinds.length)](bytes[i % bytes.length], choose);
    const at = source(damaged.length);
    at.set(damaged);
    try {
      if (isBlosc) bloscHeader(at, { bytes: raw.length, exact: true });
    } catch {
      tally.refusedByHeader += 1;
      continue;
    }
    given += 1;
    const written = await decode(at, target);
    if (written > target.length) throw new Error(`${written} bytes in ${target.length}`);
    if (written < 0) tally.refused += 1;
    else if (written < raw.length) tally.short += 1;
    else if (Buffer.compare(target, raw) === 0) tally.same += 1;
    else tally.other += 1;
  }
}
console.log(JSON.stringify(tallies));
