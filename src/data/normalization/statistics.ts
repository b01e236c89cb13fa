/** Means and standard deviations by month, of the whole grid and of each grid point, in one pass. */
import { product } from "../zarr/array.js";
import { createArray, type StoreSink, writeSmallArray } from "../zarr/write.js";
import { writeEmptyMonths } from "./globals.js";

/** Standard deviations of a grid point below this share of the field's global one are raised to it. */
const STD_FLOOR = 0.01;

/** Statistics of one calendar month; C channels (field and level) of P grid points. */
export interface MonthStatistics {
  /** [C] */
  globalMean: Float32Array;
  globalStd: Float32Array;
  /** [C * P] */
  mean: Float32Array;
  std: Float32Array;
}

/** Welford's running mean and sum of squared deviations at every point; NaN does not count. */
export class MonthAccumulator {
  private readonly count: Uint32Array;
  private readonly mean: Float64Array;
  private readonly squares: Float64Array;

  constructor(
    readonly channels: number,
    readonly points: number,
  ) {
    const size = channels * points;
    this.count = new Uint32Array(size);
    this.mean = new Float64Array(size);
    this.squares = new Float64Array(size);
  }

  /** Adds one time step of one channel. @param values [points] */
  add(channel: number, values: ArrayLike<number>): void {
    const { count, mean, squares } = this;
    const base = channel * this.points;
    for (let p = 0; p < this.points; p++) {
      const value = values[p];
      if (Number.isNaN(value)) continue;
      const i = base + p;
      count[i] += 1;
      const delta = value - mean[i];
      mean[i] += delta / count[i];
      squares[i] += delta * (value - mean[i]);
    }
  }

  /** Population statistics of what was added; NaN where nothing was. */
  result(): MonthStatistics {
    const { channels: C, points: P } = this;
    const out: MonthStatistics = {
      globalMean: new Float32Array(C),
      globalStd: new Float32Array(C),
      mean: new Float32Array(C * P),
      std: new Float32Array(C * P),
    };
    for (let c = 0; c < C; c++) {
      const [mean, std] = this.channel(c, out.mean.subarray(c * P, (c + 1) * P), out.std.subarray(c * P, (c + 1) * P));
      out.globalMean[c] = mean;
      out.globalStd[c] = std;
    }
    return out;
  }

  /** Statistics of one channel. @param means, stds [points], filled. @returns mean and standard deviation of the whole grid */
  channel(c: number, means: Float32Array, stds: Float32Array): [mean: number, std: number] {
    const { points: P, count } = this;
    const base = c * P;
    let n = 0;
    let sum = 0;
    for (let i = base; i < base + P; i++) {
      n += count[i];
      sum += count[i] * this.mean[i];
    }
    const mean = sum / n;
    let squares = 0;
    for (let i = base; i < base + P; i++) {
      const delta = this.mean[i] - mean;
      squares += this.squares[i] + count[i] * delta * delta;
    }
    const std = Math.sqrt(squares / n);
    for (let p = 0; p < P; p++) {
      const i = base + p;
      means[p] = count[i] > 0 ? this.mean[i] : Number.NaN;
      stds[p] = count[i] > 0 ? Math.max(Math.sqrt(this.squares[i] / count[i]), STD_FLOOR * std) : Number.NaN;
    }
    return [mean, std];
  }
}

/** Where a field array's normalisation goes, below `normalization/`. */
export interface NormalizationTarget {
  sink: StoreSink;
  suffix: "" | "_sfc";
  /** [field, level] or [field_sfc] */
  channels: readonly number[];
  grid: readonly [lat: number, lon: number];
  months: number;
}

/** Writes `global_norm*` and `norm*`; months without statistics hold NaN. */
export async function writeNormalization(
  { sink, suffix, channels, grid, months }: NormalizationTarget,
  byMonth: ReadonlyMap<number, MonthStatistics>,
): Promise<void> {
  const C = product(channels);
  const P = product(grid);
  const shape = [months, 2, ...channels];
  const globals = new Float32Array(months * 2 * C).fill(Number.NaN);
  const name = `normalization/norm${suffix}`;
  const chunks = [1, 2, ...channels, ...grid];
  const write = await createArray(sink, { name, shape: [...shape, ...grid], chunks, dtype: "<f4" });
  for (const [month, statistics] of byMonth) {
    globals.set(statistics.globalMean, month * 2 * C);
    globals.set(statistics.globalStd, month * 2 * C + C);
    const plane = new Float32Array(2 * C * P);
    plane.set(statistics.mean, 0);
    plane.set(statistics.std, C * P);
    await write([month, 0, ...[...channels, ...grid].map(() => 0)], plane);
  }
  await writeEmptyMonths(write, months, new Set(byMonth.keys()), [channels, grid]);
  await writeSmallArray(sink, { name: `normalization/global_norm${suffix}`, shape, dtype: "<f4" }, globals);
}
