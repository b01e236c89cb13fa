/**
 * Zip archives of stored (uncompressed) entries, written as a stream: fixed dates, so equal content gives equal
 * bytes; entry data on a chosen alignment, as PyTorch maps it; zip64 records where sizes or counts ask for them.
 * Format: PKWARE APPNOTE 6.3, sections 4.3.7 to 4.3.16 and 4.5.3. (fflate, used elsewhere, has neither zip64 nor alignment.)
 */
import { crc32 } from "node:zlib";
import { AtmorepError } from "../../errors.js";
import type { AtomicFile } from "../atomic.js";
import { Spool } from "./spool.js";

const UINT32 = 0xffffffff;
const UINT16 = 0xffff;
const UTF8_NAMES = 0x0800;
/** 1 January 1980, the first date zip can hold */
const DATE = 0x0021;

/** of the checksum in a local header */
const CRC_OFFSET = 14;

interface Written {
  name: Buffer;
  crc: number;
  size: number;
  offset: number;
}

export interface ZipWriterOptions {
  /** entry data start on multiples of this many bytes (1 = anywhere) */
  align?: number;
  /** false: the caller never writes a name twice, and need not pay for a list of all names; default true */
  checkNames?: boolean;
}

export class ZipWriter {
  private count = 0;
  private readonly directory: Spool;
  private readonly names = new Set<string>();

  constructor(
    private readonly file: AtomicFile,
    private readonly options: ZipWriterOptions = {},
  ) {
    this.directory = new Spool(`${file.path}.directory`);
  }

  /** Adds an entry. */
  async add(name: string, data: Uint8Array | string): Promise<void> {
    const bytes = typeof data === "string" ? Buffer.from(data, "utf8") : data;
    const entry = await this.begin(name, bytes.length, crc32(bytes));
    await this.file.write(bytes);
    await this.end(entry);
  }

  private async end(entry: Written): Promise<void> {
    this.count++;
    await this.directory.add(centralHeader(entry));
  }

  private async begin(name: string, size: number, crc: number): Promise<Written> {
    if (this.names.has(name)) throw new AtmorepError("failed", "a zip entry was written twice", { where: name });
    if (this.options.checkNames ?? true) this.names.add(name);
    const entry = { name: Buffer.from(name, "utf8"), crc, size, offset: this.file.position };
    await this.file.write(localHeader(entry, this.options.align ?? 1));
    return entry;
  }

  /** Adds an entry of known size piece by piece. */
  async addChunks(name: string, size: number, chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<void> {
    const entry = await this.begin(name, size, 0);
    let written = 0;
    for await (const chunk of chunks) {
      entry.crc = crc32(chunk, entry.crc);
      written += chunk.length;
      await this.file.write(chunk);
    }
    if (written !== size) {
      throw new AtmorepError("failed", "a zip entry has another size than announced", {
        where: name,
        found: written,
        expected: `${size} bytes`,
      });
    }
    const crc = Buffer.alloc(4);
    crc.writeUInt32LE(entry.crc);
    await this.file.patch(crc, entry.offset + CRC_OFFSET);
    await this.end(entry);
  }

  /** Writes the central directory; the file is still to be committed. */
  async finish(): Promise<void> {
    const start = this.file.position;
    for await (const headers of this.directory.drain()) await this.file.write(headers);
    await this.file.write(endRecords(this.count, this.file.position - start, start));
    await this.directory.discard();
  }

  /** Gives the archive up; its file is the caller's. */
  abort(): Promise<void> {
    return this.directory.discard();
  }
}

function localHeader(entry: Written, align: number): Buffer {
  const zip64 = entry.size >= UINT32 ? zip64Extra([entry.size, entry.size]) : Buffer.alloc(0);
  const fixed = 30 + entry.name.length + zip64.length;
  const padding = align > 1 ? paddingExtra(entry.offset + fixed, align) : Buffer.alloc(0);
  const header = Buffer.alloc(30);
  header.writeUInt32LE(0x04034b50, 0);
  header.writeUInt16LE(zip64.length ? 45 : 20, 4);
  header.writeUInt16LE(UTF8_NAMES, 6);
  header.writeUInt16LE(DATE, 12);
  header.writeUInt32LE(entry.crc, CRC_OFFSET);
  header.writeUInt32LE(Math.min(entry.size, UINT32), 18);
  header.writeUInt32LE(Math.min(entry.size, UINT32), 22);
  header.writeUInt16LE(entry.name.length, 26);
  header.writeUInt16LE(zip64.length + padding.length, 28);
  return Buffer.concat([header, entry.name, zip64, padding]);
}

/** An extra field of tag "FB" filled with Z up to the next aligned byte, as PyTorch writes it. */
function paddingExtra(position: number, align: number): Buffer {
  const gap = align - ((position + 4) % align || align);
  const extra = Buffer.alloc(4 + gap, "Z");
  extra.write("FB", 0, "latin1");
  extra.writeUInt16LE(gap, 2);
  return extra;
}

function zip64Extra(values: number[]): Buffer {
  const extra = Buffer.alloc(4 + 8 * values.length);
  extra.writeUInt16LE(1, 0);
  extra.writeUInt16LE(8 * values.length, 2);
  values.forEach((value, i) => {
    extra.writeBigUInt64LE(BigInt(value), 4 + 8 * i);
  });
  return extra;
}

function centralHeader(entry: Written): Buffer {
  const large = [
    ...(entry.size >= UINT32 ? [entry.size, entry.size] : []),
    ...(entry.offset >= UINT32 ? [entry.offset] : []),
  ];
  const extra = large.length ? zip64Extra(large) : Buffer.alloc(0);
  const header = Buffer.alloc(46);
  header.writeUInt32LE(0x02014b50, 0);
  header.writeUInt16LE(45, 4);
  header.writeUInt16LE(large.length ? 45 : 20, 6);
  header.writeUInt16LE(UTF8_NAMES, 8);
  header.writeUInt16LE(DATE, 14);
  header.writeUInt32LE(entry.crc, 16);
  header.writeUInt32LE(Math.min(entry.size, UINT32), 20);
  header.writeUInt32LE(Math.min(entry.size, UINT32), 24);
  header.writeUInt16LE(entry.name.length, 28);
  header.writeUInt16LE(extra.length, 30);
  header.writeUInt32LE(Math.min(entry.offset, UINT32), 42);
  return Buffer.concat([header, entry.name, extra]);
}

function endRecords(count: number, size: number, offset: number): Buffer {
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(Math.min(count, UINT16), 8);
  end.writeUInt16LE(Math.min(count, UINT16), 10);
  end.writeUInt32LE(Math.min(size, UINT32), 12);
  end.writeUInt32LE(Math.min(offset, UINT32), 16);
  if (count < UINT16 && size < UINT32 && offset < UINT32) return end;
  const end64 = Buffer.alloc(56 + 20);
  end64.writeUInt32LE(0x06064b50, 0);
  end64.writeBigUInt64LE(44n, 4);
  end64.writeUInt16LE(45, 12);
  end64.writeUInt16LE(45, 14);
  end64.writeBigUInt64LE(BigInt(count), 24);
  end64.writeBigUInt64LE(BigInt(count), 32);
  end64.writeBigUInt64LE(BigInt(size), 40);
  end64.writeBigUInt64LE(BigInt(offset), 48);
  end64.writeUInt32LE(0x07064b50, 56);
  end64.writeBigUInt64LE(BigInt(offset + size), 64);
  end64.writeUInt32LE(1, 72);
  return Buffer.concat([end64, end]);
}
