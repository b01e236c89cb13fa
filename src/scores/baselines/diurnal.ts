/** Diurnal climatology: the mean of each hour of the day at each grid point, over the training cubes. */
import type { CubeBatch, FieldCube, Window } from "../../data/types.js";
import type { MaskedField } from "../../masking/types.js";
import { layoutOf, targetTokens, valueIndex } from "../layout.js";

/** Grid points times hours up to which the means are kept: 32 MiB a level of each field. */
const MOST_CELLS = 2 ** 22;
const HOURS = 24;

export interface Diurnal {
  /** hour of the day of each time of the store */
  hours: ArrayLike<number>;
  /** points of the store's grid in a row, and in all */
  columns: number;
  points: number;
  /** field -> [level] -> [hour, point]; 0 (the climatology) where training had no value */
  means: Record<string, Float64Array[]>;
}

export interface DiurnalOptions extends Pick<Diurnal, "hours" | "columns" | "points"> {}

export interface DiurnalFit {
  add(cube: CubeBatch): void;
  finish(): Diurnal;
}

/** Cell [hour, point] of a value of a cube. */
function cellOf(
  { hours, columns, points }: DiurnalOptions,
  { time, lat, lon }: Window,
  s: number,
  y: number,
  x: number,
) {
  return Math.floor(hours[time[s]]) * points + lat[y] * columns + lon[x];
}

/** Null where the grid has too many points to keep a mean for each hour of each. */
export function diurnalFit(options: DiurnalOptions): DiurnalFit | null {
  const size = HOURS * options.points;
  if (size > MOST_CELLS) return null;
  const fields = new Map<string, { sums: Float64Array; counts: Uint32Array }[]>();
  const addField = (field: FieldCube, windows: readonly Window[]) => {
    const g = layoutOf(field);
    const levels =
      fields.get(field.name) ??
      Array.from({ length: g.L }, () => ({ sums: new Float64Array(size), counts: new Uint32Array(size) }));
    fields.set(field.name, levels);
    for (let l = 0; l < g.L; l++) {
      const { sums, counts } = levels[l];
      for (let b = 0; b < g.B; b++) {
        for (let s = 0; s < g.steps; s++) {
          for (let place = 0; place < g.places; place++) {
            for (let point = 0; point < g.points; point++) {
              const i = valueIndex(g, l, b, s, place, point);
              if (field.valid && !field.valid[i]) continue;
              const y = Math.floor(place / g.nx) * g.ty + Math.floor(point / g.tx);
              const cell = cellOf(options, windows[b], s, y, (place % g.nx) * g.tx + (point % g.tx));
              sums[cell] += field.tokens[i];
              counts[cell] += 1;
            }
          }
        }
      }
    }
  };
  return {
    add({ fields: cubes, windows }) {
      for (const field of cubes) addField(field, windows);
    },
    finish: () => ({
      ...options,
      means: Object.fromEntries(
        [...fields].map(([name, levels]) => [
          name,
          levels.map(({ sums, counts }) => sums.map((sum, i) => (counts[i] > 0 ? sum / counts[i] : 0))),
        ]),
      ),
    }),
  };
}

/** @returns [M, D], normalised */
export function diurnalPredictions(
  cube: FieldCube,
  masked: MaskedField,
  windows: readonly Window[],
  diurnal: Diurnal,
): Float32Array {
  const g = layoutOf(cube);
  const prediction = new Float32Array(masked.target.length);
  const levels = diurnal.means[cube.name];
  if (!levels) return prediction;
  for (const { m, l, b, n } of targetTokens(masked)) {
    const place = n % g.places;
    for (let i = 0; i < g.D; i++) {
      const point = i % g.points;
      const step = Math.floor(n / g.places) * g.tt + Math.floor(i / g.points);
      const y = Math.floor(place / g.nx) * g.ty + Math.floor(point / g.tx);
      const x = (place % g.nx) * g.tx + (point % g.tx);
      prediction[m * g.D + i] = levels[l][cellOf(diurnal, windows[b], step, y, x)];
    }
  }
  return prediction;
}
