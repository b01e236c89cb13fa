/** The work of one unit of an import: its planes are read once, in the order of time. */
import type { UnitTools } from "../building/types.js";
import { type ChannelNumbers, storable } from "../normalization/globals.js";
import { MonthAccumulator } from "../normalization/statistics.js";
import { formatTime } from "../time.js";
import { writePlanes } from "../zarr/blocks.js";
import { chunkWriter } from "../zarr/write.js";
import { countMissing, TimeFiller } from "./fillTime.js";
import type { ImportUnit, Layout } from "./layout.js";
import { type Channel, channelName, type ImportPlan } from "./plan.js";

export interface UnitOptions {
  /** longest gap in steps that is filled; 0 for none */
  fillSteps: number;
  /** the normalisation comes from times before this; null for all */
  normUntil: bigint | null;
  /** missing values stay NaN, or none may be left after filling */
  missing: "keep" | "refuse";
}

/** What one channel had in the month. */
export interface ChannelResult extends ChannelNumbers {
  missing: number;
  /** steps that were filled */
  filled: number[];
}

export interface UnitResult {
  array: "data" | "data_sfc";
  month: number;
  channels: ChannelResult[];
}

/** @throws AtmorepError (input) where values are missing or a file is damaged */
export async function importUnit(
  plan: ImportPlan,
  layout: Layout,
  unit: ImportUnit,
  options: UnitOptions,
  { sink, progress, ended }: UnitTools,
): Promise<UnitResult> {
  const { times, grid } = plan;
  const [chunks, compressor] = [layout[unit.array] as number[], layout.compressor];
  const points = grid.lats.length * grid.lons.length;
  const plane = {
    grid: [grid.lats.length, grid.lons.length] as const,
    chunk: [chunks.at(-2) as number, chunks.at(-1) as number] as const,
  };
  const base = unit.array === "data" ? 0 : plan.fields.length * plan.levels.length;
  const own = unit.blocks.flatMap((block, b) => block.channels.map((entry) => ({ ...entry, b })));
  const channels: Channel[] = own.map(({ channel }) => plan.channels[base + channel]);
  const sums = new MonthAccumulator(own.length, points);
  const slabs = unit.blocks.map(({ size }) => new Float32Array(chunks[0] * size * points));
  const write = chunkWriter(sink, { name: unit.array, compressor });
  const missing = own.map(() => 0);
  const refuse = options.missing === "refuse" ? { filling: options.fillSteps > 0 } : null;
  const [monthFrom, monthTo] = unit.steps;
  const [ownedFrom, ownedTo] = unit.owned;
  // Where no chunk begins in the month, its last steps go to a chunk of an earlier one.
  const until = ownedTo > ownedFrom ? Math.max(monthTo, ownedTo) : monthTo;

  const take = (time: number, i: number, values: Float64Array): void => {
    const inMonth = time < monthTo;
    if (inMonth) {
      missing[i] += countMissing(values, channelName(channels[i]), formatTime(times[time]), refuse);
      if (options.normUntil === null || times[time] < options.normUntil) sums.add(i, values);
      progress(points * 4);
    }
    if (time < ownedFrom) return;
    const { b, place } = own[i];
    slabs[b].set(values, (((time - ownedFrom) % chunks[0]) * unit.blocks[b].size + place) * points);
  };
  const endStep = async (time: number): Promise<void> => {
    if (time < ownedFrom || time >= ownedTo) return;
    if ((time + 1) % chunks[0] !== 0 && time + 1 !== times.length) return;
    for (const [b, { coords }] of unit.blocks.entries()) {
      await writePlanes(write, [Math.floor(time / chunks[0]), ...coords], slabs[b], plane, 0);
      slabs[b].fill(0);
    }
  };

  const { fillSteps } = options;
  const filler = fillSteps > 0 ? new TimeFiller(times, fillSteps, own.length) : null;
  const takeFilled = async (steps: ReturnType<TimeFiller["finish"]>) => {
    for (const { time, planes } of steps) {
      if (time < monthFrom || time >= until) continue;
      for (const [i, values] of planes.entries()) take(time, i, values);
      await endStep(time);
    }
  };
  // A gap at the edge is told from its neighbours beyond.
  for (let time = Math.max(0, monthFrom - fillSteps); time < Math.min(times.length, until + fillSteps); time++) {
    if (ended.aborted) throw new Error("the import was ended");
    const planes: Float64Array[] = [];
    for (const [i, channel] of channels.entries()) {
      const values = await channel.read(time);
      if (filler) planes.push(values);
      else take(time, i, values);
    }
    if (filler) await takeFilled(filler.push({ time, planes }));
    else await endStep(time);
  }
  if (filler) await takeFilled(filler.finish());

  const results = own.map(({ channel }, i): ChannelResult => {
    const steps = [...(filler?.filled[i] ?? [])].filter((time) => time >= monthFrom && time < monthTo);
    return { channel, missing: missing[i], filled: steps.sort((a, b) => a - b), mean: null, std: null };
  });
  const writeNorm = chunkWriter(sink, {
    name: `normalization/norm${unit.array === "data" ? "" : "_sfc"}`,
    compressor: layout.asked ? compressor : "none",
  });
  for (const [b, { coords, size }] of unit.blocks.entries()) {
    slabs[b] = new Float32Array(0);
    const planes = new Float32Array(2 * size * points).fill(Number.NaN);
    for (const [i, { b: block, place }] of own.entries()) {
      if (block !== b) continue;
      const at = (statistic: number) =>
        planes.subarray((statistic * size + place) * points, (statistic * size + place + 1) * points);
      [results[i].mean, results[i].std] = sums.channel(i, at(0), at(1)).map(storable);
    }
    await writePlanes(writeNorm, [unit.month, 0, ...coords], planes, plane, Number.NaN);
  }
  return { array: unit.array, month: unit.month, channels: results };
}
