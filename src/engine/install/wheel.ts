/** Taking files out of a Python wheel, checked against the checksums in its own list. */
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createInflateRaw, inflateRawSync } from "node:zlib";
import { AtmorepError } from "../../errors.js";
import { type ZipEntry, ZipReader } from "../../formats/zip/reader.js";

const DEFLATED = 8;
const LOCAL_HEADER = 30;
/** bytes of a RECORD: TensorFlow's, of 13,000 files, has 2 MB */
const LONGEST_RECORD = 64 << 20;

/** What is taken out: the entry's name in the wheel, and the file it becomes, below a folder. */
export interface Extraction {
  entry: string;
  file: string;
}

/** A file that was written. */
export interface Extracted {
  /** below the folder */
  file: string;
  bytes: number;
  /** base64url */
  sha256: string;
}

/** Names of all entries of a wheel. */
export async function wheelEntries(wheel: string): Promise<string[]> {
  const zip = await ZipReader.open(wheel);
  await zip.close();
  return [...zip.entries.keys()];
}

/**
 * Writes entries of a wheel to files below a folder.
 * @param isTested the checksum of the whole wheel was right, so that those of its files are not asked for
 * @throws AtmorepError `input` if an entry is missing or does not have its checksum
 */
export async function extractWheel(
  wheel: string,
  extractions: readonly Extraction[],
  folder: string,
  { isTested = false, signal }: { isTested?: boolean; signal?: AbortSignal } = {},
): Promise<Extracted[]> {
  const zip = await ZipReader.open(wheel);
  await zip.close();
  const expected = await checksums(wheel, zip);
  const extracted: Extracted[] = [];
  for (const { entry: name, file } of extractions) {
    const entry = zip.entries.get(name);
    if (!entry)
      throw new AtmorepError("input", "the wheel does not hold a file it should", { where: wheel, found: name });
    const path = join(folder, file);
    if (!isPlain(file)) {
      throw new AtmorepError("input", "a file of the wheel would lie outside its folder", {
        where: `${wheel}: ${JSON.stringify(name)}`,
        fix: "Do not use this wheel.",
      });
    }
    await mkdir(dirname(path), { recursive: true });
    const found = await writeEntry(wheel, entry, path, signal);
    if (!isTested && found !== expected.get(name)) {
      throw new AtmorepError("input", "a file of the wheel does not have its checksum", {
        where: `${wheel}: ${name}`,
        found,
        expected: expected.get(name) ?? "an entry in RECORD",
        fix: "Download it again: atmorep engine install.",
      });
    }
    extracted.push({ file, bytes: entry.size, sha256: found });
  }
  return extracted;
}

/** A relative path of plain names: nothing that leads out of a folder, on any system. */
const isPlain = (file: string) =>
  !/[\0\\:]/.test(file) && file.split("/").every((name) => name !== "" && name !== "." && name !== "..");

/** SHA-256 by name, from the wheel's RECORD: lines of `name,sha256=<base64url>,size`. */
async function checksums(wheel: string, zip: ZipReader): Promise<Map<string, string>> {
  const record = [...zip.entries.values()].find(({ name }) => name.endsWith(".dist-info/RECORD"));
  if (!record) throw new AtmorepError("input", "not a Python wheel: it has no RECORD", { where: wheel });
  if (record.storedSize > LONGEST_RECORD)
    throw new AtmorepError("input", "the wheel's RECORD is too long", { where: wheel });
  const stored = Buffer.alloc(record.storedSize);
  const handle = await open(wheel);
  try {
    await handle.read(stored, 0, stored.length, await dataStart(wheel, record));
  } finally {
    await handle.close();
  }
  const text = (record.method === DEFLATED ? inflated(wheel, stored) : stored).toString("utf8");
  return new Map(
    text.split(/\r?\n/).flatMap((line) => {
      const match = /^"?(.*?)"?,sha256=([^,]+),/.exec(line);
      return match ? [[match[1], match[2]] as const] : [];
    }),
  );
}

function inflated(wheel: string, stored: Buffer): Buffer {
  try {
    return inflateRawSync(stored, { maxOutputLength: LONGEST_RECORD });
  } catch (error) {
    throw new AtmorepError("input", "the wheel's RECORD cannot be unpacked", {
      where: wheel,
      found: (error as Error).message,
    });
  }
}

/** @returns the SHA-256 of what was written, base64url */
async function writeEntry(wheel: string, entry: ZipEntry, file: string, signal?: AbortSignal): Promise<string> {
  const start = await dataStart(wheel, entry);
  const { storedSize } = entry;
  const source = storedSize > 0 ? createReadStream(wheel, { start, end: start + storedSize - 1 }) : Readable.from([]);
  const hash = createHash("sha256");
  let written = 0;
  const hashing = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      written += chunk.length;
      if (written > entry.size) return done(otherSize(wheel, entry));
      hash.update(chunk);
      done(null, chunk);
    },
  });
  const target = createWriteStream(file, { mode: 0o755 });
  try {
    if (entry.method === DEFLATED) await pipeline(source, createInflateRaw(), hashing, target, { signal });
    else await pipeline(source, hashing, target, { signal });
  } catch (error) {
    if (!(error as NodeJS.ErrnoException).code?.startsWith("Z_")) throw error;
    throw new AtmorepError("input", "a file of the wheel cannot be unpacked", {
      where: `${wheel}: ${entry.name}`,
      found: (error as Error).message,
      fix: "Download it again: atmorep engine install.",
    });
  }
  if (written !== entry.size) throw otherSize(wheel, entry);
  return hash.digest("base64url");
}

const otherSize = (wheel: string, { name, size }: ZipEntry) =>
  new AtmorepError("input", "a file of the wheel does not have its size", {
    where: `${wheel}: ${name}`,
    expected: `${size} bytes`,
    fix: "Download it again: atmorep engine install.",
  });

async function dataStart(wheel: string, { offset }: ZipEntry): Promise<number> {
  const header = Buffer.alloc(LOCAL_HEADER);
  const handle = await open(wheel);
  try {
    await handle.read(header, 0, LOCAL_HEADER, offset);
  } finally {
    await handle.close();
  }
  return offset + LOCAL_HEADER + header.readUInt16LE(26) + header.readUInt16LE(28);
}
