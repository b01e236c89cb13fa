/** Computing normalisations as work cut into units: of a store in its own layout, and of any source beside it. */
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { writeFileAtomic } from "../../formats/atomic.js";
import { sourceChanged } from "../building/sources.js";
import type { Kind } from "../building/types.js";
import { levelSource } from "../fields.js";
import { openLayout, openStore } from "../store.js";
import { readValues, wholeWindow } from "../values.js";
import { product } from "../zarr/array.js";
import { writePlanes } from "../zarr/blocks.js";
import { chunkWriter, type StoreSink, writeArrayMetadata, writeGroup, writeSmallArray } from "../zarr/write.js";
import {
  computeField,
  type FieldNumbers,
  finishStatistics,
  type StatisticsLayout,
  type StatisticsSetup,
  statisticsUnits,
} from "./beside.js";
import { type ChannelNumbers, globalNumbers, storable, writeEmptyMonths } from "./globals.js";
import { type NormalizeLayout, type NormalizeSetup, type NormalizeUnit, unitsOf } from "./layout.js";
import { MonthAccumulator } from "./statistics.js";

interface NormalizeResult {
  array: NormalizeUnit["array"];
  /** rows that these numbers are for */
  months: number[];
  channels: ChannelNumbers[];
}

export const NORMALIZE: Kind<NormalizeSetup, NormalizeLayout, NormalizeResult> = {
  async open({ location, layout, groups, perPass, chunkBytes }, cacheBytes) {
    const store = await openLayout(location, cacheBytes + chunkBytes);
    const units = unitsOf(layout, groups);
    const [rows, columns] = [store.lats.length, store.lons.length];
    const points = rows * columns;
    return {
      async work(index, { sink, progress, ended }) {
        const { array, block, steps, months } = units[index];
        const { chunks } = layout.arrays.find(({ name }) => name === array) as NormalizeLayout["arrays"][number];
        const surface = array === "data_sfc";
        const planes = new Float32Array(2 * block.size * points).fill(Number.NaN);
        const channels: NormalizeResult["channels"] = [];
        for (let from = 0; from < block.channels.length; from += perPass) {
          const some = block.channels.slice(from, from + perPass);
          const sums = new MonthAccumulator(some.length, points);
          const sources = some.map(({ channel }) => sourceOf(store, surface, channel));
          for (const t of steps) {
            if (ended.aborted) throw new Error("the normalisation was ended");
            for (const [c, source] of sources.entries()) {
              progress(points * 4);
              if (source.filled?.has(t)) continue;
              sums.add(c, (await readValues(store, source, wholeWindow(store, Int32Array.of(t)))).values);
            }
          }
          for (const [c, { channel, place }] of some.entries()) {
            const at = (statistic: number) =>
              planes.subarray((statistic * block.size + place) * points, (statistic * block.size + place + 1) * points);
            const [mean, std] = sums.channel(c, at(0), at(1)).map(storable);
            channels.push({ channel, mean, std });
          }
        }
        const write = chunkWriter(sink, { name: `norm${surface ? "_sfc" : ""}` }, layout.format);
        const plane = { grid: [rows, columns] as const, chunk: chunks.slice(-2) as [number, number] };
        for (const month of months) await writePlanes(write, [month, 0, ...block.coords], planes, plane, Number.NaN);
        return { array, months, channels } satisfies NormalizeResult;
      },
      close: () => store.close(),
    };
  },

  async finish(layout, results, sink) {
    const { format, months, group } = layout;
    // Beside the arrays, so that what they are is never told by an older attribute.
    await writeGroup(sink, "", group ?? undefined, format);
    for (const { name, dims, grid, chunks } of layout.arrays) {
      const suffix = name === "data" ? "" : "_sfc";
      const shape = [months, 2, ...dims];
      const own = results.filter(({ array }) => array === name);
      const sparse =
        product(dims) > product(chunks.slice(1, -2)) || chunks.at(-2) !== grid[0] || chunks.at(-1) !== grid[1];
      const norm = {
        name: `norm${suffix}`,
        shape: [...shape, ...grid],
        chunks: [1, 2, ...chunks.slice(1)],
        dtype: "<f4" as const,
        ...(sparse ? { absent: "NaN" as const } : {}),
      };
      await writeArrayMetadata(sink, norm, format);
      if (!sparse) {
        const write = chunkWriter(sink, norm, format);
        const written = new Set(own.flatMap((result) => result.months));
        await writeEmptyMonths(write, months, written, [dims, grid]);
      }
      const rows = own.flatMap(({ months: same, channels }) => same.map((month) => ({ month, channels })));
      const globals = globalNumbers(rows, months, product(dims));
      await writeSmallArray(sink, { name: `global_norm${suffix}`, shape, dtype: "<f4" }, globals, format);
    }
  },

  /** Writes the attribute, and takes away the consolidated metadata, which would tell of the former arrays. */
  async after({ format, period }, location) {
    const path = join(location, format === 2 ? ".zattrs" : "zarr.json");
    const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
      if (error.code === "ENOENT" && format === 2) return "{}";
      throw error;
    });
    if (format === 2) {
      const attrs = { ...JSON.parse(text), normalization_period: period };
      await writeFileAtomic(path, JSON.stringify(attrs, null, 4));
      return rm(join(location, ".zmetadata"), { force: true });
    }
    const { consolidated_metadata: _, ...root } = JSON.parse(text);
    const attributes = { ...root.attributes, normalization_period: period };
    await writeFileAtomic(path, JSON.stringify({ ...root, attributes }, null, 4));
  },
};

function sourceOf(store: Awaited<ReturnType<typeof openLayout>>, surface: boolean, channel: number) {
  const { fields, levels, fieldsSfc } = store;
  const [name, level] = surface
    ? [fieldsSfc[channel], 0]
    : [fields[Math.floor(channel / levels.length)], levels[channel % levels.length]];
  return levelSource(store, name, level);
}

export const STATISTICS: Kind<StatisticsSetup, StatisticsLayout, FieldNumbers> = {
  async open(setup, cacheBytes) {
    const half = Math.floor(cacheBytes / 2);
    const { location, session } = setup;
    const store = await openStore(location, { session, cacheBytes: half, partsBytes: half });
    if ((store.view?.identity ?? null) !== setup.identity) {
      await store.close();
      throw sourceChanged("data normalize", location, "Call again with --restart when it is whole");
    }
    const units = statisticsUnits(store, setup.request);
    return {
      work: (unit, tools) => computeField(store, units[unit], setup.request.local ? tools.sink : null, tools),
      close: () => store.close(),
    };
  },
  finish: (layout: StatisticsLayout, results: readonly FieldNumbers[], sink: StoreSink, place: string) =>
    finishStatistics(layout, results, sink, place),
};
