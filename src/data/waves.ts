/** The `waves` sample: months of plausible fields made from a seed, for scaling, benchmarks and tests. Not weather. */
import { readdir } from "node:fs/promises";
import { AtmorepError } from "../errors.js";
import { cos, sin } from "../math/index.js";
import { defaultRng, type Generator } from "../random/index.js";
import { MonthAccumulator, type MonthStatistics, writeNormalization } from "./normalization/statistics.js";
import { openLayout } from "./store.js";
import { calendarOf, HOUR_NS, parseTime, toSeconds } from "./time.js";
import { type Compressor, createArray, type StoreSink, writeGroup, writeSmallArray, writeStore } from "./zarr/write.js";

export interface WavesOptions {
  seed: number;
  fields: string[];
  fieldsSfc: string[];
  levels: number[];
  /** degrees */
  res: [lat: number, lon: number];
  /** geographic degrees; null for the globe */
  region: { north: number; south: number; west: number; east: number } | null;
  /** ISO time of the first step */
  start: string;
  days: number;
  stepHours: number;
  /** time steps a chunk */
  timeChunk: number;
  compressor: Compressor;
}

export const WAVES_DEFAULTS: WavesOptions = {
  seed: 1,
  fields: ["velocity_u", "velocity_v", "temperature"],
  fieldsSfc: ["total_precip"],
  levels: [96, 114, 137],
  res: [5, 5],
  region: null,
  start: "2021-01-01",
  days: 90,
  stepHours: 6,
  timeChunk: 8,
  compressor: "none",
};

/** Mean at the equator, what is added at the poles, amplitude of the waves; SI units. */
const CLIMATE: Readonly<Record<string, readonly [mean: number, pole: number, amplitude: number]>> = {
  velocity_u: [4, 8, 8],
  velocity_v: [0, 1, 6],
  velocity_z: [0, 0, 0.2],
  temperature: [290, -40, 5],
  specific_humidity: [9e-3, -8e-3, 1.2e-3],
  total_precip: [4e-4, -3e-4, 4e-4],
  surface_pressure: [98_000, 1500, 900],
  mean_sea_level_pressure: [101_000, 500, 900],
};
const NEVER_NEGATIVE = new Set(["specific_humidity", "total_precip"]);

const TWO_PI = 2 * Math.PI;
const RADIAN = Math.PI / 180;
const WAVES = 8;
const NOISE = 0.05;

export interface WavesSummary {
  path: string;
  /** [time, field, level, lat, lon] */
  data: number[] | null;
  /** [time, field_sfc, lat, lon] */
  dataSfc: number[] | null;
  megabytes: number;
}

/**
 * Makes a store: travelling waves with other speeds by level, a diurnal cycle that is strongest near the surface, and
 * noise, around a mean that depends on latitude; with normalisation arrays of its own values. The same options give
 * the same values on every machine.
 * @param path a folder, or a file that ends in `.zip`; a store that this function made before is replaced
 * @throws AtmorepError (usage) for options that make no store, and if anything else lies at `path`
 */
export async function makeWaves(path: string, options: Partial<WavesOptions> = {}): Promise<WavesSummary> {
  const o = { ...WAVES_DEFAULTS, ...options };
  const grid = gridOf(o);
  const times = timesOf(o);
  const [T, F, L, S, Y, X] = [
    times.length,
    o.fields.length,
    o.levels.length,
    o.fieldsSfc.length,
    grid.lats.length,
    grid.lons.length,
  ];
  const upper = F > 0 && L > 0;
  await refuseToReplace(path);
  await writeStore(path, async (sink) => {
    await writeGroup(sink, "", {
      fields: upper ? o.fields : [],
      fields_sfc: o.fieldsSfc,
      levels: upper ? o.levels : [],
      res: o.res,
      is_global: o.region ? 0 : 1,
      synthetic: `waves, seed ${o.seed}: made, not weather`,
    });
    await writeSmallArray(sink, { name: "time", shape: [T], dtype: "<M8[s]" }, toSeconds(times, "time"));
    await writeSmallArray(sink, { name: "lats", shape: [Y], dtype: "<f4" }, Float32Array.from(grid.lats));
    await writeSmallArray(sink, { name: "lons", shape: [X], dtype: "<f4" }, Float32Array.from(grid.lons));
    await writeGroup(sink, "normalization");
    if (upper) {
      const patterns = o.fields.flatMap((name, f) =>
        o.levels.map((_, l) => new Pattern(name, [o.seed, f, l], (l + 1) / L, grid)),
      );
      await writeFields(sink, "", [F, L], patterns, times, o, grid);
    }
    if (S > 0) {
      const patterns = o.fieldsSfc.map((name, f) => new Pattern(name, [o.seed, 1000 + f, 0], 1, grid));
      await writeFields(sink, "_sfc", [S], patterns, times, o, grid);
    }
  });
  return {
    path,
    data: upper ? [T, F, L, Y, X] : null,
    dataSfc: S > 0 ? [T, S, Y, X] : null,
    megabytes: (T * Y * X * ((upper ? F * L : 0) + S) * 4) / 1e6,
  };
}

/** Only an empty folder and an earlier sample may go: a real store, or any other folder, cannot be made again. */
async function refuseToReplace(path: string): Promise<void> {
  const names = await readdir(path).catch((cause: NodeJS.ErrnoException) => (cause.code === "ENOENT" ? [] : null));
  if (names?.length === 0) return;
  const store = await openLayout(path).catch(() => null);
  await store?.close();
  if (typeof store?.attrs.synthetic === "string" && store.attrs.synthetic.startsWith("waves")) return;
  throw new AtmorepError("usage", "something else lies here and would be lost", {
    where: path,
    expected: "a new name, an empty folder, or a sample made before",
    fix: "Choose another name, or remove it yourself",
  });
}

async function writeFields(
  sink: StoreSink,
  suffix: "" | "_sfc",
  channels: number[],
  patterns: Pattern[],
  times: BigInt64Array,
  o: WavesOptions,
  grid: Grid,
): Promise<void> {
  const size: [number, number] = [grid.lats.length, grid.lons.length];
  const P = size[0] * size[1];
  const { month } = calendarOf(times);
  const write = await createArray(sink, {
    name: `data${suffix}`,
    shape: [times.length, ...channels, ...size],
    chunks: [o.timeChunk, ...channels, ...size],
    dtype: "<f4",
    compressor: o.compressor,
  });
  const byMonth = new Map<number, MonthStatistics>();
  let accumulator = new MonthAccumulator(patterns.length, P);
  for (let start = 0; start < times.length; start += o.timeChunk) {
    const chunk = new Float32Array(o.timeChunk * patterns.length * P);
    for (let k = 0; k < o.timeChunk && start + k < times.length; k++) {
      const t = start + k;
      for (const [c, pattern] of patterns.entries()) {
        const plane = chunk.subarray((k * patterns.length + c) * P, (k * patterns.length + c + 1) * P);
        pattern.fill(plane, t * o.stepHours);
        accumulator.add(c, plane);
      }
      if (t + 1 === times.length || month[t + 1] !== month[t]) {
        byMonth.set(month[t], accumulator.result());
        accumulator = new MonthAccumulator(patterns.length, P);
      }
    }
    await write([start / o.timeChunk, ...channels.map(() => 0), 0, 0], chunk);
  }
  const months = (Math.floor(month[month.length - 1] / 12) + 1) * 12;
  await writeNormalization({ sink, suffix, channels, grid: size, months }, byMonth);
}

interface Grid {
  /** degrees from the North pole */
  lats: Float64Array;
  lons: Float64Array;
}

/** Waves of one field on one level. */
class Pattern {
  private readonly rng: Generator;
  private readonly base: Float64Array;
  private readonly waves: {
    frequency: number;
    phase: number;
    lat: Float64Array;
    sine: Float64Array;
    cosine: Float64Array;
  }[];
  private readonly diurnal: { lat: Float64Array; sine: Float64Array; cosine: Float64Array };
  private readonly noise: number;
  private readonly floor: number;

  /** @param height 1 at the surface, towards 0 aloft */
  constructor(name: string, seed: number[], height: number, grid: Grid) {
    const [mean, pole, amplitude] = CLIMATE[name.replace(/_sfc$/, "")] ?? [0, 0, 1];
    this.rng = defaultRng(seed);
    this.noise = NOISE * amplitude;
    this.floor = NEVER_NEGATIVE.has(name) ? 0 : -Infinity;
    const colat = Float64Array.from(grid.lats, (y) => y * RADIAN);
    this.base = colat.map((y) => mean + pole * cos(y) * cos(y));
    const numbers = this.rng.random(WAVES * 4);
    this.waves = Array.from({ length: WAVES }, (_, k) => {
      const [a, b, c, d] = numbers.subarray(4 * k, 4 * k + 4);
      const m = 1 + (k % 7);
      const n = 1 + Math.floor(a * 4);
      // Long waves drift slowly, short ones faster; aloft everything moves faster than at the surface.
      const degreesPerDay = (2 + 1.5 * m + 3 * b) * (1.6 - 0.8 * height);
      const strength = (amplitude * (0.6 + 0.8 * c)) / Math.sqrt(WAVES * (1 + 0.05 * m * m));
      return {
        frequency: (m * degreesPerDay * RADIAN) / 24,
        phase: d * TWO_PI,
        lat: colat.map((y) => 2 * strength * sin(y) * cos(n * y + a * TWO_PI)),
        sine: Float64Array.from(grid.lons, (x) => sin(m * x * RADIAN)),
        cosine: Float64Array.from(grid.lons, (x) => cos(m * x * RADIAN)),
      };
    });
    this.diurnal = {
      lat: colat.map((y) => 0.4 * amplitude * height * sin(y)),
      sine: Float64Array.from(grid.lons, (x) => sin(x * RADIAN)),
      cosine: Float64Array.from(grid.lons, (x) => cos(x * RADIAN)),
    };
  }

  /** Values of one time step; steps must come in order, since the noise is one stream. */
  fill(out: Float32Array, hours: number): void {
    const X = this.diurnal.sine.length;
    const noise = this.rng.standardNormal(out.length);
    const row = new Float64Array(X);
    const day = ((hours % 24) * TWO_PI) / 24;
    const terms = this.waves.map((w) => ({
      ...w,
      s: sin(w.phase - w.frequency * hours),
      c: cos(w.phase - w.frequency * hours),
    }));
    terms.push({ ...this.diurnal, frequency: 0, phase: 0, s: cos(day), c: -sin(day) });
    for (let y = 0; y < this.base.length; y++) {
      row.fill(this.base[y]);
      for (const { lat, sine, cosine, s, c } of terms) {
        const [a, b] = [lat[y] * c, lat[y] * s];
        // sin(m*lon + angle) = sin(m*lon)*cos(angle) + cos(m*lon)*sin(angle)
        for (let x = 0; x < X; x++) row[x] += sine[x] * a + cosine[x] * b;
      }
      for (let x = 0; x < X; x++) out[y * X + x] = Math.max(this.floor, row[x] + this.noise * noise[y * X + x]);
    }
  }
}

function gridOf({ res, region }: WavesOptions): Grid {
  if (!(res[0] > 0 && res[1] > 0)) throw usage("res", res, "degrees above 0");
  const [top, bottom] = region ? [90 - region.north, 90 - region.south] : [0, 180];
  const [west, width] = region ? [((region.west % 360) + 360) % 360, region.east - region.west] : [0, 360];
  const rows = Math.round((bottom - top) / res[0]) + 1;
  const columns = Math.round(width / res[1]) + (region ? 1 : 0);
  if (rows < 2 || columns < 2 || top < 0 || bottom > 180 || width > 360) {
    throw usage("region", region, "north above south and west before east, at least two points each way");
  }
  if (!region && Math.abs(columns * res[1] - 360) > 1e-6) throw usage("res", res, "a part of 360 degrees of longitude");
  return {
    lats: Float64Array.from({ length: rows }, (_, i) => top + i * res[0]),
    lons: Float64Array.from({ length: columns }, (_, i) => west + i * res[1]),
  };
}

function timesOf({ start, days, stepHours, timeChunk }: WavesOptions): BigInt64Array {
  const first = parseTime(start);
  const steps = Math.floor((days * 24) / stepHours);
  if (first === null) throw usage("start", start, "an ISO time such as 2021-01-01");
  if (!(Number.isInteger(stepHours) && stepHours > 0)) throw usage("stepHours", stepHours, "whole hours above 0");
  if (!(steps > 0)) throw usage("days", days, "at least one step");
  if (!(Number.isInteger(timeChunk) && timeChunk > 0)) throw usage("timeChunk", timeChunk, "a whole number above 0");
  return BigInt64Array.from({ length: steps }, (_, i) => first + BigInt(i * stepHours) * HOUR_NS);
}

function usage(where: string, found: unknown, expected: string): AtmorepError {
  return new AtmorepError("usage", "no store can be made from this", { where, found, expected });
}
