/** Score cards: tests of known truth, many at once; what may be compared and what is refused. */
import { describe, expect, it } from "vitest";
import { defaultRng } from "../../src/random/index.js";
import { benjaminiHochberg, type CardEntry, scoreCard, type TimedCell } from "../../src/scores/index.js";
import fc from "../support/property.js";

const COLUMNS = [
  "weight",
  "points",
  "longitude",
  "step",
  "model.squares",
  "model.absolute",
  "other.squares",
  "other.absolute",
];

interface Drawn {
  id: string;
  seed: number;
  times: number;
  cells: TimedCell[];
  /** standard deviation of the model's errors in a cell; the other's is 1 */
  error?: (cell: number) => number;
}

/** An evaluation of 20 points a time whose errors are normal; half of those of the baseline `other` are the model's own. */
function entry({ id, seed, times, cells, error = () => 1 }: Drawn): CardEntry {
  const sums = new Float64Array(cells.length * times * COLUMNS.length);
  const own = defaultRng([seed, 1]);
  const shared = defaultRng([99, 2]);
  for (let c = 0; c < cells.length; c++) {
    for (let t = 0; t < times; t++) {
      const row = sums.subarray((c * times + t) * COLUMNS.length);
      row.set([20, 20, 1000, 40]);
      for (let i = 0; i < 20; i++) {
        const [common] = shared.standardNormal(1);
        const [mine] = own.standardNormal(1);
        const model = error(c) * (0.8 * common + 0.6 * mine);
        row[4] += model * model;
        row[5] += Math.abs(model);
        row[6] += common * common;
        row[7] += Math.abs(common);
      }
    }
  }
  const dates = Array.from({ length: times }, (_, t) => new Date(Date.UTC(2020, 0, 1, 6 * t)).toISOString());
  return {
    ...{ id, dates, cells, sums, columns: COLUMNS, span: 1, predictors: ["model", "other"] },
    times: dates.map((_, t) => t),
  };
}

const grid = (levels: number, leads: number): TimedCell[] =>
  Array.from({ length: levels * leads }, (_, k) => ({
    field: "temperature",
    level: 500 + Math.floor(k / leads),
    lead: 1 + (k % leads),
    region: "global",
  }));

describe("many tests at once", () => {
  it("are adjusted upwards, keep their order and do not depend on it", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 40 }), (p) => {
        const adjusted = benjaminiHochberg(p);
        const turned = benjaminiHochberg([...p].reverse());
        for (let i = 0; i < p.length; i++) {
          expect(adjusted[i]).toBeGreaterThanOrEqual(p[i]);
          expect(adjusted[i]).toBeLessThanOrEqual(1);
          expect(turned[p.length - 1 - i]).toBe(adjusted[i]);
          for (let j = 0; j < p.length; j++) if (p[i] <= p[j]) expect(adjusted[i]).toBeLessThanOrEqual(adjusted[j]);
        }
      }),
    );
    expect(() => benjaminiHochberg([0.5, 1.5])).toThrow("not a p value");
  });

  it("find no difference between equal forecasts, where single tests find one in twenty", () => {
    let [found, alone, tests] = [0, 0, 0];
    const cards = 60;
    for (let seed = 0; seed < cards; seed++) {
      const make = (id: string, own: number) => entry({ id, seed: own, times: 70, cells: grid(2, 6) });
      const [comparison] = scoreCard([make("first", 2 * seed), make("second", 2 * seed + 1)]).comparisons;
      if (comparison.better + comparison.worse > 0) found++;
      alone += comparison.alone;
      tests += comparison.tests;
      expect(comparison.expectedByChance).toBeCloseTo(0.05 * comparison.tests, 12);
    }
    expect(tests).toBeGreaterThan(0.9 * cards * 12);
    expect(alone / tests).toBeGreaterThan(0.025);
    expect(alone / tests).toBeLessThan(0.08);
    // a card without any difference has a finding in at most about 5 of 100 cases
    expect(found / cards).toBeLessThanOrEqual(0.12);
  });

  it("keep the share of false findings at what was asked for, and find what is there", () => {
    let [falseShare, hits, cards] = [0, 0, 0];
    for (let seed = 0; seed < 40; seed++) {
      const cells = grid(2, 8);
      const first = entry({ id: "first", seed: 200 + 2 * seed, times: 60, cells });
      // every fourth cell is better by an eighth
      const second = entry({
        id: "second",
        seed: 201 + 2 * seed,
        times: 60,
        cells,
        error: (c) => (c % 4 === 0 ? 0.875 : 1),
      });
      const [comparison] = scoreCard([first, second], { falseDiscovery: 0.1 }).comparisons;
      const isTrue = ({ level, lead }: TimedCell) => (8 * (level - 500) + lead - 1) % 4 === 0;
      const findings = comparison.cells.filter(({ outcome }) => outcome === "better" || outcome === "worse");
      const wrong = findings.filter((cell) => !isTrue({ ...cell, region: "global" }) || cell.outcome === "worse");
      falseShare += findings.length > 0 ? wrong.length / findings.length : 0;
      hits += findings.length - wrong.length;
      cards++;
    }
    expect(hits / cards / 4).toBeGreaterThan(0.8);
    expect(falseShare / cards).toBeLessThan(0.1);
  });
});

describe("a score card", () => {
  const cells = grid(1, 3);
  const [first, second] = [
    entry({ id: "first", seed: 1, times: 40, cells }),
    entry({ id: "second", seed: 2, times: 40, cells, error: () => 0.8 }),
  ];

  it("compares each with the first, and each with its baselines and the best of them", () => {
    const times = 120;
    const first = entry({ id: "first", seed: 1, times, cells });
    const second = entry({ id: "second", seed: 2, times, cells, error: () => 0.8 });
    const card = scoreCard([first, second]);
    expect(card.comparisons.map(({ kind, first: a, second: b }) => [kind, a, b])).toEqual([
      ["run", "second", "first"],
      ["best baseline", "first", "best baseline"],
      ["baseline", "first", "other"],
      ["best baseline", "second", "best baseline"],
      ["baseline", "second", "other"],
    ]);
    const [cell] = card.comparisons[0].cells;
    expect(cell.outcome).toBe("better");
    expect(cell.difference).toBeCloseTo(cell.first - cell.second, 12);
    expect(cell.percent).toBeCloseTo((100 * cell.difference) / cell.second, 10);
    // the plain RMSE of the first cell
    const sum = (k: number) =>
      Array.from({ length: times }, (_, t) => second.sums[t * COLUMNS.length + k]).reduce((a, b) => a + b, 0);
    expect(cell.first).toBeCloseTo(Math.sqrt(sum(4) / sum(0)), 12);
    expect(card.comparisons[1].cells[0].baseline).toBe("other");
    expect(scoreCard([first], { score: "mae" }).comparisons).toHaveLength(2);
  });

  it("calls few blocks no test", () => {
    const short = { ...first, span: 12 };
    const [comparison] = scoreCard([short, second]).comparisons;
    expect(comparison).toMatchObject({ tests: 0, tooFew: 3, better: 0, worse: 0, expectedByChance: 0 });
    expect(comparison.cells[0]).toMatchObject({ outcome: "too few", pValue: null, adjusted: null });
  });

  it("pairs by date: the order and the indices of a store's times do not matter", () => {
    const shifted = { ...second, times: second.times.map((t) => t + 1000) };
    expect(scoreCard([first, shifted]).comparisons[0].cells).toEqual(scoreCard([first, second]).comparisons[0].cells);
  });

  it("refuses other times, other points and what is not there, naming it", () => {
    const later = entry({ id: "later", seed: 3, times: 41, cells });
    expect(() => scoreCard([first, later])).toThrow(
      /same initial times.*40 and 41 times; 1 only in later \(2020-01-11/s,
    );
    const moved = { ...second, sums: second.sums.map((x, k) => (k % COLUMNS.length === 2 ? x + 3 : x)) };
    expect(() => scoreCard([first, moved])).toThrow(/same points.*sum of longitudes 1000 in first, 1003 in second/s);
    expect(() => scoreCard([first, second], { score: "crps" })).toThrow(/rmse, mae/);
    expect(() => scoreCard([first, second], { region: "tropics" })).toThrow(/global/);
    expect(() =>
      scoreCard([first, entry({ id: "else", seed: 3, times: 40, cells: [{ ...cells[0], field: "wind" }] })]),
    ).toThrow(/first: temperature; else: wind/);
    expect(() => scoreCard([])).toThrow("needs an evaluation");
    expect(() => scoreCard([first], { falseDiscovery: 0 })).toThrow("share of false findings");
  });

  it("leaves out and lists cells that not all have", () => {
    const fewer = entry({ id: "fewer", seed: 5, times: 40, cells: cells.slice(0, 2) });
    const card = scoreCard([first, fewer]);
    expect(card.comparisons[0].cells).toHaveLength(2);
    expect(card.leftOut).toEqual([cells[2]]);
  });
});
