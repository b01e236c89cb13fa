import { describe, expect, it } from "vitest";
import { countParameters, initParameters, type ModelConfig, modelSpec, parameterTable } from "../../src/model/index.js";
import { readGolden } from "../support/golden.js";

const specOf = async (name: string, changes: Partial<ModelConfig> = {}) =>
  modelSpec({ ...((await readGolden(name)).config as unknown as ModelConfig), ...changes });

describe("parameters", () => {
  it("start within their bounds, layer norms at 1 and 0, token infos at 0", async () => {
    const spec = await specOf("net_dense");
    const params = initParameters(spec, 5);
    expect([...params.keys()]).toEqual(parameterTable(spec).map(({ name }) => name));
    expect(countParameters(spec)).toBe([...params.values()].reduce((sum, { data }) => sum + data.length, 0));
    const { data } = params.get("encoders.0.heads.0.proj_heads.weight")!;
    const bound = 1 / Math.sqrt(32);
    expect(Math.max(...data.map(Math.abs))).toBeLessThanOrEqual(bound);
    expect(Math.max(...data)).toBeGreaterThan(0.98 * bound);
    expect(Math.min(...data)).toBeLessThan(-0.98 * bound);
    expect(new Set(params.get("tails.0.tail_nets.0.0.weight")!.data)).toEqual(new Set([1]));
    expect(new Set(params.get("tails.0.tail_nets.0.0.bias")!.data)).toEqual(new Set([0]));
    expect(new Set(params.get("embeds_token_info.0.weight")!.data)).toEqual(new Set([0]));
  });

  it("depend on the seed and their name, not on what else there is", async () => {
    const one = await specOf("net_dense");
    const config = (await readGolden("net_dense")).config as unknown as ModelConfig;
    const [name, ...rest] = config.fields[0];
    const two = modelSpec({ ...config, fields: [...config.fields, [`${name}_2`, ...rest]] });
    const a = initParameters(one, 5);
    const b = initParameters(two, 5);
    for (const [key, { data }] of a) expect(b.get(key)!.data).toEqual(data);
    const other = initParameters(one, 6).get("embeds.0.weight")!.data;
    expect(other).not.toEqual(a.get("embeds.0.weight")!.data);
  });

  it("refuse heads that do not divide the width, and unknown coupled fields", async () => {
    await expect(specOf("net_dense", { encoder_num_heads: 5 })).rejects.toThrow(/heads do not divide/);
    const { fields } = (await readGolden("net_dense")).config as unknown as ModelConfig;
    const coupled = structuredClone(fields);
    coupled[0][1][2] = ["nowhere"];
    await expect(specOf("net_dense", { fields: coupled })).rejects.toThrow(/coupled field/);
  });
});
