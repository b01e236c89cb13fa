/** Starting from other weights: pre-trained fields, accepted differences, frozen parts, mixed strategies, own metrics. */
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { parseFields, predictedFields } from "../../src/config/fields.js";
import type { RunConfig } from "../../src/config/types.js";
import { sameInEverySample, tokensAtTimes } from "../../src/masking/choice.js";
import { registerStrategy, strategyOfBatch } from "../../src/masking/index.js";
import { initParameters } from "../../src/model/parameters.js";
import { modelSpec } from "../../src/model/spec.js";
import { withPretrained } from "../../src/runs/pretrained.js";
import { readWeights, weightPath, writeWeightFiles } from "../../src/runs/weightFiles.js";
import { registerMetric } from "../../src/scores/index.js";
import { frozenNames } from "../../src/step/freeze.js";
import { runAll, temporaryFolder, tinyConfig } from "../support/tinyRun.js";
import { smallConfig } from "./support.js";

const out = temporaryFolder();
afterAll(() => rmSync(out, { recursive: true, force: true }));

const config = tinyConfig({ num_epochs: 1, ema_decay: 0.9 });
const weightsOf = (id: string) => readWeights(weightPath(join(out, "models", `id${id}`), id, "latest"));

describe("freeze", () => {
  it("leaves frozen parameters bit for bit and moves the others", async () => {
    const freeze = ["encoders.0.*", "tails.0.tail_nets.1.*"];
    await runAll({ ...config, freeze }, { out, runId: "frozen01", maxSteps: 3 });
    const start = initParameters(modelSpec(config), config.torch_seed as number);
    const end = await weightsOf("frozen01");
    const frozen = frozenNames(freeze, [...start.keys()]);
    expect(frozen).toContain("embeds.0.weight");
    for (const [name, { data }] of start) {
      const same = Buffer.compare(Buffer.from(data.buffer), Buffer.from(end.get(name)!.data.slice().buffer)) === 0;
      if (frozen.has(name)) expect([name, same]).toEqual([name, true]);
      else if (/^(decoders|tails)\..*weight$/.test(name)) expect([name, same]).toEqual([name, false]);
    }
  });

  it.each([
    [["encoder.*"], "the pattern fits no parameter"],
    [["*"], "every parameter is frozen"],
  ])("refuses %j", async (freeze, message) => {
    await expect(runAll({ ...config, freeze }, { out, runId: "frozen02" })).rejects.toThrow(message);
    expect(existsSync(join(out, "models", "idfrozen02"))).toBe(false);
  });

  it("holds of any names exactly those that the pattern spells", () => {
    fc.assert(
      fc.property(
        fc.array(fc.stringMatching(/^[a-z.0-9]{1,12}$/)),
        fc.stringMatching(/^[a-z.0-9]{1,3}$/),
        (names, prefix) => {
          const expected = names.filter((name) => name.startsWith(prefix));
          const found = [...frozenNames([`${prefix}*`], names)].filter((name) => !name.startsWith("embeds."));
          expect(found).toEqual([...new Set(expected)].filter((name) => !name.startsWith("embeds.")));
        },
      ),
    );
  });
});

describe("--init-from", () => {
  it("is strict, says what to pass, and then keeps what the network and the file share", async () => {
    await runAll(config, { out, runId: "source01", maxSteps: 1 });
    const other: RunConfig = { ...config, net_tail_num_nets: 3 };
    const start = (options: object) => runAll(other, { out, initFrom: "source01", maxSteps: 1, ...options });
    await expect(start({ runId: "target01" })).rejects.toThrow(/missing tails\.0\.tail_nets\.2.*--accept-missing/s);
    await start({ runId: "target02", acceptMissing: true });
    const fewer: RunConfig = { ...config, net_tail_num_nets: 1, losses: ["mse"] };
    const options = { out, initFrom: "source01", maxSteps: 1, runId: "target03" };
    await expect(runAll(fewer, options)).rejects.toThrow(/unexpected tails\.0\.tail_nets\.1.*--accept-unexpected/s);
    await runAll(fewer, { ...options, acceptUnexpected: true });
  });
});

describe("pre-trained fields", () => {
  const spec = (own: RunConfig) => initParameters(modelSpec(own), 7);
  const single = (name: string) => {
    const both = smallConfig();
    const index = name === "u" ? 0 : 1;
    return { ...both, fields: [both.fields[index]], fields_prediction: [[name, 1]] } as RunConfig;
  };
  const coupled = (() => {
    const both = smallConfig();
    const [u, v] = structuredClone(both.fields);
    u[1] = [1, 20, ["v"], 0, ["pretrnu1", -2]];
    v[1] = [1, 20, ["u"], 0, ["pretrnv1", 3]];
    return { ...both, fields: [u, v], torch_seed: 1 } as RunConfig;
  })();

  it("bring encoder, token info, decoder and tail; a wider proj_out keeps its old columns", async () => {
    const sources: Record<string, Awaited<ReturnType<typeof weightsOf>>> = {};
    for (const [name, id, tag] of [
      ["u", "pretrnu1", "latest"],
      ["v", "pretrnv1", 3],
    ] as const) {
      const own = single(name);
      sources[name] = spec(own);
      for (const value of sources[name].values())
        value.data.forEach((_, i, all) => {
          all[i] = Math.fround(i + all.length / 7);
        });
      const names = { fields: parseFields(own), predicted: predictedFields(own) };
      await writeWeightFiles(join(out, "models", `id${id}`), id, tag, sources[name], names);
    }
    rmSync(weightPath(join(out, "models", "idpretrnv1"), "pretrnv1", 3)); // parts alone
    const start = spec(coupled);
    const found = await withPretrained(out, coupled, start);
    for (const [index, name] of ["u", "v"].entries()) {
      for (const [own, { data }] of sources[name]) {
        if (own.startsWith("embed_token_info.")) continue;
        const target = found.get(own.replace(/\.0\./, `.${index}.`))!;
        if (!own.includes("proj_out") || !own.startsWith("encoders")) expect([own, target.data]).toEqual([own, data]);
      }
      const old = sources[name].get("encoders.0.heads.0.proj_out.weight")!;
      const wide = found.get(`encoders.${index}.heads.0.proj_out.weight`)!;
      expect(wide.shape).toEqual([20, 30]);
      for (let r = 0; r < 20; r++) {
        expect(wide.data.slice(r * 30, r * 30 + 20)).toEqual(old.data.slice(r * 20, (r + 1) * 20));
        expect(wide.data.slice(r * 30 + 20, (r + 1) * 30).every((x) => x >= 0 && x < 0.01)).toBe(true);
      }
      const cross = found.get(`encoders.${index}.heads.0.proj_heads_other.1.weight`)!;
      expect(cross.data.every((x) => x >= 0 && x < 0.01)).toBe(true);
    }
  });

  it("name the file that is missing and every tensor that does not fit", async () => {
    const absent = structuredClone(coupled);
    absent.fields[0][1][4] = ["nosuchid", -2];
    await expect(withPretrained(out, absent, spec(absent))).rejects.toThrow(
      "the pre-trained run of u has no such weights",
    );
    const wider = structuredClone(coupled);
    wider.fields[1][1][1] = 24;
    await expect(withPretrained(out, wider, spec(wider))).rejects.toThrow(
      "v: other shape embeds.1.weight: [4, 4], expected [8, 4]",
    );
  });
});

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
