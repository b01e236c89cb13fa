import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseFields, predictedFields } from "../../src/config/fields.js";
import type { RunConfig } from "../../src/config/types.js";
import { openTorch } from "../../src/formats/torch/reader.js";
import { initParameters, parameterTable } from "../../src/model/parameters.js";
import { modelSpec } from "../../src/model/spec.js";
import { stateDict, stateDictOrder } from "../../src/runs/stateDict.js";
import {
  compareWeights,
  matchWeights,
  readInitialWeights,
  readWeightParts,
  readWeights,
  weightPath,
  writeWeightFiles,
} from "../../src/runs/weightFiles.js";
import { GOLDEN_DIR } from "../support/golden.js";
import fc from "../support/property.js";
import { tempDir } from "../support/tempDir.js";

const manifest = (name: string) => JSON.parse(readFileSync(join(GOLDEN_DIR, name, "manifest.json"), "utf8"));
const CONFIG = manifest("run_bert").config as RunConfig;
const NAMES = { fields: parseFields(CONFIG), predicted: predictedFields(CONFIG) };
const PARAMS = initParameters(modelSpec(CONFIG), 7);

describe("order of the state dict", () => {
  const recorded = readdirSync(GOLDEN_DIR).filter(
    (name) => existsSync(join(GOLDEN_DIR, name, "manifest.json")) && manifest(name).values?.parameter_order,
  );

  test.each(recorded)("%s, from any order", (name) => {
    const order = manifest(name).values.parameter_order as string[];
    fc.assert(
      fc.property(fc.shuffledSubarray(order, { minLength: order.length }), (shuffled) => {
        expect(stateDictOrder(shuffled)).toEqual(order);
      }),
      { numRuns: 5 },
    );
  });

  test.each([
    ["coupled", { fields: couple(CONFIG) }],
    ["axial", { encoder_att_type: "axial", decoder_att_type: "axial_parallel", encoder_num_heads: 3 }],
    ["self-attention before cross attention", { decoder_self_att: true }],
    ["a decoder deeper than the encoder", { decoder_num_layers: 3, encoder_num_layers: 2 }],
    ["no cross heads", { decoder_cross_att_ratio: 0 }],
    ["only cross heads", { decoder_cross_att_ratio: 1 }],
    ["twelve layers, deep tails", { encoder_num_layers: 12, decoder_num_layers: 12, net_tail_num_layers: 6 }],
  ])("is the network's own: %s", (_, overrides) => {
    const table = parameterTable(modelSpec({ ...CONFIG, ...overrides } as RunConfig)).map(({ name }) => name);
    expect(stateDictOrder(table.toReversed())).toEqual(table);
  });

  test("of run_bert, aliases included", () => {
    expect(stateDict(PARAMS).map(({ name }) => name)).toEqual(manifest("run_bert").values.state_dict_keys);
  });
});

function couple(config: RunConfig): RunConfig["fields"] {
  const fields = structuredClone(config.fields);
  fields[0][1][2] = ["temperature"];
  fields[1][1][2] = ["velocity_u"];
  return fields;
}

describe("files", () => {
  test("whole and parts have the reference's names and are read back bit for bit", async () => {
    const dir = tempDir();
    await writeWeightFiles(dir, "abcd0123", "latest", PARAMS, NAMES);
    await writeWeightFiles(dir, "abcd0123", "best", PARAMS, NAMES);
    const whole = await writeWeightFiles(dir, "abcd0123", 3, PARAMS, NAMES);
    expect(whole).toBe(join(dir, "AtmoRep_idabcd0123_epoch3.mod"));
    const stems = ["", "_decoder_temperature", "_decoder_velocity_u", "_embeds_token_info", "_encoder_temperature"];
    stems.push("_encoder_velocity_u", "_tail_temperature", "_tail_velocity_u");
    const expected = stems.flatMap((stem) =>
      ["", "_best", "_epoch3"].map((tag) => `AtmoRep${stem}_idabcd0123${tag}.mod`),
    );
    expect(readdirSync(dir).sort()).toEqual([...expected, "digests.json"].sort());
    expect(await readWeights(whole)).toEqual(PARAMS);
    const parts = await readWeightParts(dir, "abcd0123", "best", NAMES);
    expect(matchWeights(PARAMS, parts, "parts").size).toBe(PARAMS.size);
    for (const [name, value] of parts) expect(value).toEqual(PARAMS.get(name));
  });

  test("epoch -2 is the un-numbered file", () => {
    expect(weightPath("m", "abcd0123", -2)).toBe(weightPath("m", "abcd0123", "latest"));
  });

  test("the reference's parts have the names that ours have", async () => {
    const dir = tempDir();
    await writeWeightFiles(dir, "abcd0865", "latest", PARAMS, NAMES);
    const theirs = join(GOLDEN_DIR, "run_bert", "models", "idabcd0865");
    for (const name of readdirSync(theirs).filter((file) => !file.includes("_epoch"))) {
      const [a, b] = [await openTorch(join(dir, name)), await openTorch(join(theirs, name))];
      expect(a.tensors).toEqual(b.tensors);
      await a.close();
      await b.close();
    }
  });

  test("equal weights give equal bytes", async () => {
    const [a, b] = [tempDir(), tempDir()];
    await writeWeightFiles(a, "abcd0123", "latest", PARAMS, NAMES);
    await writeWeightFiles(b, "abcd0123", "latest", new Map([...PARAMS].reverse()), NAMES);
    for (const name of readdirSync(a)) {
      expect(readFileSync(join(a, name)).equals(readFileSync(join(b, name)))).toBe(true);
    }
  });
});

describe("matching", () => {
  test("lists everything that does not fit, by name and shape", () => {
    const found = new Map(PARAMS);
    found.delete("embeds.0.bias");
    found.set("embeds.1.bias", { shape: [3], data: new Float32Array(3) });
    found.set("extra.weight", { shape: [2, 2], data: new Float32Array(4) });
    expect(compareWeights(PARAMS, found)).toEqual({
      missing: ["embeds.0.bias [16]"],
      unexpected: ["extra.weight [2, 2]"],
      otherShape: ["embeds.1.bias: [3], expected [8]"],
    });
    expect(() => matchWeights(PARAMS, found, "x.mod")).toThrow(
      /missing embeds\.0\.bias \[16\][\s\S]*unexpected extra\.weight \[2, 2\][\s\S]*other shape embeds\.1\.bias: \[3\], expected \[8\]/,
    );
  });

  test("the untrained embed_token_info may be missing", () => {
    const found = new Map([...PARAMS].filter(([name]) => !name.startsWith("embed_token_info.")));
    expect([...matchWeights(PARAMS, found, "x.mod").keys()]).toEqual([...PARAMS.keys()]);
  });
});

describe("starting weights", () => {
  const spec = modelSpec(CONFIG);

  test("from a file and from a run of the reference", async () => {
    const out = tempDir();
    const models = join(out, "models", "idabcd0123");
    mkdirSync(models, { recursive: true });
    const path = await writeWeightFiles(models, "abcd0123", "latest", PARAMS, NAMES);
    expect(await readInitialWeights(out, path, CONFIG, spec)).toEqual(PARAMS);
    expect(await readInitialWeights(out, "abcd0123", CONFIG, spec)).toEqual(PARAMS);
    const golden = join(GOLDEN_DIR, "run_bert");
    const whole = await readInitialWeights(golden, "abcd0865", CONFIG, spec);
    expect(await readInitialWeights(golden, "abcd0865@-2", CONFIG, spec)).toEqual(whole);
    expect((await readInitialWeights(golden, "abcd0865@0", CONFIG, spec)).size).toBe(whole.size);
  });

  test("faults are input faults", async () => {
    const out = tempDir();
    await expect(readInitialWeights(out, "abcd0123@7", CONFIG, spec)).rejects.toThrow("the run has no such weights");
    await expect(readInitialWeights(out, "no/such.mod", CONFIG, spec)).rejects.toThrow("not a run");
    const other = modelSpec({ ...CONFIG, net_tail_num_nets: 2 });
    await expect(readInitialWeights(join(GOLDEN_DIR, "run_bert"), "abcd0865", CONFIG, other)).rejects.toThrow(
      "unexpected tails.0.tail_nets.2.0.weight [32]",
    );
  });
});
