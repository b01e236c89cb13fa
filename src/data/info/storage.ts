/** How the arrays of a store lie in files: chunks, codecs, sizes, files that are not there. Nothing is decoded. */
import { itemType, typeName } from "../codecs/types.js";
import { type ByteSource, openSource } from "../source/index.js";
import type { Store } from "../storeTypes.js";
import { product, unravel } from "../zarr/array.js";
import { type ArrayFacts, type MetadataStore, openMetadata } from "../zarr/metadata.js";

export interface ArrayStorage {
  /** `data`, `data_sfc` */
  name: string;
  dtype: string;
  /** codecs with their settings, for people: `blosc (lz4, level 5, shuffle)` */
  codec: string;
  shape: number[];
  /** what is decoded at once */
  chunkShape: number[];
  /** chunks of a shard along each axis; null without shards */
  shard: number[] | null;
  /** bytes of one chunk, decoded */
  chunkBytes: number;
  /** bytes of the whole array, decoded */
  decodedBytes: number;
  /** files (chunks, or shards) that the array can have */
  files: number;
  /** how sizes were found: of every file, of so many evenly spaced ones, or not at all (over http: null) */
  filesLookedAt: number | null;
  /** bytes on disk, scaled up if not every file was looked at */
  storedBytes: number | null;
  /** files that are not there, scaled up likewise; their values are `fillValue` */
  absentFiles: number | null;
  fillValue: unknown;
  /** stored bytes of a decoded byte, of the files that are there */
  ratio: number | null;
}

/** Beyond so many files a part is looked at. */
const MOST_FILES = 20_000;
const AT_ONCE = 64;

/** The arrays `data` and `data_sfc` as they are stored. @throws AtmorepError (input) for metadata that cannot be followed */
export async function describeStorage(store: Pick<Store, "location">): Promise<ArrayStorage[]> {
  const source = await openSource(store.location);
  try {
    const metadata = await openMetadata(source, store.location);
    const out: ArrayStorage[] = [];
    for (const name of ["data", "data_sfc"]) {
      const facts = await metadata.array(name);
      if (facts) out.push(await arrayStorage(source, metadata, facts));
    }
    return out;
  } finally {
    await source.close();
  }
}

async function arrayStorage(source: ByteSource, metadata: MetadataStore, facts: ArrayFacts): Promise<ArrayStorage> {
  const { chunkShape, shard } = facts.present();
  const { shape, name, dtype, fillValue } = facts;
  const type = itemType(dtype);
  const bytes = type?.bytes ?? 4;
  const fileShape = chunkShape.map((n, i) => n * (shard?.shape[i] ?? 1));
  const counts = shape.map((n, i) => Math.ceil(n / fileShape[i]));
  const files = product(counts);
  const sizes = await sizesOf(source, facts, counts);
  const there = sizes?.filter((size) => size !== undefined) ?? [];
  const scale = sizes ? files / Math.max(1, sizes.length) : 0;
  const stored = there.reduce((a, b) => a + b, 0);
  return {
    name,
    dtype: type ? typeName(type) : dtype,
    codec: await codecText(metadata, name),
    shape,
    chunkShape,
    shard: shard?.shape ?? null,
    chunkBytes: product(chunkShape) * bytes,
    decodedBytes: product(shape) * bytes,
    files,
    filesLookedAt: sizes?.length ?? null,
    storedBytes: sizes && Math.round(stored * scale),
    absentFiles: sizes && Math.round((sizes.length - there.length) * scale),
    fillValue,
    ratio: there.length > 0 ? stored / (there.length * product(fileShape) * bytes) : null,
  };
}

/** Sizes of the files, undefined for one that is not there; null if finding them would cost requests. */
async function sizesOf(
  source: ByteSource,
  facts: ArrayFacts,
  counts: readonly number[],
): Promise<(number | undefined)[] | null> {
  const { size } = source;
  if (!size) return null;
  const files = product(counts);
  const looked = Math.min(files, MOST_FILES);
  const out: (number | undefined)[] = [];
  for (let from = 0; from < looked; from += AT_ONCE) {
    const some = Array.from({ length: Math.min(AT_ONCE, looked - from) }, (_, k) => {
      const coords = unravel(Math.floor(((from + k) * files) / looked), counts);
      return size(`/${facts.name}/${facts.chunkFile(coords)}`);
    });
    out.push(...(await Promise.all(some)));
  }
  return out;
}

/** The codecs of an array with the settings that people ask about. */
async function codecText(metadata: MetadataStore, name: string): Promise<string> {
  const key = `/${name}/${metadata.format === 3 ? "zarr.json" : ".zarray"}` as const;
  const bytes = await metadata.get(key);
  const own = JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>;
  const codecs =
    metadata.format === 3
      ? flat(own.codecs)
      : [...(Array.isArray(own.filters) ? own.filters : []), own.compressor].filter(Boolean).map((codec) => {
          const { id, ...configuration } = codec as Record<string, unknown>;
          return { name: String(id), configuration };
        });
  return codecs.map(oneCodec).join(", ") || "none";
}

interface NamedCodec {
  name: string;
  configuration: Record<string, unknown>;
}

/** Codecs of format 3; those within shards in place of the shards. */
function flat(codecs: unknown): NamedCodec[] {
  if (!Array.isArray(codecs)) return [];
  return codecs.flatMap((codec: { name?: string; configuration?: Record<string, unknown> } | string): NamedCodec[] => {
    const name = typeof codec === "string" ? codec : String(codec.name);
    const configuration = (typeof codec === "string" ? undefined : codec.configuration) ?? {};
    if (name === "sharding_indexed") return flat(configuration.codecs);
    return name === "bytes" ? [] : [{ name, configuration }];
  });
}

const BLOSC_SHUFFLES = ["no shuffle", "shuffle", "bitshuffle"];

function oneCodec({ name, configuration: { cname, clevel, level, shuffle } }: NamedCodec): string {
  const strength = clevel ?? level;
  const settings = [
    ...(cname === undefined ? [] : [String(cname)]),
    ...(strength === undefined ? [] : [`level ${strength}`]),
    ...(shuffle === undefined
      ? []
      : [typeof shuffle === "number" ? (BLOSC_SHUFFLES[shuffle] ?? "shuffle") : String(shuffle)]),
  ];
  return settings.length > 0 ? `${name} (${settings.join(", ")})` : name;
}
