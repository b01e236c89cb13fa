/** Strategies in turn, and strategies and metrics of one's own. */
import { rmSync } from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import type { RunConfig } from "../../src/config/types.js";
import { sameInEverySample, tokensAtTimes } from "../../src/masking/choice.js";
import { registerStrategy, strategyOfBatch } from "../../src/masking/index.js";
import { registerMetric } from "../../src/scores/index.js";
import { runAll, temporaryFolder, tinyConfig } from "../support/tinyRun.js";

const out = temporaryFolder();
afterAll(() => rmSync(out, { recursive: true, force: true }));

const config = tinyConfig({ num_epochs: 1, ema_decay: 0.9 });

describe("strategies and metrics of one's own", () => {
  it("mixes strategies with their shares, by seed, epoch and batch alone", () => {
    const mix = { BERT_strategy: "BERT", BERT_strategy_mix: { BERT: 0.7, forecast: 0.3 }, rng_seed: 3 } as const;
    const drawn = Array.from({ length: 4000 }, (_, k) => strategyOfBatch(mix, k % 7, k));
    expect(drawn.filter((name) => name === "forecast").length / 4000).toBeCloseTo(0.3, 1);
    expect(strategyOfBatch(mix, 3, 17)).toBe(strategyOfBatch(mix, 3, 17));
    expect(strategyOfBatch({ ...mix, BERT_strategy_mix: null }, 3, 17)).toBe("BERT");
  });

  it("trains with them by name, and logs the metric", async () => {
    registerStrategy("first_time", {
      doc: "the first time token at every place",
      choose: (field, B) => sameInEverySample(tokensAtTimes(field, [0]), field.N, B),
      askedShare: (field) => 1 / field.numTokens[0],
    });
    registerMetric("worst_member", {
      doc: "largest distance of a member",
      fn: ({ members }) => Array.from(members).reduce((most, e) => Math.max(most, Math.abs(e)), 0),
    });
    const own = {
      ...config,
      BERT_strategy_mix: { first_time: 1, BERT: 1 },
      metrics: ["worst_member"],
    } as unknown as RunConfig;
    const { events } = await runAll(own, { out, runId: "mixed001", maxSteps: 4 });
    const validated = events.find((event) => event.type === "validated");
    const name = `val. worst_member, ${config.fields[0][0]}`;
    expect(validated?.type === "validated" && validated.series[name]).toBeGreaterThan(0);
    const unknown = { ...config, BERT_strategy_mix: { firsttime: 1 } } as unknown as RunConfig;
    await expect(runAll(unknown, { out, runId: "mixed002" })).rejects.toThrow('Did you mean "first_time"?');
  });
});
