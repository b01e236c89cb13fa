import { describe, expect, it } from "vitest";
import { parseFields } from "../../src/config/fields.js";
import type { FieldEntry, RunConfig, Strategy } from "../../src/config/types.js";
import { SharedChunks } from "../../src/data/cache/sharedChunks.js";
import { BufferPool } from "../../src/data/pool.js";
import type { CubeBatch, SampleBatch } from "../../src/data/types.js";
import {
  createMaskGenerators,
  getStrategy,
  maskBatch,
  maskInPlace,
  registerStrategy,
  resample,
  STRATEGIES,
  TOKEN_KIND,
} from "../../src/masking/index.js";
import { defaultRng } from "../../src/random/index.js";
import fc from "../support/property.js";

/** Before the tests register theirs. */
const BUILT_IN = Object.keys(STRATEGIES) as Strategy[];

type Rates = [total: number, mask: number, noise: number, coarse: number];

function field(name: string, levels: number[], rates: Rates, dynamic: 0 | 1 = 1): FieldEntry {
  return [name, [dynamic, 32, [], 0], levels, [3, 2, 4], [2, 4, 3], rates, "global"];
}

function makeConfig(fields: FieldEntry[], strategy: Strategy = "BERT"): RunConfig {
  const keys = {
    fields,
    BERT_strategy: strategy,
    rng_seed: 7,
    BERT_fields_synced: false,
    BERT_mr_max: 2,
    forecast_num_tokens: 1,
    idx_time_mask: null,
    batch_size: 4,
  };
  return keys as unknown as RunConfig;
}

/** A cube of normal numbers, none of them 0; every fifth point does not count. */
function makeCube(config: RunConfig, B: number, seed = 1): CubeBatch {
  const rng = defaultRng(seed);
  const fields = parseFields(config).map(({ name, L, N, D, numTokens, tokenSize }) => ({
    name,
    tokens: Float32Array.from(rng.standardNormal(L * B * N * D)),
    shape: [L, B, ...numTokens, ...tokenSize] as [number, number, number, number, number, number, number, number],
    infos: Float32Array.from(rng.random(L * B * N * 8)),
    valid: Uint8Array.from({ length: L * B * N * D }, (_, i) => (i % 5 ? 1 : 0)),
  }));
  return { draw: { timeIndex: 0, places: [] }, windows: [], fields };
}

function mask(config: RunConfig, B = 4, seed = 1) {
  const fields = parseFields(config);
  const cube = makeCube(config, B, seed);
  return { cube, fields, batch: maskBatch(cube, fields, config, createMaskGenerators(config, fields)) };
}

/** Bytes rather than elements: comparing thousands of short arrays element by element takes seconds. */
function expectSame(a: Float32Array | Uint8Array, b: Float32Array | Uint8Array) {
  const bytes = (x: Float32Array | Uint8Array) => Buffer.from(x.buffer, x.byteOffset, x.byteLength);
  if (!bytes(a).equals(bytes(b))) expect(a).toEqual(b);
}

/** The cube with the samples first, value by value. */
function samplesOf(cube: CubeBatch): SampleBatch {
  const fields = cube.fields.map(({ name, tokens, infos, valid, shape: [L, B, ...rest] }) => {
    const swapped = <T extends Float32Array | Uint8Array>(x: T): T => {
      const size = x.length / (L * B);
      return x.map((_, i) => {
        const [b, l] = [Math.floor(i / (L * size)), Math.floor(i / size) % L];
        return x[(l * B + b) * size + (i % size)];
      }) as T;
    };
    const shape: SampleBatch["fields"][number]["shape"] = [B, L, ...rest];
    return { name, tokens: swapped(tokens), infos: swapped(infos), valid: valid && swapped(valid), shape };
  });
  return { ...cube, fields };
}

const rate = fc.double({ min: 0, max: 1, noNaN: true });

describe("maskBatch", () => {
  it("keeps its promises for any rates, levels and batch size", () => {
    const strategies = fc.constantFrom(...BUILT_IN);
    fc.assert(
      fc.property(
        fc.tuple(rate, rate, rate, rate),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 5 }),
        strategies,
        (rates, L, B, strategy) => {
          const levels = Array.from({ length: L }, (_, l) => 100 + l);
          const { cube, batch, fields } = mask(makeConfig([field("u", levels, rates)], strategy), B);
          const [{ N, D }] = fields;
          const [{ idx, count, kind, source, target, valid, infos }] = batch.fields;
          const before = cube.fields[0];
          const at = (l: number, b: number, n: number) => ((b * L + l) * N + n) * D;
          const from = (l: number, token: number) => (l * B * N + token) * D;
          let m = 0;
          for (let l = 0; l < L; l++) {
            expect(new Set(idx[l]).size).toBe(idx[l].length);
            expect(kind[l].length).toBe(idx[l].length);
            const perSample = new Int32Array(B);
            const chosen = new Map<number, number>();
            for (const [i, token] of idx[l].entries()) {
              perSample[Math.floor(token / N)]++;
              chosen.set(token, kind[l][i]);
              const original = before.tokens.subarray(from(l, token), from(l, token) + D);
              expectSame(target.subarray(m * D, m * D + D), original);
              expectSame(valid!.subarray(m * D, m * D + D), before.valid!.subarray(from(l, token), from(l, token) + D));
              m++;
            }
            expect(perSample).toEqual(count[l]);
            for (let token = 0; token < B * N; token++) {
              const b = Math.floor(token / N);
              const start = at(l, b, token % N);
              const altered = (chosen.get(token) ?? 0) & ~TOKEN_KIND.chosen;
              const original = before.tokens.subarray(from(l, token), from(l, token) + D);
              const seen = source.subarray(start, start + D);
              if (altered === 0) expectSame(seen, original);
              if (altered === TOKEN_KIND.masked) expectSame(seen, new Float32Array(D));
              const info = infos.subarray((start / D) * 8, (start / D) * 8 + 8);
              expectSame(info, before.infos.subarray((l * B * N + token) * 8, (l * B * N + token) * 8 + 8));
            }
          }
          expect(target.length).toBe(m * D);
        },
      ),
      { numRuns: 40 },
    );
  });

  it("leaves the cube as it is and repeats with fresh generators", () => {
    const config = makeConfig([field("u", [5, 6], [0.9, 0.5, 0.5, 0.5])]);
    const { cube, batch } = mask(config);
    expect(cube).toEqual(makeCube(config, 4));
    expect(mask(config).batch).toEqual(batch);
  });

  it("in place, with the samples first and arrays used before, gives the same bytes, in the memory of chunks or not", async () => {
    const cache = new SharedChunks(1e6, ["x"]);
    const strategies = fc.constantFrom(...BUILT_IN);
    fc.assert(
      fc.property(
        fc.tuple(rate, rate, rate, rate),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 5 }),
        strategies,
        fc.boolean(),
        (rates, L, B, strategy, shared) => {
          const pool = new BufferPool(shared ? cache : null);
          const levels = Array.from({ length: L }, (_, l) => 100 + l);
          const config = makeConfig([field("u", levels, rates), field("v", [5], [0, 0, 0, 0])], strategy);
          const { cube, fields, batch } = mask(config, B);
          const samples = samplesOf(cube);
          for (const sample of samples.fields) {
            const tokens = pool.take(sample.tokens.length);
            tokens.set(sample.tokens);
            sample.tokens = tokens;
          }
          pool.give(...cube.fields.map(({ tokens }) => pool.take(tokens.length).fill(Number.NaN)));
          const masked = maskInPlace(samples, fields, config, createMaskGenerators(config, fields), { pool });
          expect(masked.fields.map(({ source }) => source)).toEqual(samples.fields.map(({ tokens }) => tokens));
          for (const [f, { source, target, infos, valid, ...rest }] of masked.fields.entries()) {
            const expected = batch.fields[f];
            expectSame(source, expected.source);
            expectSame(target, expected.target);
            expectSame(infos, expected.infos);
            expectSame(valid!, expected.valid!);
            expect([rest.idx, rest.count, rest.kind]).toEqual([expected.idx, expected.count, expected.kind]);
          }
          expect(masked.fields.every(({ target }) => (pool.room?.holds(target.buffer) ?? false) === shared)).toBe(true);
          pool.close();
        },
      ),
      { numRuns: 60 },
    );
    await cache.close();
  });

  it("gives tokens that a strategy chooses twice the same targets and values, in the memory of chunks or not", async () => {
    registerStrategy("twice", {
      doc: "every other token of BERT, twice",
      choose(field, B, config, generator) {
        const { idx, ...choice } = getStrategy("BERT").choose(field, B, config, generator);
        return { ...choice, idx: idx.map((_, m) => idx[m - (m % 2)]) };
      },
      askedShare: () => 1,
    });
    const config = makeConfig([field("u", [5, 6], [0.9, 0.5, 0.5, 0.5])], "twice" as Strategy);
    const { cube, fields, batch } = mask(config);
    const cache = new SharedChunks(1e6, ["x"]);
    const pool = new BufferPool(cache);
    const samples = samplesOf(cube);
    samples.fields[0].tokens = pool.take(samples.fields[0].tokens.length);
    samples.fields[0].tokens.set(samplesOf(cube).fields[0].tokens);
    const [masked] = maskInPlace(samples, fields, config, createMaskGenerators(config, fields), { pool }).fields;
    expect(new Set(masked.idx[0]).size).toBeLessThan(masked.idx[0].length);
    expectSame(masked.source, batch.fields[0].source);
    expectSame(masked.target, batch.fields[0].target);
    pool.close();
    await cache.close();
  });

  it.each([-1, 1_000_000])("refuses token %i, which a strategy chooses and which there is not", (token) => {
    registerStrategy("beyond", {
      doc: "a token that there is not",
      choose(field, B, config, generator) {
        const choice = getStrategy("BERT").choose(field, B, config, generator);
        return { ...choice, idx: choice.idx.map((idx, m) => (m === 0 ? token : idx)) };
      },
      askedShare: () => 1,
    });
    const config = makeConfig([field("u", [5], [0.9, 0.5, 0.5, 0.5])], "beyond" as Strategy);
    expect(() => mask(config)).toThrow(
      new RegExp(`idx of u: .*token that there is not; found ${token}; expected 0 to`),
    );
  });

  it("goes on from a saved state exactly", () => {
    const config = makeConfig([field("u", [5, 6], [0.9, 0.5, 0.5, 0.5]), field("v", [5], [0.5, 0.3, 0.9, 0.1])]);
    const fields = parseFields(config);
    const generators = createMaskGenerators(config, fields);
    maskBatch(makeCube(config, 3), fields, config, generators);
    const state = JSON.parse(JSON.stringify(generators.getState()));
    const next = maskBatch(makeCube(config, 3), fields, config, generators);
    const restored = createMaskGenerators(config, fields, 99);
    restored.setState(state);
    expect(maskBatch(makeCube(config, 3), fields, config, restored)).toEqual(next);
    const others = createMaskGenerators(config, fields.slice(1));
    expect(() => others.setState(state)).toThrow(/other fields.*levels 2, 1.*levels 1/);
  });

  it("gives synced fields the same choice and others different ones", () => {
    const entries = [field("u", [5, 6], [0.9, 0.5, 0.5, 0]), field("v", [5], [0.9, 0.5, 0.5, 0])];
    const synced = mask({ ...makeConfig(entries), BERT_fields_synced: true }).batch;
    expect(synced.fields[1].idx[0]).toEqual(synced.fields[0].idx[0]);
    expect(synced.fields[0].idx[1]).toEqual(synced.fields[0].idx[0]);
    const single = mask(makeConfig(entries)).batch;
    expect(single.fields[1].idx[0]).not.toEqual(single.fields[0].idx[0]);
  });

  it.each(BUILT_IN)("%s leaves static and rate-0 fields alone", (name) => {
    const entries = [field("u", [5], [0.9, 1, 1, 1], 0), field("v", [5, 6], [0, 1, 1, 1])];
    const { batch } = mask(makeConfig(entries, name));
    for (const { idx, count, target, B } of batch.fields) {
      expect(target.length).toBe(0);
      expect(idx.every(({ length }) => length === 0)).toBe(true);
      expect(count.every((counts) => counts.length === B && counts.every((n) => n === 0))).toBe(true);
    }
  });

  it("noises with the spread of each grid point over the level", () => {
    const config = makeConfig([field("u", [5], [1, 0, 1, 0])]);
    const fields = parseFields(config);
    const cube = makeCube(config, 2);
    const ones = (_f: number, _l: number, count: number) => new Float32Array(count).fill(1);
    const [noised] = maskBatch(cube, fields, config, createMaskGenerators(config, fields), { normals: ones }).fields;
    const rng = defaultRng(8);
    rng.random(2);
    for (let b = 0; b < 2; b++) rng.permutation(24);
    rng.random(3 * noised.idx[0].length);
    const weights = rng.randomFloat32(noised.idx[0].length);
    const { tokens } = cube.fields[0];
    const D = 24;
    const column = Array.from({ length: 48 }, (_, i) => tokens[i * D + 3]);
    const mean = column.reduce((a, b) => a + b) / 48;
    const std = Math.sqrt(column.reduce((sum, x) => sum + (x - mean) ** 2, 0) / 47);
    for (const [m, token] of noised.idx[0].entries()) {
      const expected = (1 - weights[m]) * tokens[token * D + 3] + 0.1 * std;
      expect(noised.source[token * D + 3]).toBeCloseTo(expected, 6);
    }
  });

  it("coarsens to the lower resolution that the draw asks for and back", () => {
    const config = { ...makeConfig([field("u", [5], [1, 0, 0, 1])]), BERT_mr_max: 4 };
    const { cube, batch } = mask(config, 2);
    const [{ idx, source, kind }] = batch.fields;
    const rng = defaultRng(8);
    rng.random(2);
    for (let b = 0; b < 2; b++) rng.permutation(24);
    rng.random(3 * idx[0].length);
    const factor = 1 + rng.random() * 3;
    const small = [Math.max(1, Math.round(4 / factor)), Math.max(1, Math.round(3 / factor))] as const;
    expect(small[0]).toBeLessThan(4);
    expect(new Set(kind[0])).toEqual(new Set([TOKEN_KIND.chosen | TOKEN_KIND.coarsened]));
    for (const token of idx[0]) {
      const original = cube.fields[0].tokens.subarray(token * 24, token * 24 + 24);
      const expected = resample(resample(original, [4, 3], small), small, [4, 3]);
      expect(source.subarray(token * 24, token * 24 + 24)).toEqual(expected);
    }
  });

  it("refuses what does not fit", () => {
    const config = makeConfig([field("u", [5], [1, 1, 0, 0])], "forecast");
    const fields = parseFields(config);
    const generators = createMaskGenerators(config, fields);
    const cube = makeCube(config, 2);
    const run = (change: object) => maskBatch(cube, fields, { ...config, ...change }, generators);
    expect(() => run({ forecast_num_tokens: 4 })).toThrow(/forecast_num_tokens.*3 time tokens.*found 4.*1 to 3/);
    expect(() => run({ BERT_strategy: "temporal_interpolation", idx_time_mask: [1, 1] })).toThrow(/idx_time_mask/);
    expect(() => run({ BERT_strategy: "temporal_interpolation", idx_time_mask: [3] })).toThrow(/0 to 2/);
    expect(() => run({ BERT_strategy: "bert" })).toThrow(/unknown masking strategy.*BERT, .*forecast/);
    expect(() => maskBatch({ ...cube, fields: [] }, fields, config, generators)).toThrow(/field u.*found nothing/);
    expect(() => createMaskGenerators({ ...config, rng_seed: null }, fields)).toThrow(/needs a seed/);
  });
});
