/** Reading result stores, ours or the reference's: Zarr format 2 groups in one zip file. */
import * as zarr from "zarrita";
import { AtmorepError } from "../errors.js";
import { ZipReader } from "../formats/zip/reader.js";

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
  /** Values of an array in C order; datetimes as int64 of their unit. */
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
      else arrays.set(match[1] ?? "", parseMetadata(path, entry.name, await zip.read(entry)));
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
        const array = await zarr.open.v2(root.resolve(`/${name}`), { kind: "array", attrs: false });
        const { data } = array.shape.length === 0 ? await array.getChunk([]) : await zarr.get(array);
        return data as ResultData;
      },
      close: () => zip.close(),
    };
  } catch (error) {
    await zip.close();
    throw error;
  }
}

function parseMetadata(path: string, entry: string, bytes: Uint8Array): ResultArray {
  try {
    const { shape, dtype } = JSON.parse(Buffer.from(bytes).toString("utf8"));
    if (Array.isArray(shape) && typeof dtype === "string") return { shape, dtype };
  } catch {
    // told below
  }
  throw new AtmorepError("input", "array metadata are damaged", { where: `${path}: ${entry}` });
}

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
