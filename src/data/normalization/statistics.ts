/** Means and standard deviations by month, of the whole grid and of each grid point, in one pass. */
import { createArray, type StoreSink, writeSmallArray } from "../zarr/write.js";

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
  private readonly count: Float64Array;
  private readonly mean: Float64Array;
  private readonly squares: Float64Array;

  constructor(
    readonly channels: number,
    readonly points: number,
  ) {
    const size = channels * points;
    this.count = new Float64Array(size);
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
      let n = 0;
      let sum = 0;
      for (let i = c * P; i < (c + 1) * P; i++) {
        n += this.count[i];
        sum += this.count[i] * this.mean[i];
      }
      const mean = sum / n;
      let squares = 0;
      for (let i = c * P; i < (c + 1) * P; i++) {
        const delta = this.mean[i] - mean;
        squares += this.squares[i] + this.count[i] * delta * delta;
      }
      const std = Math.sqrt(squares / n);
      out.globalMean[c] = mean;
      out.globalStd[c] = std;
      for (let i = c * P; i < (c + 1) * P; i++) {
        out.mean[i] = this.count[i] > 0 ? this.mean[i] : Number.NaN;
        out.std[i] =
          this.count[i] > 0 ? Math.max(Math.sqrt(this.squares[i] / this.count[i]), STD_FLOOR * std) : Number.NaN;
      }
    }
    return out;
  }
}

/** Where a field array's normalisation goes. */
export interface NormalizationTarget {
  sink: StoreSink;
  /** "" or "_sfc" */
  suffix: "" | "_sfc";
  /** below the sink's root; "normalization/" for a whole store */
  prefix: string;
  /** [field, level] or [field_sfc] */
  channels: readonly number[];
  grid: readonly [lat: number, lon: number];
  months: number;
  format?: 2 | 3;
}

/** Takes the statistics of one month after the other, so that only one month of grid points is held. */
export interface NormalizationWriter {
  put(month: number, statistics: MonthStatistics): Promise<void>;
  /** Writes what is left; months without statistics hold NaN. */
  finish(): Promise<void>;
}

/** Starts `global_norm*` and `norm*`. */
export async function openNormalization(target: NormalizationTarget): Promise<NormalizationWriter> {
  const { sink, suffix, prefix, channels, grid, months, format = 2 } = target;
  const C = channels.reduce((a, b) => a * b, 1);
  const P = grid[0] * grid[1];
  const shape = [months, 2, ...channels];
  const globals = new Float32Array(months * 2 * C).fill(Number.NaN);
  const chunk = await createArray(
    sink,
    { name: `${prefix}norm${suffix}`, shape: [...shape, ...grid], chunks: [1, 2, ...channels, ...grid], dtype: "<f4" },
    format,
  );
  const zeros = [...channels, ...grid].map(() => 0);
  const written = new Set<number>();
  return {
    async put(month, statistics) {
      written.add(month);
      globals.set(statistics.globalMean, month * 2 * C);
      globals.set(statistics.globalStd, month * 2 * C + C);
      const plane = new Float32Array(2 * C * P);
      plane.set(statistics.mean, 0);
      plane.set(statistics.std, C * P);
      await chunk([month, 0, ...zeros], plane);
    },
    async finish() {
      const empty = new Float32Array(2 * C * P).fill(Number.NaN);
      for (let month = 0; month < months; month++) if (!written.has(month)) await chunk([month, 0, ...zeros], empty);
      await writeSmallArray(sink, { name: `${prefix}global_norm${suffix}`, shape, dtype: "<f4" }, globals, format);
    },
  };
}

/** Writes `global_norm*` and `norm*`; months without statistics hold NaN. */
export async function writeNormalization(
  target: NormalizationTarget,
  byMonth: ReadonlyMap<number, MonthStatistics>,
): Promise<void> {
  const writer = await openNormalization(target);
  for (const [month, statistics] of byMonth) await writer.put(month, statistics);
  await writer.finish();
}
