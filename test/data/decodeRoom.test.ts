/** The memory that chunks are decoded in, and its WebAssembly decoders beside those in TypeScript, bit for bit. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { deflateSync, gzipSync } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import { crc32c } from "../../src/data/codecs/checksums.js";
import { lz4, lz4Plain, MADE_BYTES, toRoom, unshuffleInRoom } from "../../src/data/codecs/inRoom.js";
import { lz4Block } from "../../src/data/codecs/lz4.js";
import { isInRoom, Loan, MOST_PAGES } from "../../src/data/codecs/room.js";
import { unshuffle } from "../../src/data/codecs/unshuffle.js";
import { openSource } from "../../src/data/source/index.js";
import { openArray } from "../../src/data/zarr/array.js";
import { openMetadata } from "../../src/data/zarr/metadata.js";
import { chooser, DAMAGES } from "../support/damage.js";
import fc from "../support/property.js";
import { temporaryFolder } from "./support.js";

const folder = temporaryFolder();
afterAll(folder.remove);

const ROOM_BYTES = MOST_PAGES * 65536;

describe("the room", () => {
  it("lends no place twice, and what was given back again", () => {
    const steps = fc.array(fc.record({ bytes: fc.nat(300_000), back: fc.nat(9) }), { maxLength: 40 });
    fc.assert(
      fc.property(steps, (list) => {
        const held: { loan: Loan; views: Uint8Array[]; mark: number }[] = [];
        for (const [i, { bytes, back }] of list.entries()) {
          const loan = new Loan();
          const views = [loan.take(bytes), loan.take(i)];
          expect(views.map(({ length }) => length)).toEqual([bytes, i]);
          for (const view of views) {
            expect(isInRoom(view)).toBe(true);
            expect(view.byteOffset % 4096).toBe(0);
            view.fill(i);
          }
          held.push({ loan, views, mark: i });
          if (back < held.length) held.splice(back, 1)[0].loan.giveBack();
          for (const { views: own, mark } of held) {
            for (const view of own) expect(view.every((byte) => byte === mark)).toBe(true);
          }
        }
        for (const { loan } of held) loan.giveBack();
      }),
      { numRuns: 30 },
    );
    const loan = new Loan();
    expect(loan.take(1).byteOffset).toBe(0);
    loan.giveBack();
  });

  it("gives memory of its own beyond its bound", () => {
    const loan = new Loan();
    expect(loan.takeRoom(ROOM_BYTES)).toBeNull();
    const own = loan.take(ROOM_BYTES);
    expect([isInRoom(own), own.length]).toEqual([false, ROOM_BYTES]);
    loan.giveBack();
  });
});

/** A block of LZ4, without thought of what it compresses: literals, a repetition, and so on; the last ones literals. */
const block = fc
  .tuple(
    fc.array(fc.tuple(fc.nat(400), fc.integer({ min: 1, max: 65535 }), fc.integer({ min: 4, max: 700 })), {
      maxLength: 30,
    }),
    fc.boolean(),
    fc.integer({ min: 12, max: 90 }),
    fc.nat(2 ** 31),
  )
  .map(([sequences, isNear, last, seed]) => {
    const choose = chooser(seed);
    const bytes: number[] = [];
    let size = 0;
    const more = (length: number, most: number) => {
      if (length < most) return;
      let rest = length - most;
      for (; rest >= 255; rest -= 255) bytes.push(255);
      bytes.push(rest);
    };
    const literals = (count: number, length: number) => {
      bytes.push((Math.min(15, count) << 4) | Math.min(15, length));
      more(count, 15);
      for (let i = 0; i < count; i++) bytes.push(choose(256));
      size += count;
    };
    for (const [count, far, length] of sequences) {
      literals(size === 0 ? count + 1 : count, length - 4);
      const offset = 1 + ((far - 1) % Math.min(size, isNear ? 20 : 65535));
      bytes.push(offset & 255, offset >> 8);
      more(length - 4, 15);
      size += length;
    }
    literals(last, 0);
    return { bytes: Uint8Array.from(bytes), size: size, seed };
  });

const GUARD = 64;

/** What a decoder makes of a block, as hexadecimal digits, with bytes around its place that must stay; or what it says. */
function outcome(decode: typeof lz4Block, bytes: Uint8Array, out: Uint8Array): string {
  out.fill(0xa5);
  let said = "";
  try {
    decode(bytes, 0, bytes.length, out, GUARD, out.length - GUARD);
  } catch (error) {
    if (error instanceof RangeError || error instanceof TypeError) throw error;
    said = (error as Error).message;
  }
  const guards = [...out.subarray(0, GUARD), ...out.subarray(-GUARD)];
  expect(guards.every((byte) => byte === 0xa5)).toBe(true);
  return said || Buffer.from(out.slice(GUARD, -GUARD)).toString("hex");
}

describe("decoders in the room", () => {
  it("LZ4: what TypeScript gives, whole or damaged", () => {
    let refused = 0;
    fc.assert(
      fc.property(block, ({ bytes, size, seed }) => {
        const choose = chooser(seed + 1);
        const kinds = Object.values(DAMAGES);
        const cases = [bytes, ...kinds.map((kind) => kind(bytes, choose))];
        for (const [i, one] of cases.entries()) {
          const loan = new Loan();
          // what lies behind the block must not be taken for a part of it
          const around = loan.take(one.length + GUARD).fill(255);
          around.set(one);
          const source = around.subarray(0, one.length);
          const length = size + (i % 4 === 3 ? choose(3) - 1 : 0) + 2 * GUARD;
          const expected = outcome(lz4Block, one, new Uint8Array(length));
          const found = outcome(lz4, source, loan.take(length));
          if (i === 0) expect(expected).toMatch(/^[0-9a-f]+$/);
          if (/LZ4/.test(expected)) refused += 1;
          expect(found).toBe(expected);
          loan.giveBack();
        }
      }),
      { numRuns: 100 },
    );
    expect(refused).toBeGreaterThan(200);
  });

  it("LZ4: a length that would not fit 32 bits, and be that of the literals there if cut to them", () => {
    const literals = 12;
    const rest = 2 ** 32 + literals - 15;
    const bytes = new Uint8Array(1 + Math.floor(rest / 255) + 1 + literals).fill(255);
    bytes[0] = 0xf0;
    bytes[bytes.length - 1 - literals] = rest % 255;
    const loan = new Loan();
    const inRoom = toRoom(bytes, loan)!;
    const place = loan.take(literals);
    for (const [decode, source] of [[lz4, inRoom] as const, [lz4Block, bytes] as const]) {
      expect(() => decode(source, 0, source.length, place, 0, literals)).toThrow("an LZ4 literal leaves its block");
      const broken = source.length - 1 - literals;
      expect(() => decode(source, 0, broken, place, 0, literals)).toThrow("LZ4 data break off");
    }
    loan.giveBack();
  });

  it("LZ4: from anywhere to anywhere, what is larger than the room too", () => {
    const bytes = Uint8Array.from([0, 0xc0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    const out = new Uint8Array(12);
    lz4Plain(bytes, 1, out);
    expect([...out]).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    // a single byte, again and again, and five at the end
    const many = ROOM_BYTES + 1;
    const rest = many - 1 - 5 - 4 - 15;
    const long = [0x1f, 7, 1, 0, ...new Array(Math.floor(rest / 255)).fill(255), rest % 255, 0x50, 7, 7, 7, 7, 7];
    expect(() => lz4Plain(Uint8Array.from(long), 0, new Uint8Array(many))).not.toThrow();
  });

  it("planes: what TypeScript gives, of any length", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 40_000 }), fc.nat(2 ** 31), (count, seed) => {
        const choose = chooser(seed);
        const loan = new Loan();
        const planes = loan.take(4 * count).map(() => choose(256));
        const inRoom = toRoom(planes, loan)!;
        const [expected, found] = [new Uint8Array(4 * count), new Uint8Array(4 * count + 1)];
        unshuffle(planes, expected, 4);
        const four = [0, 1, 2, 3].map((i) => inRoom.subarray(i * count, (i + 1) * count));
        unshuffleInRoom(four, found, loan.takeRoom(MADE_BYTES)!);
        expect(Buffer.compare(found.subarray(0, -1), expected)).toBe(0);
        expect(found[4 * count]).toBe(0);
        loan.giveBack();
      }),
      { numRuns: 60 },
    );
  });
});

describe("chunks of a folder", () => {
  const withSum = (bytes: Uint8Array) => {
    const sum = Buffer.alloc(4);
    sum.writeUInt32LE(crc32c(bytes));
    return Buffer.concat([bytes, sum]);
  };
  const forms = [
    ["as they are", [], (bytes: Uint8Array) => bytes],
    ["with a checksum", [{ id: "crc32c" }], withSum],
    ["zlib", [{ id: "zlib", level: 1 }], (bytes: Uint8Array) => deflateSync(bytes)],
    ["gzip in a checksum", [{ id: "gzip", level: 1 }, { id: "crc32c" }], (b: Uint8Array) => withSum(gzipSync(b))],
  ] as const;

  it.each(forms.flatMap((form) => (["<f4", ">f4", "<f8", "<i2"] as const).map((type) => [type, ...form] as const)))(
    "%s, %s: all at once, each its own values",
    async (type, name, filters, encode) => {
      const [chunks, length] = [24, 30_000];
      const bytes = Number(type[2]);
      const path = join(folder.path, `${name}-${type}`);
      mkdirSync(join(path, "a"), { recursive: true });
      writeFileSync(join(path, ".zgroup"), '{"zarr_format":2}');
      const array = { zarr_format: 2, shape: [chunks * length], chunks: [length], dtype: type, order: "C" };
      const more = { compressor: null, filters: filters.length > 0 ? filters : null, fill_value: 0 };
      writeFileSync(join(path, "a/.zarray"), JSON.stringify({ ...array, ...more }));
      const value = (chunk: number, i: number) => (chunk * 1000 + (i % 997)) % 30_011;
      for (let chunk = 0; chunk < chunks; chunk++) {
        const view = new DataView(new ArrayBuffer(bytes * length));
        for (let i = 0; i < length; i++) {
          const at = bytes * i;
          if (type === "<i2") view.setInt16(at, value(chunk, i), true);
          else if (type === "<f8") view.setFloat64(at, value(chunk, i), true);
          else view.setFloat32(at, value(chunk, i), type === "<f4");
        }
        writeFileSync(join(path, `a/${chunk}`), encode(new Uint8Array(view.buffer)));
      }
      const source = await openSource(path);
      const metadata = await openMetadata(source, path);
      const opened = await openArray(metadata, (await metadata.array("a"))!, path, null);
      const read = await Promise.all(Array.from({ length: chunks }, (_, chunk) => opened.chunk([chunk])));
      for (const [chunk, { values }] of read.entries()) {
        expect(values.findIndex((found, i) => found !== value(chunk, i))).toBe(-1);
      }
      const loan = new Loan();
      expect(loan.take(1).byteOffset, "everything is given back").toBe(0);
      loan.giveBack();
    },
  );

  it("gives back what a damaged chunk was read to", async () => {
    const path = join(folder.path, "zlib-<f4");
    writeFileSync(join(path, "a/3"), "damaged");
    const metadata = await openMetadata(await openSource(path), path);
    const opened = await openArray(metadata, (await metadata.array("a"))!, path, null);
    await expect(opened.chunk([3])).rejects.toThrow(/a\/3/);
    const loan = new Loan();
    expect(loan.take(1).byteOffset).toBe(0);
    loan.giveBack();
  });
});
