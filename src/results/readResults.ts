/** Reading result stores, ours or the reference's: Zarr format 2 groups in one zip file. */
import type { Numbers } from "../data/codecs/types.js";
import { type Json, parseMetadata } from "../data/source/json.js";
import { type ByteSource, METADATA_BYTES, sliceRange, tooLarge } from "../data/source/types.js";
import { readNumbers } from "../data/zarr/array.js";
import { openMetadata } from "../data/zarr/metadata.js";
import { AtmorepError } from "../errors.js";
import { type ZipEntry, ZipReader } from "../formats/zip/reader.js";

export interface ResultArray {
  shape: number[];
  /** NumPy dtype, such as `<f4`, `<i8`, `<M8[ns]` */
  dtype: string;
}

export type ResultData = Numbers;

export interface ResultStore {
  path: string;
  /** paths of groups, the root as "" */
  groups: string[];
  /** arrays by path, in the order of the file */
  arrays: Map<string, ResultArray>;
  /** Values of an array in C order; datetimes as int64 of their unit. @throws AtmorepError (input) if it is damaged */
  read(path: string): Promise<ResultData>;
  close(): Promise<void>;
}

/** @throws AtmorepError (input) if the file is not a zip with Zarr format 2 metadata */
export async function openResults(path: string): Promise<ResultStore> {
  const zip = await ZipReader.open(path);
  try {
    const groups: string[] = [];
    const arrays = new Map<string, ResultArray>();
    for (const entry of zip.entries.values()) {
      const match = /^(?:(.*)\/)?(\.zgroup|\.zarray)$/.exec(entry.name);
      if (!match) continue;
      if (match[2] === ".zgroup") groups.push(match[1] ?? "");
      else arrays.set(match[1] ?? "", await readArray(zip, entry));
    }
    if (groups.length === 0) {
      throw new AtmorepError("input", "the zip file holds no Zarr format 2 group", { where: path });
    }
    const store = await openMetadata(zipSource(zip), path);
    return {
      path,
      groups,
      arrays,
      async read(name) {
        const facts = await store.array(name);
        if (!facts) throw new AtmorepError("input", "an array is missing", { where: `${path}: ${name}` });
        return readNumbers(store, facts, path);
      },
      close: () => zip.close(),
    };
  } catch (error) {
    await zip.close();
    throw error;
  }
}

/** The JSON object of an entry. @throws AtmorepError (input) if it is none, or larger than any metadata */
export async function readMetadata(zip: ZipReader, entry: ZipEntry): Promise<Json> {
  const where = `${zip.path}: ${entry.name}`;
  if (entry.size > METADATA_BYTES) throw tooLarge(where, entry.size, METADATA_BYTES);
  return parseMetadata(await zip.read(entry), where);
}

/** No codec packs numbers tighter; what is missing in a small file may still be this much. */
const MOST_PACKED = 20_000;
const SMALL_BYTES = 2 ** 28;

/** All chunks are written: metadata that tell of more chunks than there are files, or of more bytes than they hold, are damaged. */
async function readArray(zip: ZipReader, entry: ZipEntry): Promise<ResultArray> {
  const where = `${zip.path}: ${entry.name}`;
  const { shape, chunks, dtype } = await readMetadata(zip, entry);
  const size = typeof dtype === "string" ? Number(/^[<>|]\w(\d+)/.exec(dtype)?.[1]) : Number.NaN;
  if (
    !isCounts(shape) ||
    !isCounts(chunks) ||
    chunks.length !== shape.length ||
    typeof dtype !== "string" ||
    !(size > 0)
  ) {
    throw new AtmorepError("input", "array metadata are damaged", { where });
  }
  const count = product(shape.map((n, i) => Math.ceil(n / Math.max(1, chunks[i]))));
  const bytes = Math.max(product(shape), product(chunks)) * size;
  if (count <= zip.entries.size && bytes <= Math.max(SMALL_BYTES, MOST_PACKED * zip.fileSize)) return { shape, dtype };
  throw new AtmorepError("input", "the array is larger than the file can hold", {
    where,
    found: `[${shape.join(", ")}] in chunks of [${chunks.join(", ")}]`,
    fix: "The file is damaged; write it again.",
  });
}

const isCounts = (value: unknown): value is number[] =>
  Array.isArray(value) && value.length <= 32 && value.every((n) => Number.isSafeInteger(n) && n >= 0);
const product = (numbers: readonly number[]) => numbers.reduce((all, n) => all * n, 1);

/** The archive's files, as readers of stores ask for them. */
function zipSource(zip: ZipReader): ByteSource {
  const get: ByteSource["get"] = async (key, limit = METADATA_BYTES) => {
    const entry = zip.entries.get(key.slice(1));
    if (entry && entry.size > limit) throw tooLarge(`${zip.path}: ${entry.name}`, entry.size, limit);
    return entry && zip.read(entry);
  };
  return {
    remote: false,
    get,
    async getRange(key, range, limit) {
      const bytes = await get(key, limit);
      return bytes && sliceRange(bytes, range);
    },
    close: () => zip.close(),
  };
}
