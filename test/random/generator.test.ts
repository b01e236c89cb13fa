import { describe, expect, it } from "vitest";
import { defaultRng, derive, derivedSeed, seedWords } from "../../src/random/index.js";
import fc from "../support/property.js";

/** Reference numbers: NumPy 2.4, the Python call stands above each. */
describe("defaultRng", () => {
  it.each([
    // float(np.random.default_rng(seed).random())
    [43, 0.6522992627009107],
    [0, 0.6369616873214543],
    [[101, 0], 0.9435325056105539],
    [2 ** 40 + 5, 0.004739459374490829],
    [123456789012345678901234567890n, 0.34543790416273246],
    [[1, 2, 3, 4, 5, 6], 0.6218049217551649],
  ])("takes the seed %s as NumPy does", (seed, expected) => {
    expect(defaultRng(seed).random()).toBe(expected);
  });

  it("mixes seeds as SeedSequence does", () => {
    // np.random.SeedSequence([7, 2**33 + 1]).generate_state(5)
    expect([...seedWords([7, 2 ** 33 + 1], 5)]).toEqual([1734722684, 1592007562, 2188976234, 3562654921, 1470339898]);
  });

  it.each([-1, 0.5, Number.NaN, -3n])("refuses the seed %s", (seed) => {
    expect(() => defaultRng(seed)).toThrow(/non-negative integer/);
  });

  it("permutes", () => {
    // default_rng(43).permutation(12); default_rng(11).permutation(["a", "b", "c", "d", "e"])
    expect([...defaultRng(43).permutation(12)]).toEqual([10, 9, 2, 7, 11, 5, 8, 1, 4, 6, 0, 3]);
    expect(defaultRng(11).permutation(["a", "b", "c", "d", "e"])).toEqual(["b", "e", "c", "d", "a"]);
    // default_rng(3).permutation(100000)[[0, 1, 50000, 99999]]
    const order = defaultRng(3).permutation(100_000);
    expect([0, 1, 50_000, 99_999].map((i) => order[i])).toEqual([99532, 56387, 50246, 49912]);
  });

  it("keeps the half of 64 bits that float32 draws leave, across other draws", () => {
    // g = default_rng(43); g.random(3, dtype=np.float32); g.random(2); g.random(2, dtype=np.float32)
    const rng = defaultRng(43);
    expect([...rng.randomFloat32(3)]).toEqual([0.5053238868713379, 0.6522992253303528, 0.4013063907623291]);
    expect([...rng.random(2)]).toEqual([0.020029586874216854, 0.83921258251103]);
    expect([...rng.randomFloat32(2)]).toEqual([0.043775320053100586, 0.4644830822944641]);
  });

  it("draws normal numbers", () => {
    // default_rng(5).standard_normal(4)
    const expected = [-0.8019314252534474, -1.324358995628145, -0.24836162209524854, 0.4204452380655215];
    expect([...defaultRng(5).standardNormal(4)]).toEqual(expected);
    // x = default_rng(5).standard_normal(1000000); x[np.abs(x) > 4.4], (np.abs(x) > 3.66).sum()
    const many = defaultRng(5).standardNormal(1_000_000);
    expect([...many.filter((x) => Math.abs(x) > 4.4)]).toEqual([
      -4.820175842608121, 4.4281453640343225, 4.759483563074127, -4.448309139164409, 4.447053524557808,
      -4.451559870672122, 4.433699244972505, 4.406053681245329, -4.436034843884874, 4.4141905003609745,
      4.708098655649166, -4.708286561275379,
    ]);
    expect(many.filter((x) => Math.abs(x) > 3.66).length).toBe(266);
  });

  it("draws whole and uniform numbers", () => {
    // default_rng(9).integers(-3, 1000, 6); .integers(0, 2**32, 3); .integers(4, 5, 2); .uniform(-2.5, 7, 3), each fresh
    expect([...defaultRng(9).integers(-3, 1000, 6)]).toEqual([419, 869, 960, 284, 111, 601]);
    expect([...defaultRng(9).integers(0, 2 ** 32, 3)]).toEqual([1810532129, 3737691870, 4127654944]);
    expect([...defaultRng(9).integers(4, 5, 2)]).toEqual([4, 4]);
    expect([...defaultRng(9).uniform(-2.5, 7, 3)]).toEqual([5.767367437715805, 0.224763486331776, 3.229907425489838]);
    expect(() => defaultRng(9).integers(3, 3, 1)).toThrow(/low < high/);
  });
});

describe("Generator", () => {
  it("goes on from a saved state, wherever it was taken", () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(9), fc.nat(9), fc.nat(9), (seed, doubles, singles, normals) => {
        const rng = defaultRng(seed);
        rng.random(doubles);
        rng.randomFloat32(singles);
        rng.standardNormal(normals);
        const restored = defaultRng(0);
        restored.setState(JSON.parse(JSON.stringify(rng.getState())));
        const next = (g: typeof rng) => [g.randomFloat32(3), g.permutation(9), g.random(2), g.standardNormal(2)];
        expect(next(restored)).toEqual(next(rng));
      }),
    );
  });

  it("permutes every list to the same members", () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(300), (seed, n) => {
        const order = defaultRng(seed).permutation(n);
        expect([...order].sort((a, b) => a - b)).toEqual(Array.from({ length: n }, (_, i) => i));
        expect(defaultRng(seed).permutation(Int32Array.from({ length: n }, (_, i) => i))).toEqual(order);
      }),
    );
  });

  it("leaves the list it permutes as it is", () => {
    const items = [3, 1, 2];
    defaultRng(1).permutation(items);
    expect(items).toEqual([3, 1, 2]);
  });
});

describe("derive", () => {
  it("gives each name its own stream, always the same", () => {
    const first = (...names: (string | number)[]) => derive(5, ...names).random();
    expect(first("noise", 0)).toBe(first("noise", 0));
    expect(new Set([first("noise", 0), first("noise", 1), first("dropout", 0), first()]).size).toBe(4);
    expect(derivedSeed(5, "noise", 2)).toEqual([5, 2420381393, 2]);
  });
});
