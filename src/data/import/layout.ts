/** How the arrays of a store are cut into chunks and files, and an import into units. */
import { AtmorepError } from "../../errors.js";
import type { UnitFacts } from "../building/types.js";
import { calendarOf } from "../time.js";
import { mostOf } from "../zarr/array.js";
import { type Block, blocksOf } from "../zarr/blocks.js";
import type { Compressor } from "../zarr/encode.js";
import type { ImportPlan } from "./plan.js";

/** Extent of a chunk along each axis; an axis without one is not cut, but time into single steps. */
export type Chunks = Partial<Record<(typeof AXES)[number], number>>;
export const AXES = ["time", "field", "level", "lat", "lon"] as const;

/** @param text `time=24,field=1,level=1`. @throws AtmorepError (usage) */
export function parseChunks(text: string): Chunks {
  const chunks: Chunks = {};
  for (const part of text.split(",")) {
    const [name, value] = part.split("=").map((word) => word.trim());
    const axis = AXES.find((known) => known === name);
    const extent = Number(value);
    if (axis && value !== undefined && Number.isInteger(extent) && extent >= 1) chunks[axis] = extent;
    else {
      throw new AtmorepError("usage", "not a shape of chunks", {
        where: "--chunks",
        found: part,
        expected: `auto, or extents of ${AXES.join(", ")}, such as time=4,field=1,level=1`,
      });
    }
  }
  return chunks;
}

export interface Sizes {
  times: number;
  fields: number;
  levels: number;
  fieldsSfc: number;
  grid: readonly [lat: number, lon: number];
}

export interface Layout {
  /** chunks of `data` and `data_sfc`; null where the store has no such array */
  data: number[] | null;
  data_sfc: number[] | null;
  compressor: Compressor;
  /** the chunks were asked for: then months without data are not written, and stand for NaN */
  asked: boolean;
}

export function layoutOf(
  { times, fields, levels, fieldsSfc, grid }: Sizes,
  chunks: Chunks | null,
  timeChunk: number,
  compressor: Compressor,
): Layout {
  const least = (axis: keyof Chunks, size: number) => Math.min(chunks?.[axis] ?? size, size);
  const time = chunks ? Math.min(chunks.time ?? 1, times) : timeChunk;
  const plane = [least("lat", grid[0]), least("lon", grid[1])];
  return {
    data: fields > 0 ? [time, least("field", fields), least("level", levels), ...plane] : null,
    data_sfc: fieldsSfc > 0 ? [time, least("field", fieldsSfc), ...plane] : null,
    compressor,
    asked: chunks !== null,
  };
}

/** Channels and months whose values are read together; it writes the chunks that begin in the month, and its normalisation. */
export interface ImportUnit {
  array: "data" | "data_sfc";
  /** from January of the first year */
  month: number;
  /** time steps of the month, and those of the chunks that begin in it */
  steps: [from: number, to: number];
  owned: [from: number, to: number];
  blocks: Block[];
}

/** Units in the order of time, so that parts have their own files. */
export function unitsOf(plan: ImportPlan, layout: Layout): ImportUnit[] {
  const { times, fields, levels, fieldsSfc } = plan;
  const { month } = calendarOf(times);
  const arrays = [
    ...(layout.data ? [{ array: "data" as const, chunks: layout.data, dims: [fields.length, levels.length] }] : []),
    ...(layout.data_sfc ? [{ array: "data_sfc" as const, chunks: layout.data_sfc, dims: [fieldsSfc.length] }] : []),
  ].map(({ array, chunks, dims }) => {
    const blocks = blocksOf(dims, chunks.slice(1, -2));
    const together = array === "data" ? Math.ceil(plan.levelsTogether / chunks[2]) : 1;
    return { array, time: chunks[0], groups: grouped(blocks, Math.ceil((dims[1] ?? 1) / (chunks[2] ?? 1)), together) };
  });
  const units: ImportUnit[] = [];
  for (let from = 0; from < times.length; ) {
    let to = from + 1;
    while (to < times.length && month[to] === month[from]) to += 1;
    for (const { array, time, groups } of arrays) {
      const edge = (step: number) => Math.min(Math.ceil(step / time) * time, times.length);
      const owned: [number, number] = [edge(from), edge(to)];
      for (const blocks of groups) units.push({ array, month: month[from], steps: [from, to], owned, blocks });
    }
    from = to;
  }
  return units;
}

/** Neighbouring blocks of one row of levels, so many together: their source decodes those levels at once. */
function grouped(blocks: readonly Block[], row: number, together: number): Block[][] {
  const groups: Block[][] = [];
  for (let start = 0; start < blocks.length; start += row) {
    for (let at = start; at < start + row; at += together) {
      groups.push(blocks.slice(at, Math.min(at + together, start + row)));
    }
  }
  return groups;
}

export function factsOf({ array, steps, blocks }: ImportUnit, plan: ImportPlan): UnitFacts {
  const points = plan.grid.lats.length * plan.grid.lons.length;
  const channels = blocks.reduce((sum, block) => sum + block.channels.length, 0);
  const first = new Date(Number(plan.times[steps[0]] / 1_000_000n)).toISOString().slice(0, 7);
  return { name: `${array} ${first}`, bytes: (steps[1] - steps[0]) * channels * points * 4 };
}

/** Bytes that a unit in work holds: sums, chunks and what they are packed into, planes. */
export function bytesOf(unit: ImportUnit, plan: ImportPlan, layout: Layout, fillSteps: number): number {
  const points = plan.grid.lats.length * plan.grid.lons.length;
  const time = (layout[unit.array] as number[])[0];
  const places = unit.blocks.reduce((sum, { size }) => sum + size, 0);
  const largest = mostOf(unit.blocks, ({ size }) => size);
  // Welford's sums; the chunks of a slab of time; one of these and the normalisation's, and both packed; planes.
  const packed = layout.compressor === "none" ? 1 : 3;
  return (
    points *
    (20 * places +
      4 * time * places +
      4 * Math.max(time, 2) * largest * packed +
      8 * (fillSteps > 0 ? (fillSteps + 2) * places : 4))
  );
}
