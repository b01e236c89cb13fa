/** Reading attention maps back from their store. */
import { AtmorepError } from "../errors.js";
import { ZipReader } from "../formats/zip/reader.js";
import { openResults, readMetadata } from "./readResults.js";

export interface StoredAttention {
  /** path in the store, `<field>/batch=<n>/layer=<n>/heads/<h>` */
  path: string;
  field: string;
  batch: number;
  /** encoder layers first, then the decoder's blocks with attention */
  layer: number;
  head: number;
  /** what is attended along: every token, or one axis */
  axis: "all" | "place" | "time" | "level";
  /** true if the keys come from another field or, in a decoder, from the encoder */
  cross: boolean;
  /** field of the keys */
  keys: string;
  /** [B, queries, keys], along one axis [B, lines, queries, keys] */
  shape: number[];
  /** each row sums to 1 */
  values: Float32Array;
}

export interface AttentionChoice {
  field?: string;
  batch?: number;
  layer?: number;
  head?: number;
}

/**
 * Heads of an attention store, one after the other; only those asked for are read.
 * @throws AtmorepError (input) if the file is damaged; (usage) if it holds no such head
 * @example for await (const { path, shape } of readAttention(file, { field: "velocity_u", layer: 0 })) console.log(path, shape);
 */
export async function* readAttention(file: string, choice: AttentionChoice = {}): AsyncGenerator<StoredAttention> {
  const store = await openResults(file);
  const zip = await ZipReader.open(file).catch(async (error) => {
    await store.close();
    throw error;
  });
  let found = 0;
  try {
    for (const [path, { shape }] of store.arrays) {
      const match = /^(.*)\/batch=(\d+)\/layer=(\d+)\/heads\/(\d+)$/.exec(path);
      if (!match) continue;
      const place = { field: match[1], batch: Number(match[2]), layer: Number(match[3]), head: Number(match[4]) };
      const wanted = Object.entries(choice).every(([key, value]) => value === place[key as keyof typeof place]);
      if (!wanted) continue;
      found += 1;
      const entry = zip.entries.get(`${path}/.zattrs`);
      const attributes = (entry ? await readMetadata(zip, entry) : {}) as Partial<StoredAttention>;
      const { axis = "all", cross = false, keys = place.field } = attributes;
      yield { path, ...place, axis, cross, keys, shape, values: (await store.read(path)) as Float32Array };
    }
    if (found > 0) return;
    throw new AtmorepError("usage", "the store holds no such head", { where: file, found: choice });
  } finally {
    await zip.close();
    await store.close();
  }
}
