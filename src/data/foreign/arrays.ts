/** The arrays of a view, in the layout of a store: chunks are made when they are asked for. */

import type { SharedChunks, Values } from "../cache/sharedChunks.js";
import { readPlane } from "../import/source.js";
import { type ChunkedArray, product } from "../zarr/array.js";
import type { ViewChannel, ViewPlan } from "./plan.js";

/** The most bytes of a chunk. */
const CHUNK_BYTES = 32 * 2 ** 20;

/**
 * `data` [time, field, level, lat, lon] and `data_sfc` [time, field, lat, lon] as float32. A chunk is one field and level
 * of as many times as the source decodes together, up to 32 MB.
 */
export function viewArrays(
  plan: ViewPlan,
  cache: SharedChunks,
): { data: ChunkedArray | null; data_sfc: ChunkedArray | null } {
  const { times, fields, fieldsSfc, levels, grid } = plan;
  const size = [grid.lats.length, grid.lons.length];
  const most = Math.max(1, Math.floor(CHUNK_BYTES / (4 * size[0] * size[1])));
  const block = Math.min(plan.timesTogether, most, times.length);
  const array = (name: string, dims: number[], channels: readonly ViewChannel[]): ChunkedArray | null => {
    if (channels.length === 0) return null;
    const chunkShape = [block, ...dims.map(() => 1), ...size];
    return {
      name,
      shape: [times.length, ...dims, ...size],
      chunkShape,
      itemBytes: 4,
      chunk(coords) {
        const channel = dims.length === 2 ? coords[1] * dims[1] + coords[2] : coords[1];
        return cache.hold({
          name,
          index: coords[0] * channels.length + channel,
          length: product(chunkShape),
          itemBytes: 4,
          load: (into) => readPlanes(channels[channel], coords[0] * block, into, product(size)),
        });
      },
    };
  };
  return {
    data: array("data", [fields.length, levels.length], plan.upper),
    data_sfc: array("data_sfc", [fieldsSfc.length], plan.surface),
  };
}

/** Planes of consecutive times, as import writes them: unpacked and converted in double precision, then float32. */
async function readPlanes({ segments, places }: ViewChannel, first: number, into: Values, size: number): Promise<void> {
  const end = Math.min(places.times.length, first + into.length / size);
  into.fill(0, (end - first) * size);
  for (let t = first; t < end; t++) {
    into.set(await readPlane(segments[places.segment[t]], places.index[t]), (t - first) * size);
  }
}
