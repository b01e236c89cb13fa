/** From normalised tokens back to physical units and places, one field of one batch at a time. */
import type { Field } from "../config/types.js";
import type { Window } from "../data/types.js";

/** The axes of the input store. */
export interface StoreAxes {
  /** nanoseconds since 1970 */
  times: BigInt64Array;
  /** degrees from the North pole */
  lats: ArrayLike<number>;
  /** degrees East */
  lons: ArrayLike<number>;
}

/** Mean and standard deviation of one field and level in one month: of one element, or one a grid point [lat, lon]. */
export interface NormalizationTable {
  mean: ArrayLike<number>;
  std: ArrayLike<number>;
}

/**
 * The normalisation of level number `level` of a field at a store time index; it decides between global and local
 * by `field.normalization`. Asked once per field, level and time step of a batch: keep what is read.
 */
export type NormalizationLookup = (
  field: Field,
  level: number,
  timeIndex: number,
) => NormalizationTable | Promise<NormalizationTable>;

/** A place in a window: indices of its time step, row and column. */
interface Place {
  t: number;
  y: number;
  x: number;
}

/** Where token `n` [nt, ny, nx] begins in its window. */
export function tokenPlace({ numTokens, tokenSize }: Field, n: number): Place {
  const [, ny, nx] = numTokens;
  const [tt, ty, tx] = tokenSize;
  return { t: Math.floor(n / (ny * nx)) * tt, y: (Math.floor(n / nx) % ny) * ty, x: (n % nx) * tx };
}

export class Physical {
  private constructor(
    readonly field: Field,
    private readonly windows: readonly Window[],
    private readonly axes: StoreAxes,
    /** per level: tables by time index */
    private readonly tables: readonly Map<number, NormalizationTable>[],
  ) {}

  /** Fetches the normalisation of every level and time step that the windows touch. */
  static async of(
    field: Field,
    windows: readonly Window[],
    axes: StoreAxes,
    normalization: NormalizationLookup,
  ): Promise<Physical> {
    const steps = new Set(windows.flatMap(({ time }) => [...time]));
    const tables: Map<number, NormalizationTable>[] = [];
    for (const level of field.levels) {
      const byTime = new Map<number, NormalizationTable>();
      for (const step of steps) byTime.set(step, await normalization(field, level, step));
      tables.push(byTime);
    }
    return new Physical(field, windows, axes, tables);
  }

  /**
   * Denormalises one token: `values[from..from+D]` [tt, ty, tx] to `out`, written where the token's points lie in an
   * array of strides `strides` [time, row, column] that begins at `to`. In float32, as the reference computes.
   */
  copyToken(
    b: number,
    l: number,
    n: number,
    values: Float32Array,
    from: number,
    out: Float32Array,
    to: number,
    [st, sy, sx]: readonly [number, number, number],
  ): void {
    const { time, lat, lon } = this.windows[b];
    const [tt, ty, tx] = this.field.tokenSize;
    const { t, y, x } = tokenPlace(this.field, n);
    const columns = this.axes.lons.length;
    let source = from;
    for (let i = 0; i < tt; i++) {
      const { mean, std } = this.tables[l].get(time[t + i])!;
      const local = mean.length > 1;
      for (let j = 0; j < ty; j++) {
        for (let k = 0; k < tx; k++) {
          const at = local ? lat[y + j] * columns + lon[x + k] : 0;
          out[to + i * st + j * sy + k * sx] = Math.fround(values[source++] * std[at]) + mean[at];
        }
      }
    }
  }

  /** Nanoseconds of `count` time steps of a window from step `first`. */
  times(b: number, first: number, count: number): BigInt64Array {
    return BigInt64Array.from({ length: count }, (_, i) => this.axes.times[this.windows[b].time[first + i]]);
  }

  /** Geographic latitudes of `count` rows of a window from row `first`. */
  lats(b: number, first: number, count: number): Float32Array {
    return Float32Array.from({ length: count }, (_, i) => 90 - this.axes.lats[this.windows[b].lat[first + i]]);
  }

  /** Longitudes of `count` columns of a window from column `first`, in the data's order also across longitude 0. */
  lons(b: number, first: number, count: number): Float32Array {
    return Float32Array.from({ length: count }, (_, i) => this.axes.lons[this.windows[b].lon[first + i]]);
  }
}
