/** The decoders without any native library, checksums, and the bounds of every codec. */
import { execFileSync } from "node:child_process";
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { crc32, deflateRawSync, deflateSync, gzipSync } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import { bloscHeader } from "../../src/data/codecs/bloscHeader.js";
import { bloscPlain } from "../../src/data/codecs/bloscPlain.js";
import { adler32, crc32c, fletcher32 } from "../../src/data/codecs/checksums.js";
import { stagesOf } from "../../src/data/codecs/chunkCodec.js";
import { readFill } from "../../src/data/codecs/fill.js";
import { undo } from "../../src/data/codecs/stage.js";
import { openSource } from "../../src/data/source/index.js";
import { openStore } from "../../src/data/store.js";
import { damaged } from "../support/damage.js";
import { temporaryFolder, tinyStore } from "./support.js";

const folder = temporaryFolder();
afterAll(folder.remove);
let count = 0;
const fresh = (end = ".zarr") => join(folder.path, `${count++}${end}`);

/** Noise that shuffles well, in 9001 numbers: the last block is no multiple of anything. */
const floats = Float32Array.from({ length: 9001 }, (_, i) => 280 + ((i * 7919) % 1009) / 7);
const raw = new Uint8Array(floats.buffer);
const exact = { bytes: raw.length, exact: true };

/** Bytes through codecs of format 2, as they are decoded. */
const decode = (bytes: Uint8Array, ...codecs: string[]) =>
  undo(stagesOf({ type: "<f4", codecs: codecs.map((name) => ({ name, configuration: {} })) }), bytes, exact);

const NAMES = ["blosclz", "lz4", "lz4hc", "zlib", "zstd"];
const BLOSC = NAMES.flatMap((name) =>
  [0, 1, 2].flatMap((shuffle) => [0, 4096].map((size) => [name, shuffle, size] as const)),
);

async function blosc(cname: string, shuffle: number, blocksize: number): Promise<Uint8Array> {
  const { default: Blosc } = await import("numcodecs/blosc");
  return Blosc.fromConfig({ cname, clevel: 5, shuffle, blocksize } as never).encode(raw);
}

async function plain(bytes: Uint8Array): Promise<Uint8Array> {
  const out = new Uint8Array(raw.length);
  await bloscPlain(bytes, bloscHeader(bytes, exact), out);
  return out;
}

describe("Blosc without a library", () => {
  it.each(BLOSC)("%s, shuffle %i, blocks of %i", async (name, shuffle, size) => {
    const bytes = await blosc(name, shuffle, size);
    expect(Buffer.compare(await plain(bytes), raw)).toBe(0);
    for (const length of [0, 15, 16, 40, bytes.length >> 1, bytes.length - 1]) {
      await expect(plain(bytes.slice(0, length)), `${length} bytes`).rejects.toThrow();
    }
    await expect(plain(Uint8Array.from([...bytes, 0])), "bytes after").rejects.toThrow(/chunk of \d+ bytes in/);
    // Whatever else happens to it: an error of ours or as many bytes as before, never another fault.
    for (const changed of damaged(bytes, 60, 3)) {
      const result = await plain(changed).catch((error: Error) => error);
      if (result instanceof RangeError || result instanceof TypeError) throw result;
    }
  });

  it("takes chunks of Blosc 1 alone", async () => {
    const bytes = await blosc("lz4", 1, 0);
    for (const version of [0, 3, 4, 5, 255]) {
      const other = bytes.slice();
      other[0] = version;
      await expect(plain(other)).rejects.toThrow(`Blosc format ${version} instead of 1 or 2`);
    }
  });
});

describe("checksums", () => {
  const text = (value: string) => new TextEncoder().encode(value);

  it("are those of others", () => {
    expect(crc32c(text("123456789"))).toBe(0xe3069283);
    expect(adler32(text("Wikipedia"))).toBe(0x11e60398);
    const long = text(`${"abcde".repeat(100)}x`);
    expect([fletcher32(long), crc32c(long), adler32(long)]).toEqual([0x6df6870f, 0xffe7cd80, 0xff7ac1d5]);
  });

  it.each(["crc32", "crc32c", "adler32", "fletcher32"])(
    "%s: every flip is noticed, alone or around zlib",
    async (name) => {
      const sum = { crc32: (b: Uint8Array) => crc32(b), crc32c, adler32, fletcher32 }[name]!;
      for (const inner of [raw, new Uint8Array(deflateSync(raw))]) {
        const four = Buffer.alloc(4);
        four.writeUInt32LE(sum(inner));
        const atStart = name === "crc32" || name === "adler32";
        const whole = new Uint8Array(Buffer.concat(atStart ? [four, inner] : [inner, four]));
        const codecs = inner === raw ? [name] : ["zlib", name];
        expect(Buffer.compare(await decode(whole, ...codecs), raw)).toBe(0);
        for (let at = 0; at < whole.length; at += 97) {
          const flipped = whole.slice();
          flipped[at] ^= 4;
          await expect(decode(flipped, ...codecs), `byte ${at}`).rejects.toThrow(/do not match their checksum/);
        }
        await expect(decode(whole.slice(0, 3), ...codecs)).rejects.toThrow();
      }
    },
  );
});

describe("bounds", () => {
  const many = new Uint8Array(64 * 2 ** 20);

  it.each([
    ["zlib", deflateSync(many)],
    ["gzip", gzipSync(many)],
  ])("%s that goes on beyond its chunk", async (name, bytes) => {
    await expect(decode(new Uint8Array(bytes), name)).rejects.toThrow(name);
    expect(bytes.length).toBeLessThan(70_000);
  });

  it("bytes after the end, and a missing end", async () => {
    for (const [name, bytes] of [
      ["zlib", deflateSync(raw)],
      ["gzip", gzipSync(raw)],
    ] as const) {
      expect(Buffer.compare(await decode(new Uint8Array(bytes), name), raw)).toBe(0);
      await expect(decode(new Uint8Array([...bytes, 1, 2, 3]), name), name).rejects.toThrow(name);
      await expect(decode(new Uint8Array(bytes.subarray(0, -3)), name), name).rejects.toThrow(name);
    }
  });

  it("zstd and lz4 that say they hold more, go on or break off", async () => {
    const { default: Zstd } = await import("numcodecs/zstd");
    const { default: Lz4 } = await import("numcodecs/lz4");
    for (const [name, codec] of [
      ["zstd", Zstd.fromConfig({ level: 3 })],
      ["lz4", Lz4.fromConfig({ acceleration: 1 })],
    ] as const) {
      const bytes = await codec.encode(raw);
      expect(Buffer.compare(await decode(bytes, name), raw)).toBe(0);
      await expect(decode(await codec.encode(many), name)).rejects.toThrow(
        /hold 67108864 bytes instead of 36004|stored/,
      );
      await expect(decode(Uint8Array.from([...bytes, 0, 0]), name)).rejects.toThrow(name);
      await expect(decode(bytes.slice(0, -1), name)).rejects.toThrow(name);
    }
  });

  it("a zip entry that says it holds 4 GB, or holds more than it says", async () => {
    const path = fresh(".zip");
    const bomb = deflateRawSync(many);
    writeFileSync(path, zipOf("0", bomb, 0xfffffff0, 0));
    const source = await openSource(path);
    await expect(source.get("/0", 1000)).rejects.toThrow(
      /: 0: larger than what it should hold; found 4294967280 bytes/,
    );
    await source.close();
    writeFileSync(path, zipOf("0", bomb, 1000, 0));
    const other = await openSource(path);
    await expect(other.get("/0", 1000)).rejects.toThrow(/: 0: a zip entry is damaged/);
    await other.close();
  });

  it("a deflated zip entry that does not match its checksum", async () => {
    const path = fresh(".zip");
    writeFileSync(path, zipOf("0", deflateRawSync(raw), raw.length, crc32(raw) ^ 1));
    const source = await openSource(path);
    await expect(source.get("/0", 2 ** 20)).rejects.toThrow(/: 0: a zip entry is damaged/);
    await source.close();
  });

  it("an answer of a server that never ends", async () => {
    const server = createServer(({ url }, response) => {
      if (!url?.includes("/data/")) return response.writeHead(404).end();
      const piece = Buffer.alloc(2 ** 16);
      const more = () => {
        while (response.write(piece));
        response.once("drain", more);
      };
      more();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const source = await openSource(`http://127.0.0.1:${(server.address() as AddressInfo).port}/s.zarr`);
    await expect(source.get("/data/0", 2 ** 20)).rejects.toThrow(/larger than what it should hold.*at most 1048576/);
    server.closeAllConnections();
    server.close();
  });

  it("an answer that never ends to the question what lies at the root", async () => {
    const server = createServer((_, response) => {
      const more = () => {
        while (response.write(Buffer.alloc(2 ** 16)));
        response.once("drain", more);
      };
      more();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = `http://127.0.0.1:${(server.address() as AddressInfo).port}/s.zarr`;
    await expect(openSource(address)).rejects.toThrow(/zarr\.json: larger than what it should hold/);
    server.closeAllConnections();
    server.close();
  });

  it("a chunk file larger than its chunk can be", async () => {
    const path = await tinyStore(fresh());
    writeFileSync(join(path, "lats/0"), many);
    await expect(openStore(path)).rejects.toThrow(/lats\/0: larger than what it should hold; found 67108864 bytes/);
  });

  it.skipIf(process.platform === "win32")("pipes and devices", async () => {
    const path = await tinyStore(fresh());
    rmSync(join(path, "lats/0"));
    execFileSync("mkfifo", [join(path, "lats/0")]);
    await expect(openStore(path)).rejects.toThrow(/lats\/0: not a file or folder/);
    rmSync(join(path, "lats/0"));
    symlinkSync("/dev/zero", join(path, "lats/0"));
    await expect(openStore(path)).rejects.toThrow(/lats\/0: not a file or folder/);
    await expect(openStore("/dev/zero")).rejects.toThrow(/not a file or folder/);
    const folderForChunk = await tinyStore(fresh());
    rmSync(join(folderForChunk, "lats/0"));
    mkdirSync(join(folderForChunk, "lats/0"));
    await expect(openStore(folderForChunk)).rejects.toThrow(/lats\/0: a chunk is missing/);
  });
});

/** A zip file of one deflated entry with what its directory says of it. */
function zipOf(name: string, packed: Uint8Array, size: number, crc: number): Buffer {
  const fields = (at: number, header: Buffer) => {
    header.writeUInt16LE(8, at);
    header.writeUInt32LE(crc >>> 0, at + 6);
    header.writeUInt32LE(packed.length, at + 10);
    header.writeUInt32LE(size, at + 14);
    header.writeUInt16LE(name.length, at + 18);
    return header;
  };
  const local = fields(8, Buffer.alloc(30));
  local.writeUInt32LE(0x04034b50, 0);
  const central = fields(10, Buffer.alloc(46));
  central.writeUInt32LE(0x02014b50, 0);
  const start = local.length + name.length + packed.length;
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(central.length + name.length, 12);
  end.writeUInt32LE(start, 16);
  return Buffer.concat([local, Buffer.from(name), packed, central, Buffer.from(name), end]);
}

it("a fill value that is none is named in short, however long it is", () => {
  const type = { kind: "float", bytes: 4 } as Parameters<typeof readFill>[1];
  for (const value of ["x".repeat(1e6), [1], { a: "y".repeat(1e6) }]) {
    const told = (() => {
      try {
        return String(readFill(value, type));
      } catch (error) {
        return (error as Error).message;
      }
    })();
    expect(told).toMatch(/^the fill value .* is no number of the array's type$/s);
    expect(told.length).toBeLessThan(3000);
  }
});
