/** Zip files of NetCDF or GRIB files, as the Climate Data Store gives them: each file is unpacked for as long as it is read. */
import { createReadStream, createWriteStream } from "node:fs";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { crc32, createInflateRaw } from "node:zlib";
import { AtmorepError, isAtmorepError } from "../../errors.js";
import { openFile, readRange, type ZipEntry, ZipReader } from "../../formats/zip/reader.js";
import type { InputFile } from "./types.js";

const DATA = /\.(nc|nc4|cdf|netcdf|grib2?|grb2?)$/i;
const ZARR = /(^|\/)(zarr\.json|\.zgroup|\.zarray|\.zmetadata)$/;
const DEFLATED = 8;

/** False if an archive holds NetCDF or GRIB files, and no Zarr store. */
export async function holdsZarr(path: string): Promise<boolean> {
  const reader = await ZipReader.open(path).catch(() => null);
  if (!reader) return true;
  const names = [...reader.entries.keys()];
  await reader.close();
  return names.some((name) => ZARR.test(name)) || !names.some((name) => DATA.test(name));
}

/**
 * Opens the data files of a zip file as one.
 * @param open opens one of them
 * @returns null if the archive holds a Zarr store
 * @throws AtmorepError (input) if it holds nothing to import or is damaged
 */
export async function openZipped(path: string, open: (path: string) => Promise<InputFile>): Promise<InputFile | null> {
  const reader = await ZipReader.open(path);
  const entries = [...reader.entries.values()].filter((entry) => !entry.name.endsWith("/"));
  await reader.close();
  if (entries.some(({ name }) => ZARR.test(name))) return null;
  const data = entries.filter(({ name }) => DATA.test(name));
  if (data.length === 0) {
    throw new AtmorepError("input", "the zip file holds nothing to import", {
      where: path,
      found: entries.map(({ name }) => name).join(", ") || "no files",
      expected: "NetCDF or GRIB files, or a Zarr group",
    });
  }
  const folder = await mkdtemp(join(tmpdir(), "atmorep-import-"));
  const files: InputFile[] = [];
  const close = async () => {
    for (const file of files) await file.close();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    for (const [i, entry] of data.entries()) {
      const place = join(folder, String(i));
      await mkdir(place);
      const target = join(place, basename(entry.name));
      await unpack(path, entry, target);
      files.push(await named(() => open(target), target, `${path}/${entry.name}`));
    }
  } catch (error) {
    await close();
    throw error;
  }
  const others = entries.filter((entry) => !data.includes(entry));
  return {
    path,
    unpacked: true,
    format: `zip of ${[...new Set(files.map(({ format }) => format))].join(" and ")}`,
    variables: files.flatMap(({ variables }, i) => {
      const shown = `${path}/${data[i].name}`;
      return variables.map((variable) => ({
        ...variable,
        path: shown,
        readPlane: (t: number, l: number) => named(() => variable.readPlane(t, l), files[i].path, shown),
      }));
    }),
    skipped: [
      ...files.flatMap(({ skipped }) => skipped),
      ...others.map(({ name }) => ({ name, why: "no NetCDF or GRIB file by its name" })),
    ],
    notes: files.flatMap(({ notes, path: own }, i) =>
      (notes ?? []).map((text) => text.replaceAll(own, `${path}/${data[i].name}`)),
    ),
    close,
  };
}

/** Runs `work`; an error names the entry instead of the unpacked file. */
async function named<T>(work: () => Promise<T>, own: string, shown: string): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!isAtmorepError(error) || !error.details.where?.includes(own)) throw error;
    const what = error.message
      .slice(error.details.where.length + 2)
      .split("; ")[0]
      .split(". ")[0];
    throw new AtmorepError(error.code, what, { ...error.details, where: error.details.where.replaceAll(own, shown) });
  }
}

async function unpack(path: string, entry: ZipEntry, target: string): Promise<void> {
  const where = `${path}/${entry.name}`;
  const damaged = (cause?: unknown) =>
    new AtmorepError("input", "a zip entry is damaged", { where, fix: "Copy or download the file again", cause });
  if (entry.method !== 0 && entry.method !== DEFLATED) {
    throw new AtmorepError("input", "unsupported zip compression", {
      where,
      found: entry.method,
      fix: "Unpack it first",
    });
  }
  const handle = await openFile(path);
  let start: number;
  try {
    const header = await readRange(path, handle, entry.offset, 30, (await handle.stat()).size);
    start = entry.offset + 30 + header[26] + header[27] * 256 + header[28] + header[29] * 256;
  } finally {
    await handle.close();
  }
  let size = 0;
  let sum = 0;
  const counted = new Transform({
    transform(bytes: Buffer, _, done) {
      size += bytes.length;
      sum = crc32(bytes, sum);
      done(size > entry.size ? new Error("longer than the archive says") : null, bytes);
    },
  });
  if (entry.storedSize === 0) throw damaged();
  const source = createReadStream(path, { start, end: start + entry.storedSize - 1 });
  const steps = entry.method === DEFLATED ? [source, createInflateRaw(), counted] : [source, counted];
  await pipeline([...steps, createWriteStream(target)]).catch((cause) => {
    throw damaged(cause);
  });
  if (size !== entry.size || sum !== entry.crc) throw damaged();
}
