import { describe, expect, it } from "vitest";
import { runner as mask } from "../../src/verify/kinds/mask.js";
import { runner as resample } from "../../src/verify/kinds/resample.js";
import { expectGolden, goldenCases, readGolden } from "../support/golden.js";

describe("golden masks", () => {
  it.each(goldenCases("mask"))("%s", async (name) => {
    await expectGolden(mask, name);
  });

  it("notices another seed", async () => {
    const golden = await readGolden("mask_bert");
    golden.config.rng_seed = 44;
    await expect(mask(golden, { engine: "wasm" })).rejects.toThrow(/other normal numbers/);
  });

  it("notices a source that differs in one masked token", async () => {
    const golden = await readGolden("mask_forecast");
    const source = golden.tensors.get("call0.out.sources.0")!;
    source.bytes[source.bytes.length - 1] ^= 0x40;
    const failed = (await mask(golden, { engine: "wasm" })).filter(({ ok }) => !ok);
    expect(failed.map(({ tensor }) => tensor)).toEqual(["call0.out.sources.0 (untouched and masked tokens)"]);
  });
});

describe("golden resampling", () => {
  it.each(goldenCases("resample"))("%s", async (name) => {
    expect(await expectGolden(resample, name)).toHaveLength(10);
  });
});
