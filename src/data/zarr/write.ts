/** Writing Zarr stores: a folder or a zip file, whole or not at all. */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { withAtomicFile, writeDirectoryAtomic } from "../../formats/atomic.js";
import { ZipWriter } from "../../formats/zip/writer.js";
import { product } from "./array.js";
import { type Compressor, codecsV2, codecsV3, encode } from "./encode.js";

export type { Compressor };

/** Takes the files of a store; keys have no leading slash. */
export interface StoreSink {
  put(key: string, bytes: Uint8Array | string): Promise<void>;
}

/** Writes a store to a folder, or to a zip file if the name ends in `.zip`. An existing one is replaced at the end. */
export async function writeStore(path: string, fill: (sink: StoreSink) => Promise<void>): Promise<void> {
  if (path.toLowerCase().endsWith(".zip")) {
    await withAtomicFile(path, async (file) => {
      const zip = new ZipWriter(file);
      await fill({ put: (key, bytes) => zip.add(key, bytes) });
      await zip.finish();
    });
  } else {
    await writeDirectoryAtomic(path, (folder) => fill(directorySink(folder)));
  }
}

function directorySink(folder: string): StoreSink {
  return {
    async put(key, bytes) {
      const path = join(folder, key);
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, bytes);
    },
  };
}

export interface ArraySpec {
  name: string;
  shape: readonly number[];
  chunks: readonly number[];
  dtype: "<f4" | "<f8" | "<M8[s]" | "<M8[h]";
  compressor?: Compressor;
  /** what chunks that are not written hold; without it all must be */
  absent?: "NaN";
}

export type ChunkWriter = (coords: readonly number[], values: ArrayBufferView) => Promise<void>;

/** Writes an array's metadata (format 2; format 3 for floats only) and returns how to write its chunks. */
export async function createArray(sink: StoreSink, spec: ArraySpec, format: 2 | 3 = 2): Promise<ChunkWriter> {
  await writeArrayMetadata(sink, spec, format);
  return chunkWriter(sink, spec, format);
}

/** Writes `.zarray` or `zarr.json`. */
export async function writeArrayMetadata(
  sink: StoreSink,
  { name, shape, chunks, dtype, compressor = "none", absent }: ArraySpec,
  format: 2 | 3 = 2,
): Promise<void> {
  const codecs = codecsV2(compressor);
  const metadata =
    format === 2
      ? {
          zarr_format: 2,
          shape,
          chunks,
          dtype,
          compressor: codecs.compressor,
          fill_value: absent ?? null,
          filters: codecs.filters,
          order: "C",
        }
      : {
          zarr_format: 3,
          node_type: "array",
          shape,
          data_type: dtype === "<f8" ? "float64" : "float32",
          chunk_grid: { name: "regular", configuration: { chunk_shape: chunks } },
          chunk_key_encoding: { name: "default", configuration: { separator: "/" } },
          fill_value: "NaN",
          codecs: codecsV3(compressor),
          attributes: {},
        };
  await sink.put(`${name}/${format === 2 ? ".zarray" : "zarr.json"}`, JSON.stringify(metadata, null, 4));
}

/** How to write chunks of an array whose metadata are, or will be, written. */
export function chunkWriter(
  sink: StoreSink,
  { name, compressor = "none" }: Pick<ArraySpec, "name" | "compressor">,
  format: 2 | 3 = 2,
): ChunkWriter {
  return async (coords, values) => {
    const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    const key = format === 2 ? coords.join(".") : `c/${coords.join("/")}`;
    await sink.put(`${name}/${key}`, await encode(bytes, compressor, format));
  };
}

/** Writes a whole array as one chunk. */
export async function writeSmallArray(
  sink: StoreSink,
  spec: Omit<ArraySpec, "chunks">,
  values: ArrayBufferView & { length: number },
  format: 2 | 3 = 2,
): Promise<void> {
  if (values.length !== product(spec.shape))
    throw new RangeError(`${spec.name}: ${values.length} values for ${spec.shape}`);
  const chunk = await createArray(sink, { ...spec, chunks: spec.shape }, format);
  await chunk(
    spec.shape.map(() => 0),
    values,
  );
}

export async function writeGroup(
  sink: StoreSink,
  name: string,
  attrs?: Record<string, unknown>,
  format: 2 | 3 = 2,
): Promise<void> {
  const prefix = name ? `${name}/` : "";
  if (format === 3) {
    const group = { zarr_format: 3, node_type: "group", attributes: attrs ?? {} };
    await sink.put(`${prefix}zarr.json`, JSON.stringify(group, null, 4));
    return;
  }
  await sink.put(`${prefix}.zgroup`, JSON.stringify({ zarr_format: 2 }, null, 4));
  if (attrs) await sink.put(`${prefix}.zattrs`, JSON.stringify(attrs, null, 4));
}
