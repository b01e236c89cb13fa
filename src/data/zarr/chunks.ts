/** The chunks of one array, decoded; each fault names the file. */
import * as zarr from "zarrita";
import { AtmorepError, isAtmorepError } from "../../errors.js";
import { decodeInto, type Presented } from "../codecs/index.js";
import type { ByteRange, Lend } from "../source/index.js";
import type { ArrayFacts, MetadataStore } from "./metadata.js";

/** A chunk that came over a network is read so often before it counts as damaged. */
const ATTEMPTS = 3;

/** What was read is not what was written. */
class DamagedChunk extends AtmorepError {}

/** A decoded chunk, of the full chunk shape also at the array's edge. */
export interface RawChunk {
  data: ArrayLike<number | bigint>;
  /** in values, by axis */
  stride: number[];
}

export interface ChunkReader {
  shape: readonly number[];
  chunkShape: readonly number[];
  /** type of the decoded numbers, as Zarr format 3 names it */
  type: string;
  /** @throws AtmorepError (input) naming the chunk's file */
  rawChunk(coords: readonly number[], places?: Places): Promise<RawChunk>;
}

/** Memory of whoever asks for a chunk. */
export interface Places {
  /** for the decoded bytes, which `data` is a view of where the codecs could write there */
  into?: Uint8Array;
  /** for the stored bytes, which `data` is a view of where nothing is done to them */
  lend?: Lend;
}

/** @throws AtmorepError (input) for metadata that cannot be followed */
export async function openChunks(store: MetadataStore, facts: ArrayFacts, location: string): Promise<ChunkReader> {
  const where = `${location}: ${facts.name}`;
  const presented = facts.present();
  const { chunkShape, shard } = presented;
  const absent = new Set<string>();
  const array = await zarr.open
    .v3(zarr.root(filesOf(store, facts, presented, absent)), { kind: "array" })
    .catch((cause: Error) => {
      throw new AtmorepError("input", "the array cannot be opened", { where, found: cause.message, cause });
    });
  const size = chunkShape.reduce((a, b) => a * b, 1);
  const fileOf = (coords: readonly number[]) =>
    facts.chunkFile(shard ? coords.map((at, i) => Math.floor(at / shard.shape[i])) : coords);

  const readOnce = async (coords: readonly number[], places?: Places): Promise<RawChunk> => {
    const file = fileOf(coords);
    const name = `${location}/${facts.name}/${file}`;
    const which = shard ? `${name}, chunk ${coords.join(".")}` : name;
    const options: Options = { ...places };
    try {
      const { data, stride } = (await array.getChunk([...coords], options)) as unknown as RawChunk;
      if (facts.fillValue === null && absent.has(`/${file}`)) {
        throw new AtmorepError("input", "a chunk is missing and the array has no fill value", {
          where: which,
          fix: "The store is not complete; copy or write it again",
        });
      }
      if (data.length !== size) throw new Error(`${data.length} values instead of ${size}`);
      return { data, stride };
    } catch (cause) {
      if (isAtmorepError(cause)) throw cause;
      // A fault of the pipeline carries what the step said; a fault of reading comes as it is.
      const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
      if (isAtmorepError(inner)) throw inner;
      throw new DamagedChunk("input", "a chunk is damaged", {
        where: which,
        found: inner instanceof Error ? inner.message : String(inner),
        fix: "Copy or write the store again",
        cause,
      });
    }
  };
  const rawChunk = async (coords: readonly number[], places?: Places): Promise<RawChunk> => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await readOnce(coords, places);
      } catch (error) {
        // What a network damaged may come whole the next time.
        const again = error instanceof DamagedChunk && attempt < ATTEMPTS;
        if (!again || !(await store.forget(`/${facts.name}/${fileOf(coords)}`))) throw error;
      }
    }
  };
  return { shape: facts.shape, chunkShape, type: String(presented.document.data_type), rawChunk };
}

/** What zarrita hands through from whoever asks for a chunk. */
interface Options extends Places {
  signal?: AbortSignal;
}

/** The files of one array as zarrita asks for them: never more bytes than the array can need, never fewer than asked. */
function filesOf(store: MetadataStore, facts: ArrayFacts, presented: Presented, absent: Set<string>) {
  const { document, shard, chunkBytes, fileBytes } = presented;
  const metadata = new TextEncoder().encode(JSON.stringify(document));
  return {
    async get(key: `/${string}`, options?: Options) {
      if (key === "/zarr.json") return metadata;
      const bytes = await store.get(`/${facts.name}${key}`, fileBytes, options?.lend);
      if (!bytes) absent.add(key);
      else if (options?.into) decodeInto(bytes, options.into);
      return bytes;
    },
    async getRange(key: `/${string}`, asked: ByteRange, options?: Options) {
      const isIndex = "suffixLength" in asked;
      // zarrita knows indices at the end alone
      const range = isIndex && shard?.indexAtStart ? { offset: 0, length: asked.suffixLength } : asked;
      const length = "suffixLength" in range ? range.suffixLength : range.length;
      const whole = "suffixLength" in range || Number.isSafeInteger(range.offset + length);
      if (!whole || length > (isIndex ? fileBytes : chunkBytes)) {
        throw new Error(`the shard's index says that a chunk has ${length} bytes, which it cannot have`);
      }
      // zarrita keeps the index, so it has memory of its own
      const lend = isIndex ? undefined : options?.lend;
      const bytes = await store.getRange(`/${facts.name}${key}`, range, fileBytes, lend);
      if (bytes && bytes.length !== length) throw new Error(`the shard breaks off: ${bytes.length} bytes of ${length}`);
      if (bytes && options?.into && !isIndex) decodeInto(bytes, options.into);
      return bytes;
    },
  };
}
