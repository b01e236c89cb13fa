import { describe, expect, it } from "vitest";
import {
  cos,
  erf,
  erfc,
  exp,
  expm1,
  gelu,
  log,
  log1p,
  normalCdf,
  normalPdf,
  pow,
  sin,
  tanh,
} from "../../src/math/index.js";
import { defaultRng } from "../../src/random/index.js";

const math = { cos, erf, erfc, exp, expm1, gelu, log, log1p, normalCdf, normalPdf, sin, tanh };
type Name = keyof typeof math;

/** Spacing of doubles at x. */
function ulp(x: number): number {
  const bits = new BigInt64Array(new Float64Array([Math.abs(x)]).buffer);
  bits[0] += 1n;
  return new Float64Array(bits.buffer)[0] - Math.abs(x);
}

/** Nearest doubles of mpmath's results (1300 bits), and how many units in the last place ours may be off. */
const POINTS: [name: Name, ulps: number, points: [x: number, y: number][]][] = [
  [
    "exp",
    1,
    [
      [0.1, 1.1051709180756477],
      [-1.5, 0.22313016014842982],
      [10.25, 28282.541920334977],
      [-700.5, 5.980196118639791e-305],
      [700.5, 1.6721859620674984e304],
    ],
  ],
  [
    "expm1",
    1,
    [
      [1e-10, 1.00000000005e-10],
      [0.3, 0.3498588075760031],
      [-0.7, -0.5034146962085905],
      [20.5, 799902176.4755054],
    ],
  ],
  [
    "log",
    0,
    [
      [0.3, -1.2039728043259361],
      [1.0001, 9.999500033329732e-5],
      [2.5, 0.9162907318741551],
      [1e-310, -713.8013788281542],
      [1e300, 690.7755278982137],
    ],
  ],
  [
    "log1p",
    0,
    [
      [1e-12, 9.999999999995e-13],
      [-0.5, -Math.LN2],
      [0.25, 0.22314355131420976],
      [1e10, 23.025850930040455],
    ],
  ],
  [
    "sin",
    1,
    [
      [0.5, 0.479425538604203],
      [3, 0.1411200080598672],
      [-100.25, 0.2772828564548513],
      [1000000.5, 0.141954699000744],
      [1e22, -0.8522008497671888],
      [1e300, -0.8178819121159085],
    ],
  ],
  [
    "cos",
    1,
    [
      [0.5, 0.8775825618903728],
      [1.5707963267948966, 6.123233995736766e-17],
      [-100.25, 0.9607883312760612],
      [1000000.5, 0.9898731552232378],
      [1e22, 0.523214785395139],
      [1e300, -0.5753861119575491],
    ],
  ],
  [
    "tanh",
    2,
    [
      [1e-5, 9.999999999666668e-6],
      [0.4, 0.3799489622552249],
      [-1.7, -0.935409070603099],
      [8, 0.9999997749296758],
    ],
  ],
  [
    "erf",
    1,
    [
      [1e-8, 1.1283791670955126e-8],
      [0.3, 0.3286267594591274],
      [-0.9, -0.7969082124228322],
      [1.5, 0.9661051464753108],
      [2.4, 0.999311486103355],
      [4, 0.9999999845827421],
    ],
  ],
  [
    "erfc",
    3,
    [
      [-2, 1.9953222650189528],
      [0.3, 0.6713732405408726],
      [1.5, 0.033894853524689274],
      [5, 1.537459794428035e-12],
      [20, 5.395865611607901e-176],
    ],
  ],
  [
    "normalCdf",
    4,
    [
      [-30, 4.906713927148187e-198],
      [-3, 0.0013498980316300946],
      [-0.5, 0.3085375387259869],
      [0.7, 0.758036347776927],
      [3, 0.9986501019683699],
    ],
  ],
];

describe("pinned elementary functions", () => {
  it.each(POINTS)("%s is within %d ulp", (name, ulps, points) => {
    for (const [x, y] of points)
      expect(Math.abs(math[name](x) - y) / ulp(y), `${name}(${x})`).toBeLessThanOrEqual(ulps);
  });

  it.each([
    [1.025, 300, 1648.7682568415646],
    [2.5, -3.75, 0.03219029579988315],
    [1e-5, 0.3, 0.0316227766016838],
    [10, -300, 1e-300],
    [-3, 5, -243],
    [0.9, 1e4, 0],
  ])("pow(%d, %d)", (x, y, expected) => {
    expect(Math.abs(pow(x, y) - expected)).toBeLessThanOrEqual(ulp(expected));
  });

  it("has the limits and special cases of Math", () => {
    const points = [0, -0, Number.NaN, Infinity, -Infinity, 1e-320, -1e-320, 5e-324, -1];
    for (const name of ["exp", "expm1", "log", "log1p", "sin", "cos", "tanh"] as const) {
      for (const x of points) {
        const [ours, theirs] = [math[name](x), Math[name](x)];
        if (Object.is(ours, theirs)) continue;
        expect(Math.abs(ours - theirs), `${name}(${x})`).toBeLessThanOrEqual(2 * ulp(theirs));
      }
    }
    for (const x of [...points, 2, -2, 0.5, -0.5, 3, -3, 1e308]) {
      for (const y of [...points, 2, -2, 0.5, 3, -3, 1e308, 2 ** 53]) {
        const [ours, theirs] = [pow(x, y), x ** y];
        if (Object.is(ours, theirs)) continue;
        expect(Math.abs(ours - theirs), `pow(${x}, ${y})`).toBeLessThanOrEqual(2 * ulp(theirs));
      }
    }
    expect([math.erf(Infinity), math.erf(-Infinity), math.erfc(Infinity), math.normalCdf(-Infinity)]).toEqual([
      1, -1, 0, 0,
    ]);
    expect([math.erf(Number.NaN), math.erfc(Number.NaN), math.normalCdf(Number.NaN)]).toEqual(
      Array(3).fill(Number.NaN),
    );
  });

  it("agrees with Math to a few units over wide ranges", () => {
    const rng = defaultRng(1);
    for (const [name, low, high] of [
      ["exp", -700, 700],
      ["expm1", -5, 5],
      ["log", 0, 10],
      ["log1p", -1, 1],
      ["sin", -1000, 1000],
      ["cos", -1000, 1000],
      ["tanh", -20, 20],
    ] as const) {
      for (const x of rng.uniform(low, high, 20_000)) {
        const theirs = Math[name](x);
        const error = Math.abs(math[name](x) - theirs) / ulp(theirs);
        if (error > 3) expect.fail(`${name}(${x}): ${math[name](x)} against ${theirs}`);
      }
    }
  });

  it("gives normal densities and GELU from one definition", () => {
    for (const x of defaultRng(2).uniform(-6, 6, 1000)) {
      expect(math.normalCdf(x) + math.normalCdf(-x)).toBeCloseTo(1, 15);
      expect(math.gelu(x)).toBe(x * math.normalCdf(x));
      const slope = (math.normalCdf(x + 1e-5) - math.normalCdf(x - 1e-5)) / 2e-5;
      expect(Math.abs(slope - math.normalPdf(x))).toBeLessThan(1e-10);
    }
  });

  it("has the same bits everywhere", () => {
    const rng = defaultRng(3);
    const digests = Object.fromEntries(
      [...POINTS.map(([name]) => name), "normalPdf" as const, "gelu" as const].map((name) => {
        const x = rng.uniform(name.startsWith("log") ? 0 : -30, 30, 5000);
        return [name, digest(x.map((value) => math[name](value)))];
      }),
    );
    digests.pow = digest(rng.uniform(0, 30, 5000).map((x) => pow(x, 3 - x / 4)));
    expect(digests).toMatchInlineSnapshot(`
      {
        "cos": "37009152",
        "erf": "6484f47b",
        "erfc": "b1f72fb",
        "exp": "32d9fcc0",
        "expm1": "9723c559",
        "gelu": "65afcce",
        "log": "e02718cf",
        "log1p": "ac5c59ee",
        "normalCdf": "2b9eb82b",
        "normalPdf": "6b8057fa",
        "pow": "7263b9d5",
        "sin": "f33b6d2c",
        "tanh": "46ad076d",
      }
    `);
  });
});

/** FNV-1a of the bits. */
function digest(values: Float64Array): string {
  let hash = 0x811c9dc5;
  for (const byte of new Uint8Array(values.buffer)) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0).toString(16);
}
