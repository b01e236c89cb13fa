/**
 * Ridge regression for the hidden points of any cube: squares of 5 x 5 grid points at up to two visible steps on either
 * side and the hour of the day, one linear map for each field, level and pattern of visible steps. Fitted to training
 * cubes, the penalty chosen within them.
 */
import type { CubeBatch, FieldCube, Window } from "../../data/types.js";
import type { MaskedField } from "../../masking/types.js";
import { cos, sin } from "../../math/index.js";
import { type Gap, visitGaps } from "./gaps.js";
import { addSample, applyRidge, emptyMoments, LAMBDAS, type Moments, type RidgeModel, solveRidge } from "./ridge.js";

const RADIUS = 2;
const SIDE = 2 * RADIUS + 1;
const STEPS = 4;
/** squares, then sine and cosine of the hour and of twice the hour */
export const RIDGE_INPUTS = STEPS * SIDE * SIDE + 4;
/** Samples of a map: enough for its coefficients; neighbouring points say the same again. */
const MOST_SAMPLES = 6000;
/** Parts of the training period; each is predicted from the other three to choose the penalty. */
const BLOCKS = 4;

export interface RidgeMaps {
  /** hour of the day of each time of the store */
  hours: ArrayLike<number>;
  /** field -> [level] -> pattern -> map */
  maps: Record<string, Map<number, RidgeModel>[]>;
  /** field -> [level] -> the penalty that was chosen */
  lambdas: Record<string, number[]>;
  /** the maps see the nearest visible step on either side only, and no hour */
  nearest?: boolean;
}

export interface RidgeMapsFit {
  add(cube: CubeBatch, masked: readonly MaskedField[]): void;
  finish(): RidgeMaps;
}

/**
 * A neighbour outside the window is its nearest point; one that is hidden or missing is the point itself.
 * What `nearest` leaves out is 0 everywhere, and so are its coefficients.
 */
function fillInputs({ steps, values, seen, H, W, y, x }: Gap, hour: number, nearest: boolean, out: Float64Array): void {
  let to = 0;
  for (const [s, step] of steps.entries()) {
    if (step < 0 || (nearest && s % 2 === 1)) {
      out.fill(0, to, to + SIDE * SIDE);
      to += SIDE * SIDE;
      continue;
    }
    const own = (step * H + y) * W + x;
    for (let dy = -RADIUS; dy <= RADIUS; dy++) {
      const row = (step * H + Math.min(H - 1, Math.max(0, y + dy))) * W;
      for (let dx = -RADIUS; dx <= RADIUS; dx++) {
        const at = row + Math.min(W - 1, Math.max(0, x + dx));
        out[to++] = seen[at] ? values[at] : values[own];
      }
    }
  }
  if (nearest) return void out.fill(0, to);
  const angle = (2 * Math.PI * hour) / 24;
  out[to++] = sin(angle);
  out[to++] = cos(angle);
  out[to++] = sin(2 * angle);
  out[to] = cos(2 * angle);
}

/** The squared error that a map makes on samples of which only the sums are known. */
function squaredError({ intercept: c, coefficients: w }: RidgeModel, m: Moments): number {
  const p = w.length;
  let sum = m.squares - 2 * c * m.targets + m.count * c * c;
  for (let i = 0; i < p; i++) {
    let row = 0;
    for (let j = 0; j < i; j++) row += 2 * m.gram[i * p + j] * w[j];
    sum += w[i] * (2 * c * m.inputs[i] - 2 * m.cross[i] + row + m.gram[i * p + i] * w[i]);
  }
  return sum;
}

function summed(parts: readonly Moments[]): Moments {
  const total = emptyMoments(RIDGE_INPUTS);
  for (const part of parts) {
    total.count += part.count;
    total.targets += part.targets;
    total.squares += part.squares;
    for (let i = 0; i < RIDGE_INPUTS; i++) {
      total.inputs[i] += part.inputs[i];
      total.cross[i] += part.cross[i];
    }
    for (let i = 0; i < part.gram.length; i++) total.gram[i] += part.gram[i];
  }
  return total;
}

/** The penalty of least error over all patterns of a level; the largest where there is one block only. */
function chooseLambda(patterns: Iterable<readonly Moments[]>): number {
  const errors = new Float64Array(LAMBDAS.length);
  let told = false;
  for (const blocks of patterns) {
    for (const [k, held] of blocks.entries()) {
      const others = summed(blocks.filter((_, i) => i !== k));
      if (held.count === 0 || others.count === 0) continue;
      told = true;
      for (const [i, lambda] of LAMBDAS.entries()) errors[i] += squaredError(solveRidge(others, lambda), held);
    }
  }
  return told ? LAMBDAS[errors.indexOf(Math.min(...errors))] : LAMBDAS[LAMBDAS.length - 1];
}

export interface RidgeMapsOptions {
  hours: ArrayLike<number>;
  /** the training cubes' first and last time index, which the blocks divide */
  range: readonly [first: number, last: number];
  /** cubes to come, so that samples are taken from all of them alike */
  cubes: number;
  /** the nearest visible step on either side only, and no hour; default false */
  nearest?: boolean;
}

/** A fit that takes one cube after the other. */
export function ridgeMapsFit({ hours, range: [first, last], cubes, nearest = false }: RidgeMapsOptions): RidgeMapsFit {
  const fields = new Map<string, Map<number, Moments[]>[]>();
  const inputs = new Float64Array(RIDGE_INPUTS);
  let number = 0;
  const addField = (cube: FieldCube, masked: MaskedField, windows: readonly Window[]) => {
    const levels = fields.get(cube.name) ?? Array.from({ length: masked.L }, () => new Map<number, Moments[]>());
    fields.set(cube.name, levels);
    const stride = Math.max(1, Math.ceil(((masked.target.length / masked.L) * cubes) / MOST_SAMPLES));
    // another phase in every cube, so that all points of the window have their turn
    let turn = (number * 7919) % stride;
    visitGaps(cube, masked, (gap) => {
      if (turn++ % stride !== 0) return;
      if (masked.valid && !masked.valid[gap.at]) return;
      const time = windows[gap.b].time[gap.step];
      const patterns = levels[gap.l];
      let blocks = patterns.get(gap.pattern);
      if (!blocks) {
        blocks = Array.from({ length: BLOCKS }, () => emptyMoments(RIDGE_INPUTS));
        patterns.set(gap.pattern, blocks);
      }
      fillInputs(gap, hours[time], nearest, inputs);
      const block = Math.floor((BLOCKS * (time - first)) / (last - first + 1));
      addSample(blocks[Math.min(BLOCKS - 1, Math.max(0, block))], inputs, masked.target[gap.at]);
    });
  };
  return {
    add({ fields: cubes, windows }, masked) {
      for (const field of masked) {
        const cube = cubes.find(({ name }) => name === field.name);
        if (cube && field.target.length > 0) addField(cube, field, windows);
      }
      number++;
    },
    finish() {
      const found: RidgeMaps = { hours, maps: {}, lambdas: {}, nearest };
      for (const [name, levels] of fields) {
        found.lambdas[name] = levels.map((patterns) => chooseLambda(patterns.values()));
        found.maps[name] = levels.map(
          (patterns, l) =>
            new Map(
              [...patterns].map(([pattern, blocks]) => [pattern, solveRidge(summed(blocks), found.lambdas[name][l])]),
            ),
        );
      }
      return found;
    },
  };
}

/**
 * Predictions [M, D]; of a pattern that training did not show, the nearest value before or after, or 0.
 */
export function ridgePredictions(
  cube: FieldCube,
  masked: MaskedField,
  windows: readonly Window[],
  { hours, maps, nearest = false }: RidgeMaps,
): Float32Array {
  const levels = maps[cube.name] ?? [];
  const prediction = new Float32Array(masked.target.length);
  const inputs = new Float64Array(RIDGE_INPUTS);
  visitGaps(cube, masked, (gap) => {
    const map = levels[gap.l]?.get(gap.pattern);
    if (map) {
      fillInputs(gap, hours[windows[gap.b].time[gap.step]], nearest, inputs);
      prediction[gap.at] = applyRidge(map, inputs);
      return;
    }
    const near = gap.steps[0] >= 0 ? gap.steps[0] : gap.steps[2];
    prediction[gap.at] = near < 0 ? 0 : gap.values[(near * gap.H + gap.y) * gap.W + gap.x];
  });
  return prediction;
}
