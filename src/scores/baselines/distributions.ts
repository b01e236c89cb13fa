/**
 * Opponents of probability: a centre and what training values scattered around it, as a fixed set of members.
 *
 * The climatological ensemble scatters around the diurnal climatology (or the climatology, where there is none); the
 * dressed persistence is the last visible value with its past errors at the same distance in time.
 */
import type { CubeBatch, FieldCube, Window } from "../../data/types.js";
import type { MaskedField } from "../../masking/types.js";
import { type Diurnal, diurnalPredictions } from "./diurnal.js";
import { type Gap, visitGaps } from "./gaps.js";

/** Members of a set: quantiles (i + 1/2) / 51 of the training errors. */
export const DRESSED_MEMBERS = 51;
/** Errors that a set is made of; of more, every so manieth. */
const MOST_ERRORS = 20_000;

export const PROBABLE = ["climatological_ensemble", "dressed_persistence"] as const;
export type Probable = (typeof PROBABLE)[number];

/** Deviations in ascending order [51], and half the mean difference of two of them. */
export interface Scatter {
  members: Float64Array;
  /** sum over pairs i < j of members j - i */
  pairs: number;
}

/** field -> [level] -> scatter by distance to the last visible step (0 for the climatology) */
export type Distributions = Record<Probable, Record<string, Map<number, Scatter>[]>>;

/** Quantiles as numpy.quantile gives them by default. */
export function scatterOf(errors: Float64Array): Scatter {
  const sorted = Float64Array.from(errors).sort();
  const members = Float64Array.from({ length: DRESSED_MEMBERS }, (_, i) => {
    const at = ((i + 0.5) / DRESSED_MEMBERS) * (sorted.length - 1);
    const below = Math.floor(at);
    const above = Math.min(sorted.length - 1, below + 1);
    return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
  });
  const pairs = members.reduce((sum, x, i) => sum + (2 * i - DRESSED_MEMBERS + 1) * x, 0);
  return { members, pairs };
}

/** CRPS of `centre` plus the members, in the empirical and the fair form of `crpsOf`. */
export function scatteredCrps({ members, pairs }: Scatter, centre: number, target: number): [number, number] {
  const E = members.length;
  let error = 0;
  for (const member of members) error += Math.abs(centre + member - target);
  return [error / E - pairs / (E * E), error / E - pairs / (E * (E - 1))];
}

/** The distance to the last visible step; of hidden points without one, 0: they have no persistence. */
const leadOf = ({ step, steps }: Gap) => (steps[0] < 0 ? 0 : step - steps[0]);
const lastSeen = ({ steps, values, H, W, y, x }: Gap) => (steps[0] < 0 ? 0 : values[(steps[0] * H + y) * W + x]);

export interface DistributionsFit {
  add(cube: CubeBatch, masked: readonly MaskedField[]): void;
  /** @param diurnal fitted to the same cubes, or null */
  finish(diurnal: Diurnal | null): Distributions;
}

interface Kept {
  errors: Map<number, number[]>[];
  /** values with their place in the diurnal climatology */
  values: { value: number; hour: number; point: number }[][];
}

/** @param cubes to come, so that errors are taken from all of them alike */
export function distributionsFit(cubes: number, hours: ArrayLike<number>, columns: number): DistributionsFit {
  const fields = new Map<string, Kept>();
  let number = 0;
  const addField = (cube: FieldCube, masked: MaskedField, windows: readonly Window[]) => {
    const kept = fields.get(cube.name) ?? {
      errors: Array.from({ length: masked.L }, () => new Map<number, number[]>()),
      values: Array.from({ length: masked.L }, () => []),
    };
    fields.set(cube.name, kept);
    const stride = Math.max(1, Math.ceil(((masked.target.length / masked.L) * cubes) / MOST_ERRORS));
    let turn = (number * 7919) % stride;
    visitGaps(cube, masked, (gap) => {
      if (turn++ % stride !== 0 || (masked.valid && !masked.valid[gap.at])) return;
      const { time, lat, lon } = windows[gap.b];
      const value = masked.target[gap.at];
      const hour = Math.floor(hours[time[gap.step]]);
      kept.values[gap.l].push({ value, hour, point: lat[gap.y] * columns + lon[gap.x] });
      const lead = leadOf(gap);
      const own = kept.errors[gap.l].get(lead) ?? [];
      own.push(value - lastSeen(gap));
      kept.errors[gap.l].set(lead, own);
    });
  };
  return {
    add({ fields: cubeFields, windows }, masked) {
      for (const field of masked) {
        const cube = cubeFields.find(({ name }) => name === field.name);
        if (cube && field.target.length > 0) addField(cube, field, windows);
      }
      number++;
    },
    finish(diurnal) {
      const found: Distributions = { climatological_ensemble: {}, dressed_persistence: {} };
      for (const [name, { errors, values }] of fields) {
        const means = diurnal?.means[name];
        found.climatological_ensemble[name] = values.map((own, l) => {
          const around = own.map(({ value, hour, point }) =>
            means && diurnal ? value - means[l][hour * diurnal.points + point] : value,
          );
          return new Map(around.length > 0 ? [[0, scatterOf(Float64Array.from(around))]] : []);
        });
        found.dressed_persistence[name] = errors.map(
          (byLead) => new Map([...byLead].map(([lead, own]) => [lead, scatterOf(Float64Array.from(own))])),
        );
      }
      return found;
    },
  };
}

/** Centre and scatter of each hidden point; null where training had none like it. */
export interface Dressed {
  /** [M, D] */
  centre: Float32Array;
  /** of the point at [M, D] */
  scatter(at: number): Scatter | null;
}

/** Both opponents for the hidden points of a field, in normalised units. */
export function dressedPredictions(
  cube: FieldCube,
  masked: MaskedField,
  windows: readonly Window[],
  distributions: Distributions,
  diurnal: Diurnal | null,
): Record<Probable, Dressed> {
  const size = masked.target.length;
  const leads = new Uint16Array(size);
  const levels = new Uint16Array(size);
  const last = new Float32Array(size);
  visitGaps(cube, masked, (gap) => {
    leads[gap.at] = leadOf(gap);
    levels[gap.at] = gap.l;
    last[gap.at] = lastSeen(gap);
  });
  const of = (name: Probable, at: number, lead: number) =>
    distributions[name][cube.name]?.[levels[at]]?.get(lead) ?? null;
  return {
    climatological_ensemble: {
      centre: diurnal ? diurnalPredictions(cube, masked, windows, diurnal) : new Float32Array(size),
      scatter: (at) => of("climatological_ensemble", at, 0),
    },
    dressed_persistence: { centre: last, scatter: (at) => of("dressed_persistence", at, leads[at]) },
  };
}
