/** Writing an import plan as a store, a few time steps at a time. */
import { AtmorepError } from "../../errors.js";
import { MonthAccumulator, type NormalizationWriter, openNormalization } from "../normalization/statistics.js";
import { calendarOf, formatTime, toSeconds } from "../time.js";
import { type Compressor, createArray, type StoreSink, writeGroup, writeSmallArray } from "../zarr/write.js";
import { countMissing, type Step, TimeFiller } from "./fillTime.js";
import type { Channel, ImportPlan } from "./plan.js";

export interface WriteOptions {
  timeChunk: number;
  compressor: Compressor;
  /** longest gap in steps that is filled; 0 for none */
  fillSteps: number;
  /** the normalisation comes from times before this; null for all */
  normUntil: bigint | null;
  /** missing values stay NaN, or none may be left after filling */
  missing: "keep" | "refuse";
  /** further root attributes */
  attrs: Record<string, string>;
  /** called after each time step */
  onStep?: (done: number, total: number) => void;
}

/** Steps that were filled, by field, or field and level. */
export type Filled = Record<string, number[]>;

export interface Written {
  filled: Filled;
  /** share of values that are NaN, by field, or field and level, where there are any */
  missing: Record<string, number>;
}

/**
 * Writes the store's files. The root group comes last: without it nothing opens as a store.
 * @throws AtmorepError (input) where values are missing or a file is damaged
 */
export async function writePlan(sink: StoreSink, plan: ImportPlan, options: WriteOptions): Promise<Written> {
  const { times, grid, fields, levels, fieldsSfc, channels } = plan;
  const consolidated = new Map<string, unknown>();
  const recording: StoreSink = {
    async put(key, bytes) {
      if (typeof bytes === "string") consolidated.set(key, JSON.parse(bytes));
      await sink.put(key, bytes);
    },
  };
  const { compressor } = options;
  const seconds = toSeconds(times, "time");
  await writeSmallArray(recording, { name: "time", shape: [times.length], dtype: "<M8[s]", compressor }, seconds);
  for (const [name, axis] of [["lats", grid.lats] as const, ["lons", grid.lons] as const]) {
    await writeSmallArray(recording, { name, shape: [axis.length], dtype: "<f4", compressor }, Float32Array.from(axis));
  }
  await writeGroup(recording, "normalization");
  const upper = channels.slice(0, fields.length * levels.length);
  const writers = [
    await FieldWriter.open(recording, "", [fields.length, levels.length], upper, plan, options),
    await FieldWriter.open(recording, "_sfc", [fieldsSfc.length], channels.slice(upper.length), plan, options),
  ].filter((writer) => writer !== null);

  const filler = new TimeFiller(times, options.fillSteps, channels.length);
  const holes = channels.map(() => 0);
  const refuse = options.missing === "refuse" ? { filling: options.fillSteps > 0 } : null;
  const take = async (steps: Step[]) => {
    for (const step of steps) {
      for (const [c, channel] of channels.entries()) {
        holes[c] += countMissing(step.planes[c], channelName(channel), formatTime(times[step.time]), refuse);
      }
      for (const writer of writers) {
        await writer.add(
          step.time,
          writer.surface ? step.planes.slice(upper.length) : step.planes.slice(0, upper.length),
        );
      }
      options.onStep?.(step.time + 1, times.length);
    }
  };
  for (let time = 0; time < times.length; time++) {
    const planes: Float64Array[] = [];
    for (const channel of channels) planes.push(await channel.read(time));
    await take(filler.push({ time, planes }));
  }
  await take(filler.finish());
  const size = times.length * grid.lats.length * grid.lons.length;
  const empty = holes.indexOf(size);
  if (empty >= 0) {
    throw new AtmorepError("input", "a field has no value at all", {
      where: channelName(channels[empty]),
      found: "nothing but missing values",
      fix: "Look at _FillValue, missing_value and valid_range of the variable, or leave it out",
    });
  }
  for (const writer of writers) await writer.finish();

  const filled: Filled = {};
  for (const [c, steps] of filler.filled.entries()) {
    if (steps.size > 0) filled[channelName(channels[c])] = [...steps].sort((a, b) => a - b);
  }
  await writeGroup(recording, "", rootAttributes(plan, options, filled));
  const metadata = Object.fromEntries([...consolidated].sort(([a], [b]) => (a < b ? -1 : 1)));
  await sink.put(".zmetadata", JSON.stringify({ metadata, zarr_consolidated_format: 1 }, null, 4));
  const missing: Record<string, number> = {};
  for (const [c, count] of holes.entries()) if (count > 0) missing[channelName(channels[c])] = count / size;
  return { filled, missing };
}

const channelName = ({ name, level }: Channel) => (level === 0 ? name : `${name} ${level}`);

function rootAttributes(plan: ImportPlan, options: WriteOptions, filled: Filled): Record<string, unknown> {
  const { times, fields, fieldsSfc, levels, grid, units } = plan;
  const used = times.filter((ns) => options.normUntil === null || ns < options.normUntil);
  const seconds = (ns: bigint) => formatTime(ns).padEnd(19, ":00");
  return {
    fields,
    fields_sfc: fieldsSfc,
    levels,
    res: grid.res,
    is_global: grid.isGlobal ? 1 : 0,
    ...(options.normUntil === null ? {} : { normalization_period: [seconds(used[0]), seconds(used[used.length - 1])] }),
    ...(Object.keys(filled).length > 0 ? { filled } : {}),
    ...(Object.keys(units).length > 0 ? { units } : {}),
    ...options.attrs,
  };
}

/** One of the arrays `data` and `data_sfc` with its normalisation, written chunk by chunk. */
class FieldWriter {
  private readonly month: Int32Array;
  private accumulator: MonthAccumulator;
  private chunk: Float32Array;

  private constructor(
    readonly surface: boolean,
    private readonly channels: number,
    private readonly points: number,
    private readonly plan: ImportPlan,
    private readonly options: WriteOptions,
    private readonly write: (index: number, values: Float32Array) => Promise<void>,
    private readonly normalization: NormalizationWriter,
  ) {
    this.month = calendarOf(plan.times).month;
    this.accumulator = new MonthAccumulator(channels, points);
    this.chunk = new Float32Array(options.timeChunk * channels * points);
  }

  /** Null if there are no channels. @param dims sizes of the field axis, and of the level axis where there is one */
  static async open(
    sink: StoreSink,
    suffix: "" | "_sfc",
    dims: number[],
    channels: readonly Channel[],
    plan: ImportPlan,
    options: WriteOptions,
  ): Promise<FieldWriter | null> {
    if (channels.length === 0) return null;
    const grid: [number, number] = [plan.grid.lats.length, plan.grid.lons.length];
    const { month } = calendarOf(plan.times);
    const months = (Math.floor(month[month.length - 1] / 12) + 1) * 12;
    const spec = {
      name: `data${suffix}`,
      shape: [plan.times.length, ...dims, ...grid],
      chunks: [options.timeChunk, ...dims, ...grid],
      dtype: "<f4" as const,
      compressor: options.compressor,
    };
    const write = await createArray(sink, spec);
    const normalization = await openNormalization({
      sink,
      suffix,
      prefix: "normalization/",
      channels: dims,
      grid,
      months,
    });
    const zeros = [...dims, 0, 0].map(() => 0);
    const points = grid[0] * grid[1];
    const put = (index: number, values: Float32Array) => write([index, ...zeros], values);
    return new FieldWriter(suffix === "_sfc", channels.length, points, plan, options, put, normalization);
  }

  /** Takes the steps in order. */
  async add(time: number, planes: readonly Float64Array[]): Promise<void> {
    const { timeChunk, normUntil } = this.options;
    const { times } = this.plan;
    const slot = time % timeChunk;
    for (const [c, plane] of planes.entries()) {
      this.chunk.set(plane, (slot * this.channels + c) * this.points);
      if (normUntil === null || times[time] < normUntil) this.accumulator.add(c, plane);
    }
    const last = time + 1 === times.length;
    if (slot + 1 === timeChunk || last) {
      await this.write(Math.floor(time / timeChunk), this.chunk);
      this.chunk.fill(0);
    }
    if (last || this.month[time + 1] !== this.month[time]) {
      await this.normalization.put(this.month[time], this.accumulator.result());
      this.accumulator = new MonthAccumulator(this.channels, this.points);
    }
  }

  finish(): Promise<void> {
    return this.normalization.finish();
  }
}
