import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { baselines, resolveConfig, train } from "../../src/index.js";

const out = mkdtempSync(join(tmpdir(), "baselines-"));
afterAll(() => rmSync(out, { recursive: true, force: true }));

describe("baselines by themselves", () => {
  it("are those of a run, to the last bit", async () => {
    const { config } = resolveConfig({ preset: "storm", seed: 1 });
    for await (const event of train(config, { out, engine: "wasm" })) {
      if (event.type !== "started") continue;
      expect(event.baselines.length).toBe(1);
      expect(await baselines(config)).toEqual(event.baselines);
      break;
    }
    expect.assertions(2);
  });

  it("refuse a configuration with faults", async () => {
    const { config } = resolveConfig({ preset: "storm" });
    await expect(baselines({ ...config, losses: ["msee"] })).rejects.toThrow(/losses/);
  });
});
