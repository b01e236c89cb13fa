/** Everything that is done to a chunk's bytes, as one codec of zarrita's, whose own codecs neither bound nor verify. */
import { registry } from "zarrita";
import { bytesStage } from "./bytes.js";
import { type Size, type Stage, undo } from "./stage.js";
import { codecOf } from "./table.js";
import { itemType } from "./types.js";

export const CHUNK_CODEC = "atmorep.chunk";

/** A codec of the metadata. */
export interface CodecJson {
  name: string;
  configuration: Record<string, unknown>;
}

/** The configuration of `CHUNK_CODEC`. */
export interface ChunkSteps {
  /** type of the stored numbers, as NumPy names it */
  type: string;
  /** in the order of writing, without the one that turns numbers into bytes */
  codecs: CodecJson[];
}

/** @throws Error if a configuration cannot be followed */
export function stagesOf({ type, codecs }: ChunkSteps): Stage[] {
  const item = itemType(type);
  if (!item) throw new Error(`"${type}" is no type of number`);
  const stages = [bytesStage(item)];
  let current = item;
  for (const { name, configuration } of codecs) {
    const entry = codecOf(name);
    if (!entry) throw new Error(`the codec ${name} is not supported`);
    const stage = entry.stage(name, configuration);
    if (stage.types) {
      const { decoded, stored } = stage.types;
      if (decoded.kind !== current.kind || decoded.bytes !== current.bytes || decoded.big !== current.big) {
        throw new Error(`${name} is for another type than that of the numbers it is given`);
      }
      current = stored;
    }
    stages.push(stage);
  }
  return stages;
}

/** zarrita's facts of the array (or shard index) that a chunk belongs to. */
interface ChunkMeta {
  dataType: string;
  shape: number[];
}

/**
 * Where the stored bytes of a chunk are to be decoded to, for what zarrita has no way to say: it hands the bytes that a
 * store gives to the codec as they are.
 */
const places = new WeakMap<Uint8Array, Uint8Array>();

/** Asks for a chunk's values at a place; they come there if its codecs can write there. */
export function decodeInto(stored: Uint8Array, into: Uint8Array): void {
  places.set(stored, into);
}

class ChunkCodec {
  readonly kind = "bytes_to_bytes";

  private constructor(
    private readonly stages: readonly Stage[],
    private readonly size: Size,
  ) {}

  static fromConfig(configuration: unknown, { dataType, shape }: ChunkMeta): ChunkCodec {
    const bytes = shape.reduce((a, b) => a * b, itemType(dataType)?.bytes ?? 0);
    return new ChunkCodec(stagesOf(configuration as ChunkSteps), { bytes, exact: true });
  }

  encode(): never {
    throw new Error("chunks are only read here");
  }

  async decode(bytes: Uint8Array): Promise<Uint8Array> {
    const decoded = await undo(this.stages, bytes, this.size, places.get(bytes));
    // Typed arrays need aligned memory; views into larger buffers may start anywhere.
    return decoded.byteOffset % 8 === 0 ? decoded : Uint8Array.from(decoded);
  }

  /** for the index of a shard, which is read by its length */
  computeEncodedSize(bytes: number): number {
    return this.stages.reduce<Size>((size, stage) => stage.encoded(size), { bytes, exact: true }).bytes;
  }
}

type Entry = Parameters<(typeof registry)["set"]>[1];
registry.set(CHUNK_CODEC, (() => ChunkCodec) as unknown as Entry);
