import { mkdirSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { caseKind, formatResult, globToRegExp, KINDS, selectCases, verifyCase } from "../../src/verify/index.js";
import { corruptManifest, goldenCopy } from "../support/corrupt.js";
import { GOLDEN_DIR } from "../support/golden.js";
import { runCli } from "../support/inProcess.js";
import { tempDir } from "../support/tempDir.js";

const TENSORS = "resample/tensors.safetensors";
const WASM = { engine: "wasm" } as const;

describe("cases", () => {
  it("knows every kind of the golden folder, and each has a runner", async () => {
    const kinds = new Set((await selectCases(GOLDEN_DIR)).map(caseKind));
    expect([...kinds].sort()).toEqual(Object.keys(KINDS).sort());
    for (const kind of Object.values(KINDS)) expect(await kind.load()).toBeTypeOf("function");
  });

  it("are chosen by any of several patterns over whole names", async () => {
    expect(await selectCases(GOLDEN_DIR, ["lr*", "net_dense"])).toEqual(["lr_schedule", "net_dense"]);
    expect(globToRegExp("mask_?ert").test("mask_bert")).toBe(true);
    expect(globToRegExp("mask").test("mask_bert")).toBe(false);
    expect(globToRegExp("a.b").test("axb")).toBe(false);
  });

  it.each([
    ["a folder that is not there", () => join(tempDir(), "none"), []],
    ["a folder without cases", () => tempDir(), []],
    ["a pattern that matches nothing", () => GOLDEN_DIR, ["no_such_*"]],
  ])("%s is wrong input", async (_, dir, globs) => {
    await expect(selectCases(dir(), globs)).rejects.toMatchObject({ name: "AtmorepError", exitCode: 2 });
  });
});

describe("a failing case", () => {
  it("of an unknown kind fails and names the known ones", async () => {
    const dir = goldenCopy();
    mkdirSync(join(dir, "novel_case"));
    writeFileSync(join(dir, "novel_case", "manifest.json"), "{}");
    const result = await verifyCase(dir, "novel_case", WASM);
    expect(result).toMatchObject({ ok: false, kind: "novel" });
    expect(result.error).toContain("sampler, mask, net");
  });

  it("with nothing to compare fails", async () => {
    const dir = goldenCopy("lr_schedule");
    corruptManifest(dir, "lr_schedule", (manifest) => {
      manifest.values = {};
    });
    expect(await verifyCase(dir, "lr_schedule", WASM)).toMatchObject({ ok: false, error: "nothing was compared" });
  });

  it.each([
    [
      "without its folder",
      /manifest cannot be read/,
      (dir: string) => rmSync(join(dir, "resample"), { recursive: true }),
    ],
    ["without its tensors", /is not as the manifest says/, (dir: string) => rmSync(join(dir, TENSORS))],
    ["with cut tensors", /lies outside the file/, (dir: string) => truncateSync(join(dir, TENSORS), 3000)],
    [
      "with a broken manifest",
      /cannot be read/,
      (dir: string) => writeFileSync(join(dir, "resample/manifest.json"), "{"),
    ],
  ])("%s fails and says why", async (_, why, damage) => {
    const dir = goldenCopy("resample");
    damage(dir);
    const result = await verifyCase(dir, "resample", WASM);
    expect(result.ok).toBe(false);
    expect(result.error).toMatch(why);
    expect(formatResult(result)).toMatch(/^FAIL {2}resample: .*\w/);
  });
});

describe("the command", () => {
  it("prints a line a case and the counts last", async () => {
    const { code, stdout } = await runCli("verify", GOLDEN_DIR, "--case", "lr_*");
    expect(stdout).toMatch(/^ok {4}lr_schedule \(\d+ compared, [\d.]+ s\)\n1 passed, 0 failed\n$/);
    expect(code).toBe(0);
  });

  it("exits 1 if any case failed and names the tensor with the largest error", async () => {
    const dir = goldenCopy("lr_schedule");
    corruptManifest(dir, "lr_schedule", (manifest) => {
      (manifest.values as Record<string, { first20: number[] }>)["train.py"].first20[7] *= 1.001;
    });
    const { code, stdout } = await runCli("verify", dir);
    expect(stdout).toMatch(
      /FAIL {2}lr_schedule: train\.py\.first20: largest error .*worst at 7: .*\n0 passed, 1 failed\n$/,
    );
    expect(code).toBe(1);
  });

  it("prints one JSON document with --json", async () => {
    const { code, stdout } = await runCli("verify", GOLDEN_DIR, "--case", "lr_schedule", "--json");
    expect(JSON.parse(stdout)).toMatchObject({ passed: 1, failed: 0, cases: [{ name: "lr_schedule", ok: true }] });
    expect(code).toBe(0);
  });

  it("exits 2 for a bad folder, as JSON if asked", async () => {
    const dir = tempDir();
    expect(await runCli("verify", dir)).toMatchObject({ code: 2, stdout: "" });
    const { code, stderr } = await runCli("verify", dir, "--json");
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: "input", where: dir } });
    expect(code).toBe(2);
  });
});
