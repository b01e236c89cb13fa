/**
 * Writing Zarr format 2 stores into one zip file, array by array: what is written does not stay in memory.
 * Every array is one uncompressed chunk. Equal content gives equal bytes; the file appears when it is complete.
 */
import { AtmorepError } from "../errors.js";
import { AtomicFile } from "./atomic.js";
import { bytesOf, numElements } from "./tensors.js";
import { ZipWriter } from "./zip/writer.js";

/** NumPy dtypes of the arrays: float32, float64, int32, int64, nanoseconds since 1970. */
export type ZarrDtype = "<f4" | "<f8" | "<i4" | "<i8" | "<M8[ns]";

const ITEM_SIZE: Readonly<Record<ZarrDtype, number>> = { "<f4": 4, "<f8": 8, "<i4": 4, "<i8": 8, "<M8[ns]": 8 };

export interface ZarrArraySpec {
  shape: readonly number[];
  dtype: ZarrDtype;
  data: ArrayBufferView;
  /** names of the dimensions; xarray finds them in the attribute `_ARRAY_DIMENSIONS` */
  dimensions: readonly string[];
  attributes?: Record<string, unknown>;
}

export class ZarrZipWriter {
  private readonly groups = new Set<string>();

  private constructor(
    private readonly file: AtomicFile,
    private readonly zip: ZipWriter,
  ) {}

  /** Starts a store with its root group; nothing is seen at `path` before `close`. */
  static async create(path: string, attributes: Record<string, unknown> = {}): Promise<ZarrZipWriter> {
    const file = await AtomicFile.create(path);
    const writer = new ZarrZipWriter(file, new ZipWriter(file, { checkNames: false }));
    await writer.group("", attributes);
    return writer;
  }

  get path(): string {
    return this.file.path;
  }

  /** Makes the group `a/b/c` and those above it, unless they are there. */
  async group(path: string, attributes: Record<string, unknown> = {}): Promise<void> {
    if (this.groups.has(path)) return;
    if (path !== "") await this.group(path.includes("/") ? path.slice(0, path.lastIndexOf("/")) : "");
    this.groups.add(path);
    const prefix = path === "" ? "" : `${path}/`;
    await this.zip.add(`${prefix}.zgroup`, json({ zarr_format: 2 }));
    if (Object.keys(attributes).length > 0) await this.zip.add(`${prefix}.zattrs`, json(attributes));
  }

  /** Says that nothing more comes below `path`, so that its groups need not be remembered. */
  forget(path: string): void {
    for (const group of this.groups) if (group === path || group.startsWith(`${path}/`)) this.groups.delete(group);
  }

  /** Adds an array and the groups above it. @throws AtmorepError (failed) if the data do not fit the shape */
  async array(path: string, { shape, dtype, data, dimensions, attributes = {} }: ZarrArraySpec): Promise<void> {
    const expected = numElements(shape) * ITEM_SIZE[dtype];
    if (data.byteLength !== expected || dimensions.length !== shape.length) {
      throw new AtmorepError("failed", "an array's data do not fit its shape", {
        where: `${this.path}: ${path}`,
        found: `${data.byteLength} bytes, dimensions ${dimensions.join(", ")}`,
        expected: `${expected} bytes for [${shape.join(", ")}] ${dtype}`,
      });
    }
    if (path.includes("/")) await this.group(path.slice(0, path.lastIndexOf("/")));
    const metadata = {
      chunks: shape.map((n) => Math.max(n, 1)),
      compressor: null,
      dtype,
      fill_value: 0,
      filters: null,
      order: "C",
      shape,
      zarr_format: 2,
    };
    await this.zip.add(`${path}/.zarray`, json(metadata));
    await this.zip.add(`${path}/.zattrs`, json({ _ARRAY_DIMENSIONS: dimensions, ...attributes }));
    if (expected > 0) await this.zip.add(`${path}/${shape.map(() => 0).join(".") || "0"}`, bytesOf(data));
  }

  /** Adds the arrays of a group, by name. */
  async arrays(group: string, arrays: Readonly<Record<string, ZarrArraySpec>>): Promise<void> {
    for (const [name, array] of Object.entries(arrays)) await this.array(`${group}/${name}`, array);
  }

  /** Completes the store and puts it in its place. */
  async close(): Promise<void> {
    await this.zip.finish();
    await this.file.commit();
  }

  /** Gives the store up; nothing stays behind. */
  async abort(): Promise<void> {
    await this.zip.abort();
    await this.file.abort();
  }
}

function json(value: unknown): string {
  return JSON.stringify(value, null, 4);
}
