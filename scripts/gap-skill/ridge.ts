/**
 * Ridge regression that sees more than the network: for a point of the gap the 5 x 5 points of the store around it, at the
 * last visible step before and the first after, also where they lie outside the network's window. One linear map a lead.
 */
import type { Field } from "../../src/config/types.js";
import { levelSource, monthlyNormalization, readValues, type Store, wholeWindow } from "../../src/data/index.js";
import type { FieldCube, Window } from "../../src/data/types.js";
import type { MaskedField } from "../../src/masking/types.js";
import { applyRidge, chooseLambda, fitRidge, type RidgeModel } from "../../src/scores/baselines/ridge.js";
import { targetTokens } from "../../src/scores/layout.js";
import { visibleField } from "../../src/scores/visible.js";

const RADIUS = 2;
const SIDE = 2 * RADIUS + 1;

/** A field of one level, normalised as the network reads it. */
export interface GridSeries {
  /** [T, H, W] */
  values: Float64Array;
  shape: [T: number, H: number, W: number];
}

/** @throws AtmorepError (input) if the store cannot be read */
export async function gridSeries(store: Store, field: Field): Promise<GridSeries> {
  const source = levelSource(store, field.name, field.levels[0]);
  const { values, shape } = await readValues(store, source, wholeWindow(store));
  const months = [...new Set(store.calendar.month)];
  const { mean, std } = await monthlyNormalization(store, field.name, source, field.normalization, months);
  const points = shape[1] * shape[2];
  const of = (numbers: ArrayLike<number>, point: number) => numbers[numbers.length > 1 ? point : 0];
  return {
    values: Float64Array.from(values, (x, i) => {
      const month = store.calendar.month[Math.floor(i / points)];
      return (x - of(mean.get(month)!, i % points)) / of(std.get(month)!, i % points);
    }),
    shape,
  };
}

/** The 5 x 5 points around (y, x) at some steps, the edge of the grid repeated. `into`: [steps * 25] */
function around(
  { values, shape: [, H, W] }: GridSeries,
  steps: readonly number[],
  y: number,
  x: number,
  into: Float64Array,
) {
  const clamp = (i: number, end: number) => Math.max(0, Math.min(end - 1, i));
  let k = 0;
  for (const t of steps) {
    for (let dy = -RADIUS; dy <= RADIUS; dy++) {
      for (let dx = -RADIUS; dx <= RADIUS; dx++) into[k++] = values[(t * H + clamp(y + dy, H)) * W + clamp(x + dx, W)];
    }
  }
  return into;
}

/**
 * One map for each step of a gap of `hidden` steps, fitted on the steps [first, end); the penalty is chosen within them.
 * @returns index lead - 1
 */
export function fitGapMaps(series: GridSeries, hidden: number, [first, end]: readonly [number, number]): RidgeModel[] {
  const [, H, W] = series.shape;
  const period = [first, end] as const;
  const lambda = chooseLambda(series, {
    strategy: "temporal_interpolation",
    hiddenSteps: hidden,
    train: period,
    validate: period,
  });
  const inputs = new Float64Array(2 * SIDE * SIDE);
  return Array.from({ length: hidden }, (_, i) => {
    const samples = function* (): Generator<[Float64Array, number]> {
      for (let t = first + i + 1; t + hidden - i < end; t++) {
        for (let y = 0; y < H; y++) {
          for (let x = 0; x < W; x++) {
            yield [around(series, [t - i - 1, t + hidden - i], y, x, inputs), series.values[(t * H + y) * W + x]];
          }
        }
      }
    };
    return fitRidge(samples(), lambda);
  });
}

interface HiddenPoint {
  /** its place in the field's target */
  at: number;
  /** of the store: time, row, column */
  t: number;
  y: number;
  x: number;
  /** steps since the last visible one, and to the next */
  lead: number;
  rest: number;
}

/** The hidden points of a batch with a visible step on either side. */
function* hiddenPoints(windows: readonly Window[], cube: FieldCube, masked: MaskedField): Generator<HiddenPoint> {
  const field = visibleField(cube, masked);
  const { D, tt, nx, places, points } = field.layout;
  const [, , , , , , ty, tx] = cube.shape;
  for (const { m, l, b, n } of targetTokens(masked)) {
    const place = n % places;
    const { time, lat, lon } = windows[b];
    for (let i = 0; i < D; i++) {
      const point = i % points;
      const step = Math.floor(n / places) * tt + Math.floor(i / points);
      const column = { l, b, place, point };
      const [before, after] = [field.nearest(column, step, -1), field.nearest(column, step, 1)];
      if (before < 0 || after < 0) continue;
      const y = lat[Math.floor(place / nx) * ty + Math.floor(point / tx)];
      const x = lon[(place % nx) * tx + (point % tx)];
      yield { at: m * D + i, t: time[step], y, x, lead: step - before, rest: after - step };
    }
  }
}

type Hidden = [windows: readonly Window[], cube: FieldCube, masked: MaskedField];

/** [M, D]; a point without a visible step on either side is 0, the climatology. */
export function predictGap(series: GridSeries, maps: readonly RidgeModel[], ...hidden: Hidden): Float32Array {
  const prediction = new Float32Array(hidden[2].target.length);
  const inputs = new Float64Array(2 * SIDE * SIDE);
  for (const { at, t, y, x, lead, rest } of hiddenPoints(...hidden)) {
    const steps = [t - lead, t + rest];
    prediction[at] = applyRidge(maps[lead - 1], around(series, steps, y, x, inputs));
  }
  return prediction;
}

/** The same point a number of steps before. [M, D] */
export function predictEarlier(series: GridSeries, steps: number, ...hidden: Hidden): Float32Array {
  const [, H, W] = series.shape;
  const prediction = new Float32Array(hidden[2].target.length);
  for (const { at, t, y, x } of hiddenPoints(...hidden)) prediction[at] = series.values[((t - steps) * H + y) * W + x];
  return prediction;
}
