/**
 * Attention maps as a Zarr zip store (docs/files.md): `<field>/batch=<n>/layer=<n>/heads/<h>`. The encoder's layers come
 * first, then the decoder's blocks with attention; heads count through the groups of a layer: a field's own tokens, then
 * what it is coupled to (in a decoder the encoder's tokens), with axial attention axis by axis.
 */
import * as tf from "@tensorflow/tfjs-core";
import type { PlainBatch } from "../batches/plain.js";
import { disposeBatch, toTensors } from "../batches/tensors.js";
import type { Field } from "../config/types.js";
import type { Window } from "../data/types.js";
import { ZarrZipWriter } from "../formats/zarrZip.js";
import { forward } from "../model/forward.js";
import type { AttendedHeads } from "../model/index.js";
import { placeOfBlock } from "../model/names.js";
import type { Params } from "../model/types.js";
import type { StepModel } from "../step/step.js";
import { fiveDigits } from "./paths.js";
import type { StoreAxes } from "./physical.js";

/** A group of heads as plain numbers. */
interface Group extends Omit<AttendedHeads, "weights"> {
  /** [B*lines, heads, queries, keys] */
  shape: number[];
  values: Float32Array;
}

export interface AttentionBatch {
  /** [B] */
  windows: readonly Window[];
  plain: PlainBatch;
}

export class AttentionWriter {
  private batches = 0;

  private constructor(
    private readonly store: ZarrZipWriter,
    private readonly model: StepModel,
    private readonly fields: readonly Field[],
    private readonly axes: StoreAxes,
  ) {}

  static async open(path: string, model: StepModel, fields: readonly Field[], axes: StoreAxes) {
    return new AttentionWriter(await ZarrZipWriter.create(path), model, fields, axes);
  }

  /** Runs the network on a batch without dropout and writes what its heads attend to. */
  async append(params: Params, { windows, plain }: AttentionBatch): Promise<void> {
    const groups = attendedGroups(this.model, params, plain);
    const batch = `batch=${fiveDigits(this.batches++)}`;
    for (const [f, field] of this.fields.entries()) {
      const layers = layersOf(this.model, f, groups);
      for (const [layer, own] of layers.entries()) {
        if (layer === 0) await this.coordinates(`${field.name}/${batch}`, field, windows);
        await this.layer(`${field.name}/${batch}/layer=${fiveDigits(layer)}`, f, own, windows.length);
      }
    }
  }

  private async layer(path: string, f: number, groups: readonly Group[], B: number): Promise<void> {
    const [{ block }] = groups;
    await this.store.group(path, { block, part: placeOfBlock(block).part });
    let number = 0;
    for (const { source, axis, shape, values } of groups) {
      const [sequences, heads, queries, keys] = shape;
      const lines = sequences / B;
      const size = queries * keys;
      for (let h = 0; h < heads; h++) {
        const data = new Float32Array(sequences * size);
        for (let s = 0; s < sequences; s++) {
          data.set(values.subarray((s * heads + h) * size, (s * heads + h + 1) * size), s * size);
        }
        const dense = axis === "all";
        await this.store.array(`${path}/heads/${number++}`, {
          shape: dense ? [B, queries, keys] : [B, lines, queries, keys],
          dtype: "<f4",
          data,
          dimensions: ["sample", ...(dense ? [] : ["line"]), "query", "key"],
          attributes: { axis, cross: source > 0, keys: this.keysOf(f, block, source) },
        });
      }
    }
  }

  /** Name of the field whose tokens are attended to. */
  private keysOf(f: number, block: string, source: number): string {
    const { coupled } = this.model.spec.fields[f];
    const other = placeOfBlock(block).part === "encoder" && source > 0 ? coupled[source - 1] : f;
    return this.fields[other].name;
  }

  /** Where and when the tokens are: the last step of each, and the point at index `size // 2` of rows and columns. */
  private async coordinates(path: string, field: Field, windows: readonly Window[]): Promise<void> {
    const [nt, ny, nx] = field.numTokens;
    const [tt, ty, tx] = field.tokenSize;
    const B = windows.length;
    const each = (count: number, of: (window: Window, i: number) => number) =>
      Float32Array.from({ length: B * count }, (_, i) => of(windows[Math.floor(i / count)], i % count));
    const { times, lats, lons } = this.axes;
    const datetime = windows.flatMap(({ time }) => Array.from({ length: nt }, (_, i) => times[time[(i + 1) * tt - 1]]));
    const lat = each(ny, (window, i) => 90 - lats[window.lat[i * ty + (ty >> 1)]]);
    const lon = each(nx, (window, i) => lons[window.lon[i * tx + (tx >> 1)]]);
    const ml = BigInt64Array.from(field.levels, BigInt);
    await this.store.arrays(path, {
      ml: { shape: [field.L], dtype: "<i8", data: ml, dimensions: ["ml"] },
      datetime: {
        shape: [B, nt],
        dtype: "<M8[ns]",
        data: BigInt64Array.from(datetime),
        dimensions: ["sample", "token_time"],
      },
      lat: { shape: [B, ny], dtype: "<f4", data: lat, dimensions: ["sample", "token_lat"] },
      lon: { shape: [B, nx], dtype: "<f4", data: lon, dimensions: ["sample", "token_lon"] },
    });
  }

  /** Puts the store in its place. @returns its path */
  async close(): Promise<string> {
    await this.store.close();
    return this.store.path;
  }

  abort(): Promise<void> {
    return this.store.abort();
  }
}

function attendedGroups({ spec }: StepModel, params: Params, plain: PlainBatch): Group[] {
  const groups: Group[] = [];
  const batch = toTensors(plain);
  try {
    // read at once: maps of a whole network would fill the engine's memory
    const attended = ({ weights, ...place }: AttendedHeads) =>
      groups.push({ ...place, shape: weights.shape, values: weights.dataSync() as Float32Array });
    const outputs = forward(params, spec, batch.inputs, { attended });
    tf.dispose(outputs.flatMap(({ mean, std, ens }) => [mean, std, ens]));
    return groups;
  } finally {
    disposeBatch(batch);
  }
}

/** The groups of a field's layers: those of its encoder, then of its decoder if it is predicted. */
function layersOf({ spec }: StepModel, f: number, groups: readonly Group[]): Group[][] {
  const decoder = spec.predicted.indexOf(f);
  const own = groups.filter(({ block }) => {
    const { part, index } = placeOfBlock(block);
    return index === (part === "encoder" ? f : decoder);
  });
  const layers = new Map<string, Group[]>();
  for (const group of own) layers.set(group.block, [...(layers.get(group.block) ?? []), group]);
  return [...layers.values()];
}
