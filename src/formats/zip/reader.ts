/**
 * Reading stored entries of zip archives, zip64 included, in ranges: nothing but the directory is held in memory.
 * Every size and offset is checked against the file before it is used.
 */
import { constants } from "node:buffer";
import type { FileHandle } from "node:fs/promises";
import { crc32 } from "node:zlib";
import { BUDGET, openRegular } from "../../budgets.js";
import { AtmorepError, isAtmorepError } from "../../errors.js";

const UINT32 = 0xffffffff;
/** bytes of an entry's header without its name */
const LOCAL_HEADER = 30;
/** end record plus the longest comment */
const END_SEARCH = 22 + 0xffff;

export interface ZipEntry {
  name: string;
  /** 0 stored, 8 deflated */
  method: number;
  /** bytes of the entry as stored */
  storedSize: number;
  size: number;
  crc: number;
  /** of the local header */
  offset: number;
}

export class ZipReader {
  private readonly starts = new Map<string, number>();

  private constructor(
    readonly path: string,
    private readonly handle: FileHandle,
    readonly fileSize: number,
    readonly entries: ReadonlyMap<string, ZipEntry>,
  ) {}

  /** @throws AtmorepError (input) if the file cannot be opened or is not a whole zip archive */
  static async open(path: string): Promise<ZipReader> {
    const handle = await openFile(path);
    try {
      const { size } = await handle.stat();
      return new ZipReader(path, handle, size, await readDirectory(path, handle, size));
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  close(): Promise<void> {
    return this.handle.close();
  }

  /**
   * Bytes `start` to `start + length` of a stored entry; a whole entry is checked by its checksum.
   * @param lend where they are put, a new buffer unless it is given
   */
  async read(
    entry: ZipEntry,
    start = 0,
    length = entry.size - start,
    lend?: (bytes: number) => Uint8Array,
  ): Promise<Uint8Array> {
    if (start < 0 || length < 0 || start + length > entry.size) {
      throw damaged(this.path, `entry ${entry.name} is shorter than its use`);
    }
    const position = (await this.dataStart(entry)) + start;
    const bytes = await readRange(this.path, this.handle, position, length, this.fileSize, lend);
    // PyTorch can be told to write no checksums (`set_crc32_options(False)`): it writes 0 then.
    if (length === entry.size && entry.crc !== 0 && crc32(bytes) !== entry.crc) {
      throw damaged(this.path, `entry ${entry.name} does not match its checksum`);
    }
    return bytes;
  }

  private async dataStart(entry: ZipEntry): Promise<number> {
    const known = this.starts.get(entry.name);
    if (known !== undefined) return known;
    if (entry.method !== 0 || entry.storedSize !== entry.size) {
      throw new AtmorepError("input", "a compressed zip entry cannot be read here", {
        where: `${this.path}: ${entry.name}`,
        expected: "entries stored without compression, as PyTorch writes them",
      });
    }
    const header = Buffer.from(await readRange(this.path, this.handle, entry.offset, LOCAL_HEADER, this.fileSize));
    if (header.readUInt32LE(0) !== 0x04034b50) throw damaged(this.path, `entry ${entry.name} has no local header`);
    const start = entry.offset + LOCAL_HEADER + header.readUInt16LE(26) + header.readUInt16LE(28);
    this.starts.set(entry.name, start);
    return start;
  }
}

/** Opens a regular file for reading. @throws AtmorepError (input) naming the file */
export async function openFile(path: string): Promise<FileHandle> {
  try {
    return await openRegular(path);
  } catch (cause) {
    if (isAtmorepError(cause)) throw cause;
    throw new AtmorepError("input", "the file cannot be opened", { where: path, found: String(cause), cause });
  }
}

/** Reads exactly `length` bytes at `position`. @throws AtmorepError (input) if the file is shorter */
export async function readRange(
  path: string,
  handle: FileHandle,
  position: number,
  length: number,
  fileSize: number,
  lend = (bytes: number): Uint8Array => new Uint8Array(bytes),
): Promise<Uint8Array> {
  if (position < 0 || length < 0 || position + length > fileSize) throw damaged(path, "data lie outside the file");
  if (length > constants.MAX_LENGTH) {
    throw new AtmorepError("input", "one tensor or entry is too large for this version of Node", {
      where: path,
      found: `${length} bytes`,
      expected: `at most ${constants.MAX_LENGTH} bytes`,
      fix: "Use a newer version of Node.",
    });
  }
  const bytes = lend(length);
  for (let done = 0; done < length; ) {
    const { bytesRead } = await handle.read(bytes, done, Math.min(length - done, 1 << 30), position + done);
    if (bytesRead === 0) throw damaged(path, "the file ends early");
    done += bytesRead;
  }
  return bytes;
}

function damaged(path: string, what: string): AtmorepError {
  return new AtmorepError("input", what, { where: path, fix: "The file is damaged or not complete." });
}

async function readDirectory(path: string, handle: FileHandle, fileSize: number): Promise<Map<string, ZipEntry>> {
  const tailSize = Math.min(fileSize, END_SEARCH + 20);
  const tail = Buffer.from(await readRange(path, handle, fileSize - tailSize, tailSize, fileSize));
  const at = tail.lastIndexOf(Buffer.from([0x50, 0x4b, 0x05, 0x06]));
  if (at < 0 || at + 22 > tail.length) {
    throw new AtmorepError("input", "not a zip archive", {
      where: path,
      fix: "A file written by torch.save before PyTorch 1.6 must be loaded and saved again with a newer PyTorch.",
    });
  }
  let count = tail.readUInt16LE(at + 10);
  let size = tail.readUInt32LE(at + 12);
  let offset = tail.readUInt32LE(at + 16);
  if (count === 0xffff || size === UINT32 || offset === UINT32) {
    if (at < 20 || tail.readUInt32LE(at - 20) !== 0x07064b50) throw damaged(path, "the zip64 locator is missing");
    const end64 = Number(tail.readBigUInt64LE(at - 20 + 8));
    const record = Buffer.from(await readRange(path, handle, end64, 56, fileSize));
    if (record.readUInt32LE(0) !== 0x06064b50) throw damaged(path, "the zip64 end record is missing");
    count = Number(record.readBigUInt64LE(32));
    size = Number(record.readBigUInt64LE(40));
    offset = Number(record.readBigUInt64LE(48));
  }
  if (count > BUDGET.zipEntries || size > BUDGET.zipDirectory) {
    throw new AtmorepError("input", "the zip archive holds more files than are read", {
      where: path,
      found: `${count} files, a directory of ${size} bytes`,
      expected: `at most ${BUDGET.zipEntries} files, ${BUDGET.zipDirectory} bytes`,
      fix: "Unpack it",
    });
  }
  if (count * 46 > size) throw damaged(path, "the zip directory is too short for its entries");
  const directory = Buffer.from(await readRange(path, handle, offset, size, fileSize));
  const entries = parseDirectory(path, directory, count);
  refuseOverlap(path, entries);
  return entries;
}

function parseDirectory(path: string, directory: Buffer, count: number): Map<string, ZipEntry> {
  const entries = new Map<string, ZipEntry>();
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + 46 > directory.length || directory.readUInt32LE(at) !== 0x02014b50) {
      throw damaged(path, `the zip directory breaks off at entry ${i}`);
    }
    const nameEnd = at + 46 + directory.readUInt16LE(at + 28);
    const extraEnd = nameEnd + directory.readUInt16LE(at + 30);
    const next = extraEnd + directory.readUInt16LE(at + 32);
    if (next > directory.length) throw damaged(path, `the zip directory breaks off at entry ${i}`);
    const entry: ZipEntry = {
      name: directory.toString("utf8", at + 46, nameEnd),
      method: directory.readUInt16LE(at + 10),
      crc: directory.readUInt32LE(at + 16),
      storedSize: directory.readUInt32LE(at + 20),
      size: directory.readUInt32LE(at + 24),
      offset: directory.readUInt32LE(at + 42),
    };
    applyZip64(path, entry, directory.subarray(nameEnd, extraEnd));
    if (entries.has(entry.name)) throw damaged(path, `entry ${entry.name} occurs twice`);
    entries.set(entry.name, entry);
    at = next;
  }
  return entries;
}

/** One piece of data under many names is how a small archive becomes a large one. */
function refuseOverlap(path: string, entries: ReadonlyMap<string, ZipEntry>): void {
  let end = 0;
  let former = "";
  for (const { name, offset, storedSize } of [...entries.values()].sort((a, b) => a.offset - b.offset)) {
    if (offset < end) throw damaged(path, `entries ${former} and ${name} overlap`);
    end = offset + LOCAL_HEADER + storedSize;
    former = name;
  }
}

function applyZip64(path: string, entry: ZipEntry, extra: Buffer): void {
  const wanted = (["size", "storedSize", "offset"] as const).filter((key) => entry[key] === UINT32);
  if (wanted.length === 0) return;
  for (let at = 0; at + 4 <= extra.length; ) {
    const end = at + 4 + extra.readUInt16LE(at + 2);
    if (extra.readUInt16LE(at) === 1) {
      if (end > extra.length || at + 4 + 8 * wanted.length > end) break;
      wanted.forEach((key, i) => {
        entry[key] = Number(extra.readBigUInt64LE(at + 4 + 8 * i));
      });
      return;
    }
    at = end;
  }
  throw damaged(path, `entry ${entry.name} lacks its zip64 sizes`);
}
