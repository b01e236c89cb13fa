/** Frozen parameters. */
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { initParameters } from "../../src/model/parameters.js";
import { modelSpec } from "../../src/model/spec.js";
import { readWeights, weightPath } from "../../src/runs/weightFiles.js";
import { frozenNames } from "../../src/step/freeze.js";
import fc from "../support/property.js";
import { runAll, temporaryFolder, tinyConfig } from "../support/tinyRun.js";

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
