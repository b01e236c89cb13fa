/** Reading result stores, ours or the reference's: Zarr format 2 groups in one zip file. */
import * as zarr from "zarrita";
import { asObject, type Json, parseMetadata } from "../data/source/json.js";
import { METADATA_BYTES, tooLarge } from "../data/source/types.js";
import { AtmorepError, isAtmorepError } from "../errors.js";
import { type ZipEntry, ZipReader } from "../formats/zip/reader.js";

export interface ResultArray {
  shape: number[];
  /** NumPy dtype, such as `<f4`, `<i8`, `<M8[ns]` */
  dtype: string;
}

export type ResultData = Float32Array | Float64Array | Int32Array | BigInt64Array;

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
    const root = zarr.root(zipStore(zip));
    return {
      path,
      groups,
      arrays,
      async read(name) {
        try {
          const array = await zarr.open.v2(root.resolve(`/${name}`), { kind: "array", attrs: false });
          const { data } = array.shape.length === 0 ? await array.getChunk([]) : await zarr.get(array);
          return data as ResultData;
        } catch (cause) {
          if (isAtmorepError(cause)) throw cause;
          const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
          throw new AtmorepError("input", "the array cannot be read", {
            where: `${path}: ${name}`,
            found: inner instanceof Error ? inner.message : String(inner),
            fix: "The file is damaged; write it again.",
            cause,
          });
        }
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
  const { shape, chunks, dtype, filters, compressor } = await readMetadata(zip, entry);
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
  // zarrita leaves what it fails with to nobody where a codec but the first is none
  for (const codec of [...(Array.isArray(filters) ? filters : []), ...(compressor ? [compressor] : [])]) {
    if (zarr.registry.has(`numcodecs.${asObject(codec)?.id}`)) continue;
    throw new AtmorepError("input", "array metadata name an unknown codec", { where, found: codec });
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

/** zarrita knows no datetime64: it is shown the int64 that datetimes are. */
function zipStore(zip: ZipReader) {
  return {
    async get(key: `/${string}`): Promise<Uint8Array | undefined> {
      const entry = zip.entries.get(key.slice(1));
      if (!entry) return undefined;
      const bytes = await zip.read(entry);
      if (!key.endsWith("/.zarray")) return bytes;
      const text = Buffer.from(bytes).toString("utf8");
      return Buffer.from(text.replace(/"([<>])M8\[\w+\]"/, '"$1i8"'));
    },
  };
}
