import { describe, expect, it } from "vitest";
import { statelessUniform } from "../../src/random/index.js";

/** Reference numbers: TensorFlow, tf.random.stateless_uniform([n], seed). */
describe("statelessUniform", () => {
  it.each<[number, [number, number], number[]]>([
    [
      5,
      [1, 2],
      [0.8440604209899902, 0.19204533100128174, 0.9962232112884521, 0.16038739681243896, 0.27199018001556396],
    ],
    [3, [-1, 7], [0.9835540056228638, 0.7610461711883545, 0.32639455795288086]],
    [2, [2 ** 31 - 1, -(2 ** 31)], [0.029565095901489258, 0.8815397024154663]],
  ])("gives %d numbers of the seed %j", (n, seed, expected) => {
    expect([...statelessUniform(n, seed)]).toEqual(expected);
  });

  it("gives a million", () => {
    // a = tf.random.stateless_uniform([1000003], [123456789, 987]).numpy().astype(float); a.sum(), a[[0, 500000, 1000002]]
    const many = statelessUniform(1_000_003, [123456789, 987]);
    expect(many.reduce((sum, x) => sum + x, 0)).toBeCloseTo(500219.81198608875, 6);
    expect([0, 500_000, 1_000_002].map((i) => many[i])).toEqual([
      0.5752105712890625, 0.5687174797058105, 0.0999448299407959,
    ]);
  });

  it("starts alike whatever the length, and gives none for none", () => {
    expect(statelessUniform(7, [3, 4])).toEqual(statelessUniform(100, [3, 4]).subarray(0, 7));
    expect(statelessUniform(0, [3, 4])).toHaveLength(0);
  });
});
