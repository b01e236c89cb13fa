/**
 * The damping factors of damped persistence: beta(k) = sum x(t) x(t-k) / sum x(t-k)^2, the least-squares factor of the
 * normalised value k steps earlier, fitted on training cubes only and kept within [0, 1].
 */
import type { CubeBatch, FieldCube } from "../../data/types.js";
import { layoutOf, valueIndex } from "../layout.js";

/** field -> [level index][lead - 1], plain numbers, so that it can be written to JSON */
export type Damping = Record<string, number[][]>;

interface LagSums {
  product: Float64Array;
  square: Float64Array;
}

/** A fit that takes one cube after the other, so that no more than one needs to be in memory. */
export interface DampingFit {
  add(cube: CubeBatch): void;
  /** factors for leads 1 to steps - 1; a lead without a pair of counting points has factor 0 (climatology) */
  finish(): Damping;
}

function addField({ tokens, valid, shape }: FieldCube, sums: LagSums[]): void {
  const g = layoutOf({ shape });
  const column = new Float64Array(g.steps);
  const counts = new Uint8Array(g.steps);
  for (let l = 0; l < g.L; l++) {
    const { product, square } = sums[l];
    for (let b = 0; b < g.B; b++) {
      for (let place = 0; place < g.places; place++) {
        for (let point = 0; point < g.points; point++) {
          for (let s = 0; s < g.steps; s++) {
            const i = valueIndex(g, l, b, s, place, point);
            column[s] = tokens[i];
            counts[s] = valid ? valid[i] : 1;
          }
          for (let s = 0; s < g.steps; s++) {
            if (!counts[s]) continue;
            for (let t = s + 1; t < g.steps; t++) {
              if (!counts[t]) continue;
              product[t - s - 1] += column[s] * column[t];
              square[t - s - 1] += column[s] * column[s];
            }
          }
        }
      }
    }
  }
}

export function dampingFit(): DampingFit {
  const fields = new Map<string, LagSums[]>();
  return {
    add(cube) {
      for (const field of cube.fields) {
        const { L, steps } = layoutOf(field);
        let sums = fields.get(field.name);
        if (!sums) {
          const leads = steps - 1;
          sums = Array.from({ length: L }, () => ({
            product: new Float64Array(leads),
            square: new Float64Array(leads),
          }));
          fields.set(field.name, sums);
        }
        addField(field, sums);
      }
    },
    finish() {
      const damping: Damping = {};
      for (const [name, levels] of fields) {
        damping[name] = levels.map(({ product, square }) =>
          Array.from(product, (p, k) => (square[k] > 0 ? Math.min(1, Math.max(0, p / square[k])) : 0)),
        );
      }
      return damping;
    },
  };
}

/** Damping factors of every field, level and lead, from cubes of the training period (see {@link dampingFit}). */
export function fitDamping(trainCubes: Iterable<CubeBatch>): Damping {
  const fit = dampingFit();
  for (const cube of trainCubes) fit.add(cube);
  return fit.finish();
}
