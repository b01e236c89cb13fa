/** The arrays of a view, in the layout of a store: chunks are made when they are asked for. */
import { arrange } from "../import/grid.js";
import type { ChunkedArray, Values } from "../zarr/array.js";
import type { ChunkCache } from "../zarr/cache.js";
import type { ViewChannel, ViewPlan } from "./plan.js";

/** The most bytes of a chunk. */
const CHUNK_BYTES = 32 * 2 ** 20;

/**
 * `data` [time, field, level, lat, lon] and `data_sfc` [time, field, lat, lon] as float32. A chunk is one field and level
 * of as many times as the source decodes together, up to 32 MB.
 */
export function viewArrays(
  plan: ViewPlan,
  cache: ChunkCache<Values>,
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
      chunk: (coords) =>
        cache.get(`${name}/${coords.join(".")}`, async () => {
          const values = new Float32Array(block * size[0] * size[1]);
          const channel = dims.length === 2 ? coords[1] * dims[1] + coords[2] : coords[1];
          await readPlanes(channels[channel], coords[0] * block, values, size[0] * size[1]);
          return values;
        }),
    };
  };
  return {
    data: array("data", [fields.length, levels.length], plan.upper),
    data_sfc: array("data_sfc", [fieldsSfc.length], plan.surface),
  };
}

/** Planes of consecutive times, as import writes them: unpacked and converted in double precision, then float32. */
async function readPlanes(
  { segments, places }: ViewChannel,
  first: number,
  into: Float32Array,
  size: number,
): Promise<void> {
  const end = Math.min(places.times.length, first + into.length / size);
  for (let t = first; t < end; t++) {
    const { variable, level, grid, conversion } = segments[places.segment[t]];
    const plane = arrange(await variable.readPlane(places.index[t], level), grid);
    const at = (t - first) * size;
    if (!conversion || (conversion.scale === 1 && conversion.offset === 0)) into.set(plane, at);
    else for (let i = 0; i < size; i++) into[at + i] = plane[i] * conversion.scale + conversion.offset;
  }
}
