import { describe, expect, it } from "vitest";
import { parseFields } from "../../src/config/fields.js";
import type { FieldEntry, RunConfig } from "../../src/config/types.js";
import {
  type BatchPlace,
  createMaskStreams,
  getStrategy,
  type LevelChoice,
  type MaskStreams,
  maskingSummary,
} from "../../src/masking/index.js";
import fc from "../support/property.js";

type Rates = FieldEntry[5];
type Streams = "run" | "batch";

function entry(name: string, levels: number[], rates: Rates = [0.9, 0.5, 0.5, 0.2]): FieldEntry {
  return [name, [1, 32, [], 0], levels, [3, 2, 4], [2, 4, 3], rates, "global"];
}

function makeConfig(fields: FieldEntry[], mask_streams: Streams, keys: Partial<RunConfig> = {}) {
  const own = { fields, mask_streams, BERT_strategy: "BERT", rng_seed: 7, BERT_fields_synced: false, batch_size: 4 };
  return { ...own, forecast_num_tokens: 1, idx_time_mask: null, BERT_mr_max: 2, ...keys } as unknown as RunConfig;
}

const streamsOf = (config: RunConfig): MaskStreams => createMaskStreams(config, parseFields(config));

/** The choices and some noise of every level of every field. */
function drawn(
  config: RunConfig,
  streams: MaskStreams,
  place: BatchPlace,
): { choices: LevelChoice[]; noise: number[] } {
  const strategy = getStrategy(config.BERT_strategy);
  const generators = streams.of(place);
  const choices = parseFields(config).flatMap((field, f) =>
    field.levels.map((_, l) => strategy.choose(field, config.batch_size, config, generators.choice[f][l])),
  );
  return { choices, noise: generators.noise.flat().flatMap((generator) => [...generator.standardNormal(3)]) };
}

const train = (epoch: number, batch: number): BatchPlace => ({ split: "train", epoch, batch });

describe("createMaskStreams", () => {
  it("batch: any worker or process makes any batch, in any order, with the same bytes", () => {
    const places = Array.from({ length: 12 }, (_, i) => train(Math.floor(i / 4), i % 4));
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 2 ** 32 - 1 }),
        fc.boolean(),
        fc.shuffledSubarray(places, { minLength: 1 }),
        fc.integer({ min: 1, max: 4 }),
        (rng_seed, BERT_fields_synced, order, workers) => {
          const fields = [entry("u", [5, 6]), entry("v", [5])];
          const config = makeConfig(fields, "batch", { rng_seed, BERT_fields_synced });
          const alone = streamsOf(config);
          const expected = new Map(places.map((place) => [place, drawn(config, alone, place)]));
          const shared = Array.from({ length: workers }, () => streamsOf(config));
          for (const [i, place] of order.entries()) {
            expect(drawn(config, shared[i % workers], place)).toEqual(expected.get(place));
          }
        },
      ),
      { numRuns: 25 },
    );
  });

  it("batch: split, epoch, batch, field, level and seed each change the masks", () => {
    const config = makeConfig([entry("u", [5, 6]), entry("v", [5])], "batch");
    const one = (changed: Partial<RunConfig>, place: BatchPlace) => {
      const own = { ...config, ...changed };
      return drawn(own, streamsOf(own), place).choices;
    };
    const first = one({}, train(0, 0));
    const others = [
      one({}, train(0, 1)),
      one({}, train(1, 0)),
      one({}, { split: "validate", epoch: 0, batch: 0 }),
      one({ rng_seed: 8 }, train(0, 0)),
    ];
    const texts = [first, ...others].flatMap((choices) => choices.map(({ idx }) => [...idx].join()));
    expect(new Set(texts).size).toBe(texts.length);
  });

  it("batch: synced fields and levels choose alike, and their noise differs", () => {
    const config = makeConfig([entry("u", [5, 6]), entry("v", [5])], "batch", { BERT_fields_synced: true });
    const { choices, noise } = drawn(config, streamsOf(config), train(2, 3));
    for (const choice of choices) expect(choice).toEqual(choices[0]);
    expect(new Set(noise).size).toBe(noise.length);
  });

  it("run: goes on from batch to batch and from a saved state, whatever the places are called", () => {
    const config = makeConfig([entry("u", [5, 6])], "run");
    const streams = streamsOf(config);
    const first = drawn(config, streams, train(0, 0));
    const state = structuredClone(streams.getState());
    const second = drawn(config, streams, train(0, 1));
    expect(second).not.toEqual(first);
    const restored = streamsOf({ ...config, rng_seed: 99 });
    restored.setState(state);
    expect(drawn(config, restored, train(7, 7))).toEqual(second);
    const absent = { ...config, mask_streams: undefined } as unknown as RunConfig;
    expect(drawn(absent, streamsOf(absent), train(0, 0))).toEqual(first);
    expect(streams.independent).toBe(false);
  });

  it("refuses the saved state of the other kind, and a missing seed", () => {
    const [run, batch] = (["run", "batch"] as const).map((kind) => streamsOf(makeConfig([entry("u", [5])], kind)));
    expect(batch.getState()).toBe(null);
    expect(() => batch.setState(run.getState())).toThrow(/mask_streams.*found run.*expected batch/s);
    expect(() => run.setState(batch.getState())).toThrow(/mask_streams.*found batch.*expected run/s);
    for (const kind of ["run", "batch"] as const) {
      const config = makeConfig([entry("u", [5])], kind, { rng_seed: null });
      expect(() => streamsOf(config).of(train(0, 0))).toThrow(/needs a seed/);
    }
  });

  it.each(["run", "batch"] as const)("%s: realises the shares that are asked for", (kind) => {
    const { levels } = maskingSummary(makeConfig([entry("u", [96, 137]), entry("v", [137])], kind), 2000);
    for (const { asked, realised, masked, noised, coarsened } of levels) {
      expect(Math.abs(realised - asked)).toBeLessThan(0.01);
      expect(Math.abs(masked / realised - 0.5)).toBeLessThan(0.01);
      expect(Math.abs(noised / realised - 0.5)).toBeLessThan(0.01);
      expect(Math.abs(coarsened / realised - 0.2)).toBeLessThan(0.01);
    }
  });
});
