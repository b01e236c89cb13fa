/** Taking files out of a Python wheel, checked against the checksums in its own list. */
import { createHash } from "node:crypto";
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, open } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createInflateRaw, inflateRawSync } from "node:zlib";
import { AtmorepError } from "../../errors.js";
import { type ZipEntry, ZipReader } from "../../formats/zip/reader.js";

const DEFLATED = 8;
const LOCAL_HEADER = 30;

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

/** SHA-256 by name, from the wheel's RECORD: lines of `name,sha256=<base64url>,size`. */
async function checksums(wheel: string, zip: ZipReader): Promise<Map<string, string>> {
  const record = [...zip.entries.values()].find(({ name }) => name.endsWith(".dist-info/RECORD"));
  if (!record) throw new AtmorepError("input", "not a Python wheel: it has no RECORD", { where: wheel });
  const stored = Buffer.alloc(record.storedSize);
  const handle = await open(wheel);
  try {
    await handle.read(stored, 0, stored.length, await dataStart(wheel, record));
  } finally {
    await handle.close();
  }
  const text = (record.method === DEFLATED ? inflateRawSync(stored) : stored).toString("utf8");
  return new Map(
    text.split(/\r?\n/).flatMap((line) => {
      const match = /^"?(.*?)"?,sha256=([^,]+),/.exec(line);
      return match ? [[match[1], match[2]] as const] : [];
    }),
  );
}

/** @returns the SHA-256 of what was written, base64url */
async function writeEntry(wheel: string, entry: ZipEntry, file: string, signal?: AbortSignal): Promise<string> {
  const start = await dataStart(wheel, entry);
  const source = createReadStream(wheel, { start, end: start + entry.storedSize - 1 });
  const hash = createHash("sha256");
  const hashing = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
  });
  const target = createWriteStream(file, { mode: 0o755 });
  if (entry.method === DEFLATED) await pipeline(source, createInflateRaw(), hashing, target, { signal });
  else await pipeline(source, hashing, target, { signal });
  return hash.digest("base64url");
}

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
