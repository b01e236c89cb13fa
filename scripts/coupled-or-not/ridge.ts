/**
 * Ridge regression that sees what the network sees: for a hidden point the 5 x 5 points around it, at the nearest
 * visible step before and after, inside the cube (its edge repeated). One linear map a field, level and lead.
 */
import type { Field } from "../../src/config/types.js";
import { levelSource, monthlyNormalization, readValues, type Store, wholeWindow } from "../../src/data/index.js";
import type { FieldCube } from "../../src/data/types.js";
import type { MaskedField } from "../../src/masking/types.js";
import { applyRidge, chooseLambda, fitRidge, type RidgeModel } from "../../src/scores/baselines/ridge.js";
import { targetTokens } from "../../src/scores/layout.js";
import { visibleField } from "../../src/scores/visible.js";

const RADIUS = 2;
/** Steps of the store that training may look at (the preset's `dates_train`). */
const TRAIN = [0, 44] as const;

interface HiddenPoint {
  /** its place in the field's target */
  at: number;
  l: number;
  lead: number;
  inputs: Float64Array;
}

/** The hidden points of a batch with a visible step on either side. `inputs` is used again for the next point. */
export function* hiddenPoints(cube: FieldCube, masked: MaskedField): Generator<HiddenPoint> {
  const field = visibleField(cube, masked);
  const { D, tt, ny, nx, places, points } = field.layout;
  const [, , , , , , ty, tx] = cube.shape;
  const inputs = new Float64Array(2 * (2 * RADIUS + 1) ** 2);
  const clamp = (i: number, end: number) => Math.max(0, Math.min(end - 1, i));
  for (const { m, l, b, n } of targetTokens(masked)) {
    const place = n % places;
    for (let i = 0; i < D; i++) {
      if (masked.valid && !masked.valid[m * D + i]) continue;
      const point = i % points;
      const step = Math.floor(n / places) * tt + Math.floor(i / points);
      const column = { l, b, place, point };
      const [before, after] = [field.nearest(column, step, -1), field.nearest(column, step, 1)];
      if (before < 0 || after < 0) continue;
      const row = Math.floor(place / nx) * ty + Math.floor(point / tx);
      const across = (place % nx) * tx + (point % tx);
      let k = 0;
      for (const s of [before, after]) {
        for (let dy = -RADIUS; dy <= RADIUS; dy++) {
          for (let dx = -RADIUS; dx <= RADIUS; dx++) {
            const [y, x] = [clamp(row + dy, ny * ty), clamp(across + dx, nx * tx)];
            const near = { l, b, place: Math.floor(y / ty) * nx + Math.floor(x / tx), point: (y % ty) * tx + (x % tx) };
            inputs[k++] = field.value(near, s);
          }
        }
      }
      yield { at: m * D + i, l, lead: step - before, inputs };
    }
  }
}

/** The weight of the penalty, chosen by cross-validation within the training steps. */
export async function penalty(store: Store, field: Field, level: number): Promise<number> {
  const source = levelSource(store, field.name, level);
  const { values, shape } = await readValues(store, source, wholeWindow(store));
  const month = store.calendar.month[0];
  const { mean, std } = await monthlyNormalization(store, field.name, source, "global", [month]);
  const [m, s] = [mean.get(month)![0], std.get(month)![0]];
  const series = { values: values.map((x) => (x - m) / s), shape, filledSteps: [...(source.filled ?? [])] };
  return chooseLambda(series, { strategy: "temporal_interpolation", train: TRAIN, validate: TRAIN });
}

/** Maps by "level lead" of one field. */
export type FieldMaps = ReadonlyMap<string, RidgeModel>;

/** @param lambdas by level */
export function fitMaps(
  batches: readonly { cube: FieldCube; masked: MaskedField }[],
  lambdas: readonly number[],
): FieldMaps {
  const keys = new Set<string>();
  for (const { l, lead } of hiddenPoints(batches[0].cube, batches[0].masked)) keys.add(`${l} ${lead}`);
  const maps = new Map<string, RidgeModel>();
  for (const key of keys) {
    const samples = function* (): Generator<[Float64Array, number]> {
      for (const { cube, masked } of batches) {
        for (const { at, l, lead, inputs } of hiddenPoints(cube, masked)) {
          if (`${l} ${lead}` === key) yield [inputs, masked.target[at]];
        }
      }
    };
    maps.set(key, fitRidge(samples(), lambdas[Number(key.split(" ")[0])]));
  }
  return maps;
}

/** [M, D]; points without a map are 0, the climatology. */
export function predictMaps(maps: FieldMaps, cube: FieldCube, masked: MaskedField): Float32Array {
  const prediction = new Float32Array(masked.target.length);
  for (const { at, l, lead, inputs } of hiddenPoints(cube, masked)) {
    const map = maps.get(`${l} ${lead}`);
    if (map) prediction[at] = applyRidge(map, inputs);
  }
  return prediction;
}
