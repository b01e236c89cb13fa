/**
 * Global output: one array per date, field and level on the store's grid, overlaps of tiles blended linearly. Only one
 * date is in memory.
 */
import type { Field } from "../config/types.js";
import type { Store } from "../data/store.js";
import { formatTime } from "../data/time.js";
import { ZarrZipWriter } from "../formats/zarrZip.js";
import { fiveDigits, GLOBAL_KINDS, type GlobalKind } from "./paths.js";

/** Windows of `size` points along one axis. */
export interface AxisTiles {
  /** first grid index of each window, ascending; on a periodic axis a window may go beyond the end and around */
  starts: number[];
  size: number;
  /** points of the axis */
  length: number;
  periodic: boolean;
}

/** The axes that windows tile, and the weight of each point of each window, [windows][size]. */
export interface Tiling {
  rows: AxisTiles;
  columns: AxisTiles;
  weights: { rows: Float64Array[]; columns: Float64Array[] };
}

/** One tile's forecast of a field: data [L, steps, rows, columns] in physical units. */
export interface TileForecast {
  field: Field;
  data: Record<GlobalKind, Float32Array>;
  datetime: BigInt64Array;
}

/** A finished date of one field. */
export interface GlobalField {
  field: Field;
  datetime: BigInt64Array;
  /** [L, steps, lat, lon] */
  grid: Record<GlobalKind, Float32Array>;
}

export class GlobalGrid {
  private readonly fields = new Map<string, GlobalField>();
  private tile = 0;

  private constructor(
    private readonly store: Store,
    private readonly tiling: Tiling,
    private readonly writers: Record<GlobalKind, ZarrZipWriter> | null,
  ) {}

  /** @param path of a kind's store; null writes none */
  static async open(store: Store, tiling: Tiling, path: ((kind: GlobalKind) => string) | null): Promise<GlobalGrid> {
    if (!path) return new GlobalGrid(store, tiling, null);
    const target = await ZarrZipWriter.create(path("target"));
    try {
      return new GlobalGrid(store, tiling, { target, pred: await ZarrZipWriter.create(path("pred")) });
    } catch (error) {
      await target.abort();
      throw error;
    }
  }

  /** Adds one tile, all fields; tiles come row by row. @returns the date's fields if it was the last one */
  async add(forecasts: readonly TileForecast[]): Promise<GlobalField[] | null> {
    const { rows, columns } = this.tiling;
    const [i, j] = [Math.floor(this.tile / columns.starts.length), this.tile % columns.starts.length];
    for (const forecast of forecasts) this.blend(forecast, i, j);
    this.tile += 1;
    if (this.tile < rows.starts.length * columns.starts.length) return null;
    const done = [...this.fields.values()];
    for (const field of done) await this.write(field);
    this.fields.clear();
    this.tile = 0;
    return done;
  }

  private blend({ field, data, datetime }: TileForecast, i: number, j: number): void {
    const { rows, columns, weights } = this.tiling;
    const plane = rows.length * columns.length;
    const planes = field.L * datetime.length;
    let own = this.fields.get(field.name);
    if (!own) {
      const empty = () => new Float32Array(planes * plane);
      own = { field, datetime, grid: { target: empty(), pred: empty() } };
      this.fields.set(field.name, own);
    }
    const [down, across] = [weights.rows[i], weights.columns[j]];
    for (const kind of GLOBAL_KINDS) {
      const [from, to] = [data[kind], own.grid[kind]];
      let at = 0;
      for (let p = 0; p < planes; p++) {
        for (let y = 0; y < rows.size; y++) {
          const row = p * plane + (rows.starts[i] + y) * columns.length;
          for (let x = 0; x < columns.size; x++) {
            to[row + ((columns.starts[j] + x) % columns.length)] += down[y] * across[x] * from[at++];
          }
        }
      }
    }
  }

  private async write({ field, datetime, grid }: GlobalField): Promise<void> {
    if (!this.writers) return;
    const { lats, lons } = this.store;
    const shape = [datetime.length, lats.length, lons.length];
    const size = shape.reduce((a, b) => a * b, 1);
    const date = formatTime(datetime[datetime.length - 1]).slice(0, 13);
    for (const kind of GLOBAL_KINDS) {
      for (const [l, level] of field.levels.entries()) {
        const group = `${field.name}/date=${date}/ml=${fiveDigits(level)}`;
        const data = grid[kind].slice(l * size, (l + 1) * size);
        await this.writers[kind].arrays(group, {
          data: { shape, dtype: "<f4", data, dimensions: ["datetime", "lat", "lon"] },
          datetime: { shape: [shape[0]], dtype: "<M8[ns]", data: datetime, dimensions: ["datetime"] },
          lat: {
            shape: [shape[1]],
            dtype: "<f4",
            data: Float32Array.from(lats, (lat) => 90 - lat),
            dimensions: ["lat"],
          },
          lon: { shape: [shape[2]], dtype: "<f4", data: Float32Array.from(lons), dimensions: ["lon"] },
        });
      }
    }
  }

  /** Puts the stores in their place. @returns their paths */
  async close(): Promise<string[]> {
    const { writers } = this;
    if (!writers) return [];
    for (const kind of GLOBAL_KINDS) await writers[kind].close();
    return GLOBAL_KINDS.map((kind) => writers[kind].path);
  }

  async abort(): Promise<void> {
    if (this.writers) for (const kind of GLOBAL_KINDS) await this.writers[kind].abort();
  }
}
