import { execFileSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { nextCommands, PROPER_LOSSES } from "../../src/cli/train/suggestions.js";
import type { RunConfig } from "../../src/config/types.js";
import { runCli } from "../support/inProcess.js";
import { tempDir } from "../support/tempDir.js";
import { writeTinyConfig } from "../support/tinyProgram.js";
import { runAll, tinyConfig } from "../support/tinyRun.js";

/** A command's words as a shell hands them to the program. */
const words = (command: string) =>
  execFileSync("sh", ["-c", `printf '%s\\n' ${command}`], { encoding: "utf8" })
    .trimEnd()
    .split("\n")
    .slice(2);
const last = (...args: Parameters<typeof nextCommands>) => words(nextCommands(...args)[2]);
const config = { ...tinyConfig(), losses: ["mse_ensemble", "crps"] } as RunConfig;

describe("what to try after a run", () => {
  it("keeps file, data, overrides and seed, and changes the losses alone", () => {
    const set = ["fields[0][1][1]=32", 'losses=["mse_ensemble","crps"]', "note=it's"];
    const flags = { set, data: "my store.zarr", seed: "3", out: "some where" };
    expect(last("ab12cd34", "my config.json", flags, config)).toEqual([
      ...["train", "my config.json", "--data", "my store.zarr"],
      ...set.flatMap((entry) => ["--set", entry]),
      ...["--seed", "3", "--set", `losses=${JSON.stringify(PROPER_LOSSES)}`, "--out", "some where"],
    ]);
  });

  it("takes weights of other losses back", () => {
    const weighted = { ...config, loss_weights: [1, 2] };
    expect(last("ab12cd34", undefined, { set: [], out: "." }, weighted)).toContain("loss_weights=null");
  });

  it.each([
    [{ losses: [...PROPER_LOSSES] }, "BERT_strategy=forecast"],
    [{ losses: ["mse"], net_tail_num_nets: 1 }, "BERT_strategy=forecast"],
    [{ losses: [...PROPER_LOSSES], BERT_strategy: "forecast" }, "BERT_strategy=temporal_interpolation"],
  ])("where the losses can stay (%j) it changes what is hidden", (set, change) => {
    const changed = last("ab12cd34", undefined, { set: [], out: "." }, { ...config, ...set } as RunConfig);
    expect(changed).toEqual(["train", "--set", change]);
  });

  it("names evaluate, which calibrates, where there are members", () => {
    const first = (members: number) =>
      words(
        nextCommands("ab12cd34", undefined, { set: [], out: "my runs" }, { ...config, net_tail_num_nets: members })[0],
      );
    expect(first(4)).toEqual(["evaluate", "ab12cd34", "--out", "my runs"]);
    expect(first(1)).toEqual(["runs", "show", "ab12cd34", "--out", "my runs"]);
  });

  it("gives commands that run: of a file, and of a run that was continued", async () => {
    const out = tempDir();
    const file = writeTinyConfig(out, { losses: ["mse_ensemble", "crps"] });
    const check = async (command: string[]) => {
      const { code, stdout, stderr } = await runCli(...command, "--dry-run", "--json");
      expect(code, stderr).toBe(0);
      return JSON.parse(stdout);
    };
    const fromFile = await check(last("ab12cd34", file, { set: ["net_tail_num_nets=3"], out }, config));
    await runAll(tinyConfig(), { out, runId: "went0001", maxSteps: 1 });
    const fromRun = await check(last("went0001", undefined, { set: [], out, continue: "older001" }, config));
    expect(fromFile.parameters).toBeGreaterThan(fromRun.parameters);
  }, 60_000);
});
