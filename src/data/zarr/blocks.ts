/**
 * Blocks of channels: the fields and levels that stand in the same chunks of an array [time, field, level, lat, lon] or
 * [time, field_sfc, lat, lon], and how planes become those chunks.
 */
import { product, stridesOf, unravel, type Values } from "./array.js";
import type { ChunkWriter } from "./write.js";

export interface Block {
  /** of its chunks on the axes of fields and levels */
  coords: number[];
  /** planes in one of its chunks and time, those beyond the array's edge included */
  size: number;
  /** channels of the array, field after field, and their places in the chunk */
  channels: { channel: number; place: number }[];
}

/** @param dims channels along each axis. @param chunks the same of a chunk */
export function blocksOf(dims: readonly number[], chunks: readonly number[]): Block[] {
  const counts = dims.map((n, i) => Math.ceil(n / chunks[i]));
  const [places, strides] = [stridesOf(chunks), stridesOf(dims)];
  return Array.from({ length: product(counts) }, (_, b) => {
    const coords = unravel(b, counts);
    const channels: Block["channels"] = [];
    for (let place = 0; place < product(chunks); place++) {
      const at = unravel(place, chunks).map((n, i) => coords[i] * chunks[i] + n);
      if (at.some((n, i) => n >= dims[i])) continue;
      channels.push({
        channel: at.reduce((sum, n, i) => sum + n * strides[i], 0),
        place: unravel(place, chunks).reduce((sum, n, i) => sum + n * places[i], 0),
      });
    }
    return { coords, size: product(chunks), channels };
  });
}

/** Sizes of the last two axes: of the array, and of its chunks. */
export interface Plane {
  grid: readonly [lat: number, lon: number];
  chunk: readonly [lat: number, lon: number];
}

/**
 * Writes whole planes as the chunks that they are cut into.
 * @param lead coordinates of the chunks but for the last two
 * @param planes [n, lat, lon]; given on as it is where a chunk holds whole planes
 * @param beyond stands past the edge of the grid
 */
export async function writePlanes(
  write: ChunkWriter,
  lead: readonly number[],
  planes: Values,
  { grid, chunk }: Plane,
  beyond: number,
): Promise<void> {
  if (chunk[0] === grid[0] && chunk[1] === grid[1]) return write([...lead, 0, 0], planes);
  const points = grid[0] * grid[1];
  const count = planes.length / points;
  const [rows, columns] = chunk;
  for (let yc = 0; yc * rows < grid[0]; yc++) {
    for (let xc = 0; xc * columns < grid[1]; xc++) {
      const size = count * rows * columns;
      const out = planes instanceof Float64Array ? new Float64Array(size) : new Float32Array(size);
      out.fill(beyond);
      const height = Math.min(rows, grid[0] - yc * rows);
      const width = Math.min(columns, grid[1] - xc * columns);
      for (let n = 0; n < count; n++) {
        for (let y = 0; y < height; y++) {
          const from = n * points + (yc * rows + y) * grid[1] + xc * columns;
          out.set(planes.subarray(from, from + width), (n * rows + y) * columns);
        }
      }
      await write([...lead, yc, xc], out);
    }
  }
}
