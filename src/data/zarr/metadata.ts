/**
 * A store's metadata: consolidated or not, of both formats, as plain facts for checks before anything is decoded, with
 * the unit of datetime64 arrays, and in the form in which chunks are read.
 */
import { AtmorepError } from "../../errors.js";
import {
  PresentError,
  type Presented,
  presentV2,
  presentV3,
  supportedCodecs,
  unsupportedCodec,
} from "../codecs/index.js";
import type { ByteRange, ByteSource, Lend } from "../source/index.js";
import { asObject, type Json, parseMetadata } from "../source/json.js";
import { forgetRead, noteRead, rangeKey } from "../source/reads.js";
import { cfTimeCode, datetimeCode, type TimeCode } from "../time.js";

type Key = `/${string}`;

/** What the metadata of an array say. */
export interface ArrayFacts {
  /** path in the store without the leading slash, such as `normalization/norm` */
  name: string;
  shape: number[];
  dtype: string;
  /** names of every codec that a chunk goes through, as in the metadata */
  codecs: string[];
  /** null if a chunk that was not written has no defined values */
  fillValue: unknown;
  /** how integers become times; null if nothing says so */
  time: TimeCode | null;
  /** file name of a chunk, or of a shard, below the array's folder */
  chunkFile(coords: readonly number[]): string;
  /** how its chunks are read. @throws AtmorepError (input) for metadata that cannot be followed */
  present(): Presented;
}

/** A store's files, and its metadata. */
export interface MetadataStore {
  format: 2 | 3;
  attrs: Json;
  /** metadata as they stand, other files up to a bound of bytes */
  get(key: Key, limit?: number, lend?: Lend): Promise<Uint8Array | undefined>;
  getRange(key: Key, range: ByteRange, limit: number, lend?: Lend): Promise<Uint8Array | undefined>;
  /** the file turned out to be damaged; true if reading it again may give other bytes */
  forget(key: Key): Promise<boolean>;
  /** attributes of a group below the root; empty if it has none */
  groupAttrs(name: string): Promise<Json>;
  /** null if the store has no array of that name */
  array(name: string): Promise<ArrayFacts | null>;
}

/** Reads the root of a store. @throws AtmorepError (input) if it is not a Zarr group */
export async function openMetadata(source: ByteSource, location: string): Promise<MetadataStore> {
  const readJson = async (key: Key): Promise<Json | undefined> => {
    const bytes = await source.get(key);
    if (bytes) noteRead(location, key, bytes);
    return bytes && parseMetadata(bytes, `${location}${key}`);
  };
  const rootV3 = await readJson("/zarr.json");
  const flat = rootV3 ? undefined : await readJson("/.zmetadata");
  const consolidated = rootV3 ? consolidatedV3(rootV3) : asObject(flat?.metadata);
  const documents = new Map<string, Promise<Json | undefined>>();

  // Consolidated copies can be older than the arrays' own files; they are preferred only where a read is slow. There,
  // what they do not list is not asked for either: buckets that may not be listed refuse it.
  const read = async (key: Key) => {
    const copy = asObject(consolidated?.[key.slice(1)]);
    if (source.remote && (copy || (consolidated && key !== "/.zgroup"))) return copy;
    return (await readJson(key)) ?? copy;
  };
  const document = (key: Key) => {
    const known = documents.get(key) ?? read(key);
    documents.set(key, known);
    return known;
  };

  if (rootV3) documents.set("/zarr.json", Promise.resolve(rootV3));
  const root = rootV3 ?? (await document("/.zgroup"));
  if (!root || rootV3?.node_type === "array") throw await notAStore(document, rootV3, location);
  const format = rootV3 ? 3 : 2;
  if (root.zarr_format !== format || (rootV3 && rootV3.node_type !== "group")) {
    throw new AtmorepError("input", "the root's metadata are not those of a Zarr group of format 2 or 3", {
      where: location,
      found: { zarr_format: root.zarr_format, ...(rootV3 && { node_type: rootV3.node_type }) },
      fix: "Copy or write the store again",
    });
  }
  const isMetadata = (key: string) => /(^|\/)(\.zarray|\.zattrs|\.zgroup|zarr\.json)$/.test(key);

  return {
    format,
    attrs: asObject(format === 3 ? root.attributes : await document("/.zattrs")) ?? {},
    async get(key, limit, lend) {
      if (!isMetadata(key)) {
        const bytes = await source.get(key, limit, lend);
        noteRead(location, key, bytes);
        return bytes;
      }
      const found = await document(key);
      return found && new TextEncoder().encode(JSON.stringify(found));
    },
    async getRange(key, range, limit, lend) {
      const bytes = await source.getRange(key, range, limit, lend);
      noteRead(location, rangeKey(key, range), bytes);
      return bytes;
    },
    async forget(key) {
      forgetRead(location, key);
      await source.forget?.(key);
      return source.forget !== undefined;
    },
    async groupAttrs(name) {
      const own = await document(format === 3 ? `/${name}/zarr.json` : `/${name}/.zattrs`);
      return (format === 3 ? asObject(own?.attributes) : own) ?? {};
    },
    async array(name) {
      const own = await document(format === 3 ? `/${name}/zarr.json` : `/${name}/.zarray`);
      if (!own || own.node_type === "group") return null;
      const attrs = asObject(format === 3 ? own.attributes : await document(`/${name}/.zattrs`)) ?? {};
      return arrayFacts(name, own, attrs, `${location}: ${name}`);
    },
  };
}

async function notAStore(
  document: (key: Key) => Promise<Json | undefined>,
  rootV3: Json | undefined,
  location: string,
): Promise<AtmorepError> {
  const isArray = rootV3?.node_type === "array" || (await document("/.zarray")) !== undefined;
  return new AtmorepError("input", isArray ? "a Zarr array, not a group of arrays" : "not a Zarr store", {
    where: location,
    found: isArray ? undefined : "neither zarr.json nor .zgroup at its root",
    expected: "a Zarr group (format 2 or 3) with the arrays data or data_sfc, time, lats, lons and normalization",
    fix: 'Give the folder (or zip, or address) of the store itself; "atmorep data info" describes a store',
  });
}

function consolidatedV3(root: Json): Json | undefined {
  const entries = asObject(asObject(root.consolidated_metadata)?.metadata);
  return entries && Object.fromEntries(Object.entries(entries).map(([path, value]) => [`${path}/zarr.json`, value]));
}

const V2_DATETIME = /^[<>|]M8\[(\d*)([a-zA-Z]+)\]$/;

function dtypeOfV3(document: Json): string {
  const type = document.data_type;
  return typeof type === "string" ? type : String(asObject(type)?.name);
}

function arrayFacts(name: string, own: Json, attrs: Json, where: string): ArrayFacts {
  const shape = own.shape;
  if (!Array.isArray(shape) || !shape.every((n) => Number.isInteger(n) && n >= 0)) {
    throw new AtmorepError("input", "the array's metadata have no valid shape", { where, found: shape });
  }
  const v3 = own.node_type === "array";
  const dtype = v3 ? dtypeOfV3(own) : String(own.dtype);
  const units = typeof attrs.units === "string" ? cfTimeCode(attrs.units) : null;
  const codecs = v3 ? codecsV3(own.codecs) : codecsV2(own);
  return {
    name,
    shape,
    dtype,
    codecs,
    fillValue: own.fill_value ?? null,
    time: v3 ? (timeOfV3(own) ?? units) : (timeOfV2(dtype) ?? units),
    chunkFile: v3 ? chunkFileV3(own) : (coords) => coords.join(String(own.dimension_separator ?? ".")) || "0",
    present() {
      requireKnown(codecs, where);
      return present(own, v3, where);
    },
  };
}

/** A codec that is not known may stand for steps that are then missed: it is told before all else. */
function requireKnown(codecs: readonly string[], where: string): void {
  const unknown = unsupportedCodec(codecs);
  if (unknown === undefined) return;
  throw new AtmorepError("input", "unsupported codec", {
    where,
    found: unknown,
    expected: `one of ${supportedCodecs().join(", ")}`,
    fix: "Write the store again with one of them, in Python for instance xarray.open_zarr(STORE).drop_encoding().to_zarr(NEW)",
  });
}

function present(own: Json, v3: boolean, where: string): Presented {
  try {
    return v3 ? presentV3(own) : presentV2(own);
  } catch (error) {
    const found = error instanceof PresentError ? error.found : undefined;
    throw new AtmorepError("input", (error as Error).message, {
      where,
      found,
      fix: "Write the array again in a form that can be read: docs/data.md, What is read of Zarr",
      cause: error,
    });
  }
}

function timeOfV2(dtype: string): TimeCode | null {
  const match = V2_DATETIME.exec(dtype);
  return match && datetimeCode(match[2], Number(match[1] || 1));
}

function timeOfV3(own: Json): TimeCode | null {
  const configuration = asObject(asObject(own.data_type)?.configuration);
  return configuration ? datetimeCode(String(configuration.unit), Number(configuration.scale_factor ?? 1)) : null;
}

function codecsV2(own: Json): string[] {
  const list = [...(Array.isArray(own.filters) ? own.filters : []), own.compressor];
  return list.flatMap((codec) => (asObject(codec) ? [String(asObject(codec)?.id)] : []));
}

function codecsV3(codecs: unknown): string[] {
  if (!Array.isArray(codecs)) return [];
  return codecs.flatMap((codec) => {
    const configuration = asObject(asObject(codec)?.configuration);
    return [
      String(asObject(codec)?.name ?? codec),
      ...codecsV3(configuration?.codecs),
      ...codecsV3(configuration?.index_codecs),
    ];
  });
}

function chunkFileV3(own: Json): (coords: readonly number[]) => string {
  const encoding = asObject(own.chunk_key_encoding);
  const separator = asObject(encoding?.configuration)?.separator;
  if (encoding?.name === "v2") return (coords) => coords.join(String(separator ?? ".")) || "0";
  return (coords) => ["c", ...coords].join(String(separator ?? "/"));
}
