/** Starting from other weights: pre-trained fields, accepted differences. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { parseFields, predictedFields } from "../../src/config/fields.js";
import type { RunConfig } from "../../src/config/types.js";
import { initParameters } from "../../src/model/parameters.js";
import { modelSpec } from "../../src/model/spec.js";
import { withPretrained } from "../../src/runs/pretrained.js";
import { type readWeights, weightPath, writeWeightFiles } from "../../src/runs/weightFiles.js";
import { smallConfig } from "../step/support.js";
import { runAll, temporaryFolder, tinyConfig } from "../support/tinyRun.js";

const out = temporaryFolder();
afterAll(() => rmSync(out, { recursive: true, force: true }));

const config = tinyConfig({ num_epochs: 1, ema_decay: 0.9 });

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
    const sources: Record<string, Awaited<ReturnType<typeof readWeights>>> = {};
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
