/**
 * Simple forecasts that a model must beat, for the same points as the model: they see what the network may see
 * (tokens that were not chosen) and nothing else. Normalised units, rows aligned with `MaskedField.target`.
 */
import type { Strategy } from "../../config/types.js";
import type { CubeBatch, FieldCube, Window } from "../../data/types.js";
import { AtmorepError } from "../../errors.js";
import type { MaskedBatch, MaskedField } from "../../masking/types.js";
import { pairOf, targetTokens } from "../layout.js";
import { type Column, type VisibleField, visibleField } from "../visible.js";
import type { Damping } from "./damping.js";
import type { Distributions } from "./distributions.js";
import { type Diurnal, diurnalPredictions } from "./diurnal.js";
import { type RidgeMaps, ridgePredictions } from "./ridgeMaps.js";

export interface BaselineParams {
  /** factors of damped persistence; without them that baseline is left out */
  damping?: Damping;
  /** mean of each hour of the day at each grid point */
  diurnal?: Diurnal;
  /** steps of a cube in 24 hours, where that is a whole number and a cube is longer */
  stepsPerDay?: number;
  ridge?: RidgeMaps;
  /** of the opponents of probability, which are no predictors: see `dressedPredictions` */
  distributions?: Distributions;
}

export interface Baseline {
  strategies: readonly Strategy[];
  doc: string;
  needs?: keyof BaselineParams;
  /** @returns [M, D], normalised */
  fn(cube: FieldCube, masked: MaskedField, params: BaselineParams, windows: readonly Window[]): Float32Array;
}

const BEFORE = -1;
const AFTER = 1;
const CLIMATOLOGY = 0;

/** Fills [M, D] point by point from the visible steps of each point's own column. */
function fromColumn(
  cube: FieldCube,
  masked: MaskedField,
  predict: (field: VisibleField, column: Column, step: number) => number,
): Float32Array {
  const field = visibleField(cube, masked);
  const { D, tt, places, points } = field.layout;
  const prediction = new Float32Array(masked.target.length);
  for (const { m, l, b, n } of targetTokens(masked)) {
    const first = Math.floor(n / places) * tt;
    for (let i = 0; i < D; i++) {
      const column = { l, b, place: n % places, point: i % points };
      prediction[m * D + i] = predict(field, column, first + Math.floor(i / points));
    }
  }
  return prediction;
}

function climatology(_cube: FieldCube, masked: MaskedField): Float32Array {
  return new Float32Array(masked.target.length);
}

function persistence(cube: FieldCube, masked: MaskedField): Float32Array {
  return fromColumn(cube, masked, (field, column, step) => {
    const before = field.nearest(column, step, BEFORE);
    return before < 0 ? CLIMATOLOGY : field.value(column, before);
  });
}

function dampedPersistence(cube: FieldCube, masked: MaskedField, { damping }: BaselineParams): Float32Array {
  const factors = damping?.[cube.name];
  if (!factors) {
    throw new AtmorepError("failed", "no damping factors for this field", {
      where: `baseline damped_persistence, field ${cube.name}`,
      found: Object.keys(damping ?? {}),
      fix: "Fit them with fitDamping on cubes of the training period that hold this field.",
    });
  }
  return fromColumn(cube, masked, (field, column, step) => {
    const before = field.nearest(column, step, BEFORE);
    return before < 0 ? CLIMATOLOGY : factors[column.l][step - before - 1] * field.value(column, before);
  });
}

/** The value a day earlier, or as many days as it takes to find a visible one; persistence where there is none. */
function yesterday(cube: FieldCube, masked: MaskedField, { stepsPerDay }: BaselineParams): Float32Array {
  return fromColumn(cube, masked, (field, column, step) => {
    for (let s = step - stepsPerDay!; s >= 0; s -= stepsPerDay!) {
      if (field.nearest(column, s + 1, BEFORE) === s) return field.value(column, s);
    }
    const before = field.nearest(column, step, BEFORE);
    return before < 0 ? CLIMATOLOGY : field.value(column, before);
  });
}

function linearInTime(cube: FieldCube, masked: MaskedField): Float32Array {
  return fromColumn(cube, masked, (field, column, step) => {
    const before = field.nearest(column, step, BEFORE);
    const after = field.nearest(column, step, AFTER);
    if (before < 0 && after < 0) return CLIMATOLOGY;
    if (before < 0) return field.value(column, after);
    if (after < 0) return field.value(column, before);
    const w = (step - before) / (after - before);
    return (1 - w) * field.value(column, before) + w * field.value(column, after);
  });
}

function asSeen(_cube: FieldCube, masked: MaskedField): Float32Array {
  const { L, N, D } = masked;
  const prediction = new Float32Array(masked.target.length);
  for (const { m, l, b, n } of targetTokens(masked)) {
    const at = ((b * L + l) * N + n) * D;
    prediction.set(masked.source.subarray(at, at + D), m * D);
  }
  return prediction;
}

/** (level, time, latitude, longitude) steps to the eight neighbouring tokens that share a face */
const FACES = [
  [-1, 0, 0, 0],
  [1, 0, 0, 0],
  [0, -1, 0, 0],
  [0, 1, 0, 0],
  [0, 0, -1, 0],
  [0, 0, 1, 0],
  [0, 0, 0, -1],
  [0, 0, 0, 1],
] as const;

/**
 * The same position within each neighbouring token, so that neighbours on both sides reproduce a linear change exactly.
 */
function visibleNeighbours(cube: FieldCube, masked: MaskedField): Float32Array {
  const { layout, hidden } = visibleField(cube, masked);
  const { L, B, nt, ny, nx, N, D } = layout;
  const prediction = new Float32Array(masked.target.length);
  const sum = new Float64Array(D);
  const count = new Int32Array(D);
  for (const { m, l, b, n } of targetTokens(masked)) {
    const t = Math.floor(n / (ny * nx));
    const y = Math.floor(n / nx) % ny;
    const x = n % nx;
    sum.fill(0);
    count.fill(0);
    for (const [dl, dt, dy, dx] of FACES) {
      const [vl, vt, vy, vx] = [l + dl, t + dt, y + dy, x + dx];
      if (vl < 0 || vl >= L || vt < 0 || vt >= nt || vy < 0 || vy >= ny || vx < 0 || vx >= nx) continue;
      const token = (vl * B + b) * N + (vt * ny + vy) * nx + vx;
      if (hidden[token]) continue;
      for (let i = 0; i < D; i++) {
        if (cube.valid && !cube.valid[token * D + i]) continue;
        sum[i] += cube.tokens[token * D + i];
        count[i]++;
      }
    }
    for (let i = 0; i < D; i++) prediction[m * D + i] = count[i] > 0 ? sum[i] / count[i] : CLIMATOLOGY;
  }
  return prediction;
}

/** Every baseline by name. */
export const BASELINES: Readonly<Record<string, Baseline>> = {
  climatology: {
    strategies: ["BERT", "forecast", "temporal_interpolation"],
    doc: "the mean of the normalisation: zero in normalised units",
    fn: climatology,
  },
  diurnal_climatology: {
    strategies: ["BERT", "forecast", "temporal_interpolation"],
    doc: "the mean of the hour of the day at the grid point, over training cubes",
    needs: "diurnal",
    fn: (cube, masked, { diurnal }, windows) => diurnalPredictions(cube, masked, windows, diurnal!),
  },
  persistence: {
    strategies: ["forecast", "temporal_interpolation"],
    doc: "the last visible value before the hidden steps at the same grid point; climatology where there is none",
    fn: persistence,
  },
  yesterday: {
    strategies: ["forecast", "temporal_interpolation"],
    doc: "the value 24 hours before at the same grid point, or as many days before as it takes to find a visible one; persistence where there is none",
    needs: "stepsPerDay",
    fn: yesterday,
  },
  damped_persistence: {
    strategies: ["forecast", "temporal_interpolation"],
    doc: "persistence times a factor for each field, level and lead, fitted on the training period",
    needs: "damping",
    fn: dampedPersistence,
  },
  linear: {
    strategies: ["BERT", "temporal_interpolation"],
    doc: "linear in time between the visible values before and after at the same grid point; the one there is at the ends",
    fn: linearInTime,
  },
  ridge: {
    strategies: ["forecast", "temporal_interpolation"],
    doc: "ridge regression on 5 x 5 grid points at two visible steps on either side and the hour of the day, fitted to training cubes",
    needs: "ridge",
    fn: (cube, masked, { ridge }, windows) => ridgePredictions(cube, masked, windows, ridge!),
  },
  visible_neighbours: {
    strategies: ["BERT"],
    doc: "the mean, position by position, of the visible tokens next in level, time, latitude and longitude; climatology where there is none",
    fn: visibleNeighbours,
  },
  as_seen: {
    strategies: ["BERT"],
    doc: "the token as the network sees it: zero if masked, else with its noise or at its lower resolution",
    fn: asSeen,
  },
};

/** Names of the baselines of a strategy, in the order of the table; of registered strategies those that fit any. */
export function baselineNames(strategy: Strategy): string[] {
  const known = Object.values(BASELINES).some(({ strategies }) => strategies.includes(strategy));
  if (!known) return ["climatology", "visible_neighbours"];
  return Object.keys(BASELINES).filter((name) => BASELINES[name].strategies.includes(strategy));
}

/** Of those, the baselines whose fitted parts are there. */
export function usableBaselines(strategy: Strategy, params: BaselineParams): string[] {
  return baselineNames(strategy).filter((name) => {
    const { needs } = BASELINES[name];
    return !needs || params[needs] !== undefined;
  });
}

/** True if a baseline of the strategy needs what is fitted to hidden points: damping, regression, past errors. */
export const needsGaps = (strategy: Strategy): boolean =>
  baselineNames(strategy).some((name) => BASELINES[name].needs === "ridge");

/**
 * All baselines of a strategy for one field of a batch.
 *
 * @param cube the batch before masking, of which only visible tokens are read
 * @param params fitted parts; a baseline whose part is missing is left out
 * @returns name -> [M, D] in normalised units, aligned with the field's `target`. Points that do not count (`valid` 0)
 *   hold numbers too, which scores must skip.
 * @throws {AtmorepError} `failed` when the field is not in the batch or cube and masked batch do not belong together
 */
export function baselinePredictions(
  strategy: Strategy,
  cube: CubeBatch,
  masked: MaskedBatch,
  field: string,
  params: BaselineParams = {},
): Record<string, Float32Array> {
  const pair = pairOf(cube, masked, field);
  const predictions: Record<string, Float32Array> = {};
  for (const name of usableBaselines(strategy, params)) {
    predictions[name] = BASELINES[name].fn(pair.cube, pair.masked, params, cube.windows);
  }
  return predictions;
}
