import { describe, expect, it } from "vitest";
import { TOKEN_KIND } from "../../src/masking/types.js";
import { dampingFit, fitDamping } from "../../src/scores/baselines/damping.js";
import { diurnalFit } from "../../src/scores/baselines/diurnal.js";
import { BASELINES, baselineNames, baselinePredictions } from "../../src/scores/baselines/registry.js";
import { RIDGE_INPUTS, ridgeMapsFit } from "../../src/scores/baselines/ridgeMaps.js";
import { layoutOf, valueIndex } from "../../src/scores/layout.js";
import fc from "../support/property.js";
import { cubeOf, hideTimes, hideTokens, type Shape, type ValueAt } from "./support.js";

const FIELD = "velocity_u";
const SHAPE: Shape = [2, 2, 4, 2, 3, 3, 2, 2];
const MASKED = TOKEN_KIND.chosen | TOKEN_KIND.masked;
/** linear in time, another slope at every point */
const slope: ValueAt = (l, b, step, row, column) => 10 * l + b + step * (1 + row + 0.25 * column);

function worst(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let max = 0;
  for (let i = 0; i < a.length; i++) max = Math.max(max, Math.abs(a[i] - b[i]));
  return max;
}

/** What is fitted, on another cube: every second time token of it is hidden. */
const FITTED = (() => {
  const hours = Float64Array.from({ length: 12 }, (_, t) => (t * 6) % 24);
  const cube = cubeOf(SHAPE, (l, b, step, row, column) => slope(l, b, step, row, column) + 0.1 * ((step * 7) % 5));
  const masked = hideTimes(cube, [1, 3]).fields;
  const ridge = ridgeMapsFit({ hours, range: [0, 11], cubes: 1 });
  ridge.add(cube, masked);
  const diurnal = diurnalFit({ hours, columns: 12, points: 144 })!;
  diurnal.add(cube);
  return { ridge: ridge.finish(), diurnal: diurnal.finish(), stepsPerDay: 4 };
})();

describe("the table of baselines", () => {
  it("names those of each strategy", () => {
    const before = ["climatology", "diurnal_climatology", "persistence", "yesterday", "damped_persistence"];
    expect(baselineNames("forecast")).toEqual([...before, "ridge"]);
    expect(baselineNames("temporal_interpolation")).toEqual([...before, "linear", "ridge"]);
    expect(baselineNames("BERT")).toEqual([
      "climatology",
      "diurnal_climatology",
      "linear",
      "visible_neighbours",
      "as_seen",
    ]);
    for (const { doc } of Object.values(BASELINES)) expect(doc.length).toBeGreaterThan(20);
  });

  it("leaves a baseline out whose fitted part is missing", () => {
    const cube = cubeOf(SHAPE, slope);
    expect(Object.keys(baselinePredictions("forecast", cube, hideTimes(cube, [3]), FIELD))).toEqual([
      "climatology",
      "persistence",
    ]);
  });

  it("refuses a field that the batch does not hold", () => {
    const cube = cubeOf(SHAPE, slope);
    expect(() => baselinePredictions("BERT", cube, hideTimes(cube, [3]), "temperature")).toThrow(/not in the batch/);
  });
});

describe("persistence", () => {
  it("is the last visible step at the same grid point", () => {
    const cube = cubeOf(SHAPE, slope);
    const masked = hideTimes(cube, [2, 3]);
    const { persistence } = baselinePredictions("forecast", cube, masked, FIELD);
    const expected = hideTimes(
      cubeOf(SHAPE, (l, b, step, row, column) => slope(l, b, Math.min(step, 5), row, column)),
      [2, 3],
    ).fields[0].target;
    expect(persistence).toEqual(expected);
  });

  it("goes further back where the last visible step is filled", () => {
    const cube = cubeOf([1, 1, 2, 1, 1, 2, 1, 1], (_l, _b, step) => step + 1);
    cube.fields[0].valid = Uint8Array.of(1, 0, 1, 1);
    const { persistence } = baselinePredictions("forecast", cube, hideTimes(cube, [1]), FIELD);
    expect([...persistence]).toEqual([1, 1]);
  });

  it("is climatology where nothing is visible before", () => {
    const cube = cubeOf(SHAPE, slope);
    const { persistence } = baselinePredictions("temporal_interpolation", cube, hideTimes(cube, [0]), FIELD);
    expect(persistence.every((x) => x === 0)).toBe(true);
  });
});

describe("linear interpolation in time", () => {
  it("reproduces fields that are linear in time, in gaps of any length", () => {
    const cube = cubeOf(SHAPE, slope);
    for (const gap of [[1], [2], [1, 2]]) {
      const masked = hideTimes(cube, gap);
      const { linear } = baselinePredictions("temporal_interpolation", cube, masked, FIELD);
      expect(worst(linear, masked.fields[0].target)).toBeLessThan(1e-5);
    }
  });

  it("draws its line between the visible tokens of each place, where single tokens are hidden", () => {
    const cube = cubeOf([1, 1, 5, 1, 2, 1, 1, 1], (_l, _b, step, _row, column) => (column ? 10 - step : step * step));
    // tokens by (time, place): of the first place steps 1 and 2 are hidden, of the second step 3
    const masked = hideTokens(cube, (_l, _b, n) => ([2, 4, 7].includes(n) ? MASKED : 0));
    const { linear } = baselinePredictions("BERT", cube, masked, FIELD);
    expect(linear).toHaveLength(3);
    for (const [i, expected] of [3, 6, 7].entries()) expect(linear[i]).toBeCloseTo(expected, 5);
  });

  it("holds the one end there is", () => {
    const cube = cubeOf([1, 1, 3, 1, 1, 1, 1, 1], (_l, _b, step) => step + 1);
    const { linear } = baselinePredictions("temporal_interpolation", cube, hideTimes(cube, [0, 2]), FIELD);
    expect([...linear]).toEqual([2, 2]);
  });
});

describe("ridge regression on the nearest steps", () => {
  it("does not look at the second steps and the hour", () => {
    const hours = Float64Array.from({ length: 12 }, (_, t) => (t * 6) % 24);
    const cube = cubeOf(SHAPE, (l, b, step, row, column) => slope(l, b, step, row, column) + ((step * 7) % 5));
    const masked = hideTimes(cube, [1, 3]).fields;
    const fit = ridgeMapsFit({ hours, range: [0, 11], cubes: 1, nearest: true });
    fit.add(cube, masked);
    const { maps, nearest } = fit.finish();
    expect(nearest).toBe(true);
    for (const { coefficients } of maps[FIELD][0].values()) {
      // squares of 25 points at [before, before2, after, after2], then the hour
      const used = (first: number, end: number) => coefficients.slice(first, end).some((w) => w !== 0);
      expect([used(25, 50), used(75, RIDGE_INPUTS)]).toEqual([false, false]);
      expect(used(0, 25)).toBe(true);
    }
  });
});

describe("damped persistence", () => {
  it("finds the factor of a decaying field for each level and lead", () => {
    const decay = [0.8, 0.5];
    const power = (x: number, n: number): number => (n === 0 ? 1 : x * power(x, n - 1));
    const cube = cubeOf(SHAPE, (l, b, step, row) => power(decay[l], step) * (1 + b + row));
    const damping = fitDamping([cube]);
    for (const [l, rate] of decay.entries()) {
      expect(damping[FIELD][l]).toHaveLength(11);
      for (const k of [1, 2, 3]) expect(damping[FIELD][l][k - 1]).toBeCloseTo(power(rate, k), 5);
    }
    const masked = hideTimes(cube, [3]);
    const { damped_persistence } = baselinePredictions("forecast", cube, masked, FIELD, { damping });
    expect(worst(damped_persistence, masked.fields[0].target)).toBeLessThan(1e-6);
  });

  it("keeps factors within [0, 1] and does not read points that do not count", () => {
    const alternating = cubeOf([1, 1, 4, 1, 1, 1, 1, 1], (_l, _b, step) => (step % 2 ? -1 : 1));
    expect(fitDamping([alternating])[FIELD]).toEqual([[0, 1, 0]]);
    const growing = cubeOf([1, 1, 3, 1, 1, 1, 1, 1], (_l, _b, step) => [1, 2, 1000][step]);
    growing.fields[0].valid = Uint8Array.of(1, 1, 0);
    expect(fitDamping([growing])[FIELD]).toEqual([[1, 0]]);
  });

  it("gives the same factors cube by cube", () => {
    const cubes = [1, 2, 3].map((k) => cubeOf(SHAPE, (l, b, step, row) => ((l + b + step * k + row) % 5) - 2));
    const fit = dampingFit();
    for (const cube of cubes) fit.add(cube);
    expect(fit.finish()).toEqual(fitDamping(cubes));
  });

  it("refuses factors of other fields", () => {
    const cube = cubeOf(SHAPE, slope);
    const params = { damping: { temperature: [[1]] } };
    expect(() => baselinePredictions("forecast", cube, hideTimes(cube, [3]), FIELD, params)).toThrow(/damping/);
  });
});

describe("the mean of visible neighbours", () => {
  const shape: Shape = [3, 1, 3, 3, 3, 1, 2, 2];
  const middle = 13;

  it("reproduces a field that is linear in level, time, latitude and longitude", () => {
    const cube = cubeOf(shape, (l, _b, step, row, column) => l + 2 * step + 3 * row - column);
    const masked = hideTokens(cube, (l, _b, n) => (l === 1 && n === middle ? MASKED : 0));
    const { visible_neighbours } = baselinePredictions("BERT", cube, masked, FIELD);
    expect(worst(visible_neighbours, masked.fields[0].target)).toBeLessThan(1e-6);
  });

  it("is climatology where every neighbour is hidden", () => {
    const cube = cubeOf(shape, () => 7);
    const masked = hideTokens(cube, () => MASKED);
    const { visible_neighbours } = baselinePredictions("BERT", cube, masked, FIELD);
    expect(visible_neighbours.every((x) => x === 0)).toBe(true);
  });

  it("takes the neighbours there are at a corner and skips points that do not count", () => {
    const cube = cubeOf([1, 1, 2, 1, 2, 1, 1, 2], (_l, _b, step, _row, column) => 10 * step + column);
    // tokens by (time, place): [0,1] [2,3] | [10,11] [12,13]; the second point of token 1 does not count
    cube.fields[0].valid = Uint8Array.of(1, 1, 1, 0, 1, 1, 1, 1);
    const masked = hideTokens(cube, (_l, _b, n) => (n === 0 ? MASKED : 0));
    const { visible_neighbours } = baselinePredictions("BERT", cube, masked, FIELD);
    expect([...visible_neighbours]).toEqual([(2 + 10) / 2, 11]);
  });
});

it("a token as seen is its row of the source", () => {
  const cube = cubeOf(SHAPE, slope);
  const masked = hideTokens(cube, (l, _b, n) => (n % 3 === l ? TOKEN_KIND.chosen : n === 2 ? MASKED : 0));
  const { as_seen } = baselinePredictions("BERT", cube, masked, FIELD);
  const { target, kind } = masked.fields[0];
  const D = masked.fields[0].D;
  [...kind[0], ...kind[1]].forEach((bits, m) => {
    const row = target.slice(m * D, m * D + D);
    expect(as_seen.slice(m * D, m * D + D)).toEqual(bits & TOKEN_KIND.masked ? row.fill(0) : row);
  });
});

it("no baseline depends on values of hidden tokens or of points that do not count", () => {
  const g = layoutOf({ shape: SHAPE });
  const size = g.L * g.B * g.N * g.D;
  const bytes = fc.uint8Array({ minLength: g.L * g.B * g.N, maxLength: g.L * g.B * g.N });
  fc.assert(
    fc.property(bytes, fc.uint8Array({ minLength: size, maxLength: size }), (hide, counts) => {
      const make = (noise: number) => {
        const cube = cubeOf(SHAPE, slope);
        const field = cube.fields[0];
        field.valid = counts.map((c) => (c < 200 ? 1 : 0));
        const hidden = (l: number, b: number, n: number) => (hide[(l * g.B + b) * g.N + n] < 100 ? MASKED : 0);
        for (let l = 0; l < g.L; l++) {
          for (let b = 0; b < g.B; b++) {
            for (let step = 0; step < g.steps; step++) {
              for (let place = 0; place < g.places; place++) {
                for (let point = 0; point < g.points; point++) {
                  const i = valueIndex(g, l, b, step, place, point);
                  const n = Math.floor(step / g.tt) * g.places + place;
                  if (hidden(l, b, n) || !field.valid[i]) field.tokens[i] += noise;
                }
              }
            }
          }
        }
        const masked = hideTokens(cube, hidden);
        const params = { ...FITTED, damping: { [FIELD]: [new Array(11).fill(0.5), new Array(11).fill(0.9)] } };
        const all = (["BERT", "forecast", "temporal_interpolation"] as const).map((strategy) =>
          baselinePredictions(strategy, cube, masked, FIELD, params),
        );
        for (const set of all) delete set.as_seen;
        return all;
      };
      expect(make(1000)).toEqual(make(0));
    }),
    { numRuns: 20 },
  );
});
