/** Writing the values of a store in other chunks, as work cut into units: some time steps of all channels. */
import type { Kind, UnitTools } from "../building/types.js";
import { type LayoutStore, openLayout } from "../store.js";
import { type ChunkedArray, product, stridesOf, unravel, type Values } from "../zarr/array.js";
import { type Block, blocksOf, writePlanes } from "../zarr/blocks.js";
import { chunkWriter } from "../zarr/write.js";
import { finishRechunk } from "./finish.js";
import { PASS_BYTES, type RechunkLayout, type RechunkSetup, type RechunkUnit, unitsOf } from "./layout.js";

export const RECHUNK: Kind<RechunkSetup, RechunkLayout, null> = {
  async open({ source, format, arrays, compressor }, cacheBytes) {
    const largest = Math.max(...arrays.map(({ from, itemBytes }) => product(from) * itemBytes));
    const store = await openLayout(source, cacheBytes + largest);
    const units = unitsOf(arrays);
    return {
      async work(unit, tools) {
        await rechunkUnit(store, units[unit], { format, compressor }, tools);
        return null;
      },
      close: () => store.close(),
    };
  },
  finish: (layout, _, sink, source) => finishRechunk(layout, source, sink),
};

async function rechunkUnit(
  store: LayoutStore,
  { array, steps: [from, to] }: RechunkUnit,
  { format, compressor }: Pick<RechunkSetup, "format" | "compressor">,
  { sink, progress, ended }: UnitTools,
): Promise<void> {
  const { name, shape, to: chunks, itemBytes } = array;
  const dims = shape.slice(1, -2);
  const grid = shape.slice(-2) as [number, number];
  const points = product(grid);
  const plane = { grid, chunk: chunks.slice(-2) as [number, number] };
  const write = chunkWriter(sink, { name, compressor }, format);
  const slots = Math.ceil((to - from) / chunks[0]) * chunks[0];
  const blocks = blocksOf(dims, chunks.slice(1, -2));
  const atOnce = Math.max(1, Math.floor(PASS_BYTES / (slots * blocks[0].size * points * itemBytes)));
  for (let first = 0; first < blocks.length; first += atOnce) {
    const some = blocks.slice(first, first + atOnce);
    const slabs = some.map(({ size }): Values => {
      const length = slots * size * points;
      return itemBytes === 8 ? new Float64Array(length) : new Float32Array(length);
    });
    await gather(store.arrays[name] as ChunkedArray, { blocks: some, slabs, from, to }, ended);
    for (const [b, { coords, size, channels }] of some.entries()) {
      const step = chunks[0] * size * points;
      for (let k = 0; k * chunks[0] < to - from; k++) {
        const planes = slabs[b].subarray(k * step, (k + 1) * step);
        await writePlanes(write, [Math.floor(from / chunks[0]) + k, ...coords], planes, plane, 0);
      }
      progress((to - from) * channels.length * points * itemBytes);
    }
  }
}

interface Pass {
  blocks: readonly Block[];
  /** by block: [step, place, lat, lon] */
  slabs: readonly Values[];
  from: number;
  to: number;
}

/** Every chunk of the source that holds some of it, read once. */
async function gather(
  source: ChunkedArray,
  { blocks, slabs, from, to }: Pass,
  ended: { aborted: boolean },
): Promise<void> {
  const { shape, chunkShape: c } = source;
  const [dims, size] = [shape.slice(1, -2), c.slice(1, -2)];
  const [rows, columns] = shape.slice(-2);
  const [height, width] = c.slice(-2);
  const wanted = new Map<number, { slab: Values; size: number; place: number }>();
  for (const [b, block] of blocks.entries()) {
    for (const { channel, place } of block.channels) wanted.set(channel, { slab: slabs[b], size: block.size, place });
  }
  const strides = stridesOf(c);
  for (const part of blocksOf(dims, size)) {
    const own = part.channels.filter(({ channel }) => wanted.has(channel));
    if (own.length === 0) continue;
    const cuts = [Math.ceil(rows / height), Math.ceil(columns / width)];
    for (let t = Math.floor(from / c[0]); t * c[0] < to; t++) {
      for (let s = 0; s < product(cuts); s++) {
        if (ended.aborted) throw new Error("the work was ended");
        const [yc, xc] = unravel(s, cuts);
        const { values, release } = await source.chunk([t, ...part.coords, yc, xc]);
        const [h, w] = [Math.min(height, rows - yc * height), Math.min(width, columns - xc * width)];
        for (let step = Math.max(from, t * c[0]); step < Math.min(to, (t + 1) * c[0]); step++) {
          for (const { channel, place } of own) {
            const target = wanted.get(channel) as { slab: Values; size: number; place: number };
            const base = (step - t * c[0]) * strides[0] + place * height * width;
            const at = ((step - from) * target.size + target.place) * rows * columns;
            for (let y = 0; y < h; y++) {
              const row = values.subarray(base + y * width, base + y * width + w);
              target.slab.set(row, at + (yc * height + y) * columns + xc * width);
            }
          }
        }
        release();
      }
    }
  }
}
