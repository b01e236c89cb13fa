/** Writing a store again in other chunks: the same values to the bit, all else kept. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { isUrl } from "../../config/resolve.js";
import { AtmorepError } from "../../errors.js";
import { build } from "../building/build.js";
import { factsOf, requireOwnFiles } from "../building/sources.js";
import { settleFirst } from "../building/together.js";
import type { BuildOptions } from "../building/types.js";
import { type Chunks, layoutOf } from "../import/layout.js";
import type { Shapes } from "../info/chooseChunks.js";
import { describeStorage } from "../info/storage.js";
import { type LayoutStore, openLayout } from "../store.js";
import { formatTime } from "../time.js";
import { type ChunkedArray, product } from "../zarr/array.js";
import type { Compressor } from "../zarr/encode.js";
import { PASS_BYTES, type RechunkArray, type RechunkLayout, type RechunkSetup, unitsOf } from "./layout.js";

export interface RechunkOptions {
  /** extents of a chunk; a function chooses them for the store. Null: as they are */
  chunks?: Chunks | ((shapes: Shapes) => Chunks) | null;
  compressor?: Compressor;
}

export interface RechunkSummary {
  path: string;
  /** the folder of what is done, if parts are still to come */
  unfinished: string | null;
  arrays: { name: string; shape: number[]; from: number[]; to: number[] }[];
  compressor: Compressor;
}

/** Types of which every value is one of ours. */
const FLOATS = ["float16", "float32", "float64"];

/**
 * Writes the store at `source` to `out` with its arrays `data` and `data_sfc` in other chunks, compressed with a checksum.
 * Every value has the same bits; other arrays, the normalisation among them, and all attributes are kept as they are.
 * @param source a store of the AtmoRep layout, format 2 or 3, in a folder or a zip file
 * @throws AtmorepError (usage) if something stands at `out`, for a group in a store and an Icechunk repository; (input) for faults of the store; as `build`
 */
export async function rechunkStore(
  source: string,
  out: string,
  { chunks = null, compressor = "blosc", ...options }: RechunkOptions & BuildOptions = {},
): Promise<RechunkSummary> {
  if (isUrl(source)) {
    throw new AtmorepError("usage", "a store at an address is not written again", {
      where: source,
      fix: "Copy it to this machine first",
    });
  }
  requireOwnFiles("data rechunk", source);
  await settleFirst(out, options);
  if (existsSync(out)) {
    throw new AtmorepError("usage", "there is something at this path already", {
      where: `--out ${out}`,
      fix: "Choose another path, or remove it yourself",
    });
  }
  const store = await openLayout(source);
  let arrays: RechunkArray[];
  let names: string[];
  try {
    requireOwnFiles("data rechunk", store.location);
    await requireFloats(store);
    arrays = arraysOf(store, typeof chunks === "function" ? chunks(store) : chunks);
    names = unitsOf(arrays).map(({ array, steps }) => `${array.name} ${formatTime(store.times[steps[0]])}`);
  } finally {
    await store.close();
  }
  const { format } = store;
  const layout: RechunkLayout = { format, arrays, compressor };
  const place = resolve(source);
  const units = unitsOf(arrays);
  const bytesOf = ({ shape, itemBytes }: RechunkArray, steps: number) => steps * product(shape.slice(1)) * itemBytes;
  // Of a slab, of a chunk as it is packed, of one that is read.
  const held = ({ from, to, shape, itemBytes }: RechunkArray) => {
    const block = to[0] * product(to.slice(1, -2)) * product(shape.slice(-2)) * itemBytes;
    return Math.max(PASS_BYTES, block) + 3 * product(to) * itemBytes + product(from) * itemBytes;
  };
  const built = await build(
    {
      kind: "rechunk",
      command: "data rechunk",
      out,
      replace: false,
      setup: { ...layout, source: place } satisfies RechunkSetup,
      layout,
      place,
      asked: { chunks: arrays.map(({ name, to }) => [name, to]), compressor },
      sources: async () => [await factsOf(source)],
      units: units.map(({ array, steps }, i) => ({ name: names[i], bytes: bytesOf(array, steps[1] - steps[0]) })),
      unitBytes: Math.max(...arrays.map(held)),
      smaller: "Give more memory, or choose smaller --chunks",
      alone: null,
    },
    options,
  );
  const facts = arrays.map(({ name, shape, from, to }) => ({ name, shape, from, to }));
  return { path: out, unfinished: built.unfinished, arrays: facts, compressor };
}

function arraysOf(
  { arrays, times, fields, levels, fieldsSfc, lats, lons }: LayoutStore,
  chunks: Chunks | null,
): RechunkArray[] {
  const grid = [lats.length, lons.length] as const;
  const sizes = {
    times: times.length,
    fields: fields.length,
    levels: levels.length,
    fieldsSfc: fieldsSfc.length,
    grid,
  };
  const layout = layoutOf(sizes, chunks ?? {}, 1, "none");
  return (["data", "data_sfc"] as const).flatMap((name) => {
    const array: ChunkedArray | null = arrays[name];
    if (!array) return [];
    const shape = [...array.shape];
    const from = [...array.chunkShape];
    const to = chunks === null ? from.map((n, i) => Math.min(n, shape[i])) : (layout[name] as number[]);
    return [{ name, shape, from, to, itemBytes: array.itemBytes }];
  });
}

async function requireFloats(store: LayoutStore): Promise<void> {
  for (const { name, dtype } of await describeStorage(store)) {
    if (FLOATS.includes(dtype)) continue;
    throw new AtmorepError("input", "the array is not of floats, so it would not keep its type", {
      where: `${store.location}: ${name}`,
      found: dtype,
      expected: FLOATS.join(", "),
    });
  }
}
