import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import type { Field } from "../../src/config/types.js";
import type { MaskedField } from "../../src/masking/types.js";
import { openResults } from "../../src/results/readResults.js";
import { type ResultBatch, type ResultsSetup, ResultsWriter } from "../../src/results/writeResults.js";
import { tempDir } from "../support/tempDir.js";

/** 2 tokens in longitude of one step, two rows, two columns; level 5; local normalisation. */
const FIELD: Field = {
  index: 0,
  name: "u",
  dynamic: true,
  width: 8,
  coupled: [],
  pretrained: null,
  levels: [5],
  numTokens: [1, 1, 2],
  tokenSize: [1, 2, 2],
  rates: { total: 1, mask: 1, noise: 0, coarse: 0 },
  normalization: "local",
  L: 1,
  N: 2,
  D: 4,
};
const STATIC: Field = { ...FIELD, index: 1, name: "orography", dynamic: false, levels: [0] };

function setup(dir: string, strategy: ResultsSetup["strategy"]): ResultsSetup {
  return {
    dir,
    runId: "abcd0123",
    epoch: 12,
    strategy,
    forecastTokens: 1,
    fields: [FIELD, STATIC],
    predicted: [FIELD, STATIC].map((field, index) => ({ index, field, weight: 1 })),
    axes: { times: BigInt64Array.of(0n, 3_600_000_000_000n), lats: [0, 90, 180], lons: [0, 90, 180, 270] },
    // mean is the grid point's number, the standard deviation 10
    normalization: () => ({ mean: Array.from({ length: 12 }, (_, i) => i), std: new Array(12).fill(10) }),
  };
}

function masked(field: Field, idx: number[]): MaskedField {
  return {
    name: field.name,
    L: 1,
    B: 1,
    N: 2,
    D: 4,
    source: Float32Array.of(0, 0, 0, 0, 1, 1, 1, 1),
    infos: new Float32Array(0),
    target: new Float32Array(idx.length * 4).fill(0.5),
    valid: null,
    idx: [Int32Array.from(idx)],
    count: [Int32Array.of(idx.length)],
    kind: [new Uint8Array(idx.length)],
  };
}

/** A window over rows 1 and 2 that crosses longitude 0. */
const BATCH: ResultBatch = {
  windows: [{ time: Int32Array.of(1), lat: Int32Array.of(1, 2), lon: Int32Array.of(2, 3, 0, 1) }],
  fields: [masked(FIELD, [1]), masked(STATIC, [])],
  predictions: [
    { mean: Float32Array.of(0, 0, 0, 0), ens: Float32Array.of(0, 0, 0, 0, 1, 1, 1, 1) },
    { mean: new Float32Array(0), ens: new Float32Array(0) },
  ],
};

test("local normalisation of each point, longitudes in the data's order, static fields as source only", async () => {
  const dir = tempDir();
  const writer = await ResultsWriter.open(setup(dir, "BERT"));
  await writer.append(BATCH);
  await writer.append(BATCH);
  const [source, , , ens] = await writer.close();
  const sources = await openResults(source);
  expect(sources.groups).toEqual(
    ["", "u", "u/sample=00000", "orography", "orography/sample=00000"].concat([
      "u/sample=00001",
      "orography/sample=00001",
    ]),
  );
  expect([...(await sources.read("u/sample=00001/data"))]).toEqual([6, 7, 14, 15, 10, 11, 18, 19]);
  expect([...(await sources.read("u/sample=00000/lon"))]).toEqual([180, 270, 0, 90]);
  expect([...(await sources.read("u/sample=00000/lat"))]).toEqual([0, -90]);
  await sources.close();
  const members = await openResults(ens);
  expect(members.groups.some((group) => group.startsWith("orography"))).toBe(false);
  const group = "u/sample=00001/ml=00005";
  expect(members.arrays.get(`${group}/data`)).toEqual({ shape: [1, 2, 1, 2, 2], dtype: "<f4" });
  expect([...(await members.read(`${group}/data`))]).toEqual([4, 5, 8, 9, 14, 15, 18, 19]);
  expect([...(await members.read(`${group}/lon`))]).toEqual([0, 90]);
  expect([...(await members.read(`${group}/datetime`))]).toEqual([3_600_000_000_000n]);
  expect([...(await members.read(`${group}/ml`))]).toEqual([5n]);
  await members.close();
});

test("the stores appear together at the end, or not at all", async () => {
  const dir = tempDir();
  const writer = await ResultsWriter.open(setup(dir, "BERT"));
  await writer.append(BATCH);
  expect(readdirSync(dir).filter((name) => !name.startsWith("."))).toEqual([]);
  await writer.abort();
  expect(readdirSync(dir)).toEqual([]);
});
