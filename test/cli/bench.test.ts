import { expect, it } from "vitest";
import { runCli } from "../support/inProcess.js";
import { tempDir } from "../support/tempDir.js";
import { writeTinyConfig } from "../support/tinyProgram.js";

it("bench step needs no store", async () => {
  const config = writeTinyConfig(tempDir(), { file_path: "not-here.zarr" });
  const { code, stdout } = await runCli(
    "bench",
    "step",
    "--config",
    config,
    "--repeats",
    "1",
    "--engine",
    "wasm",
    "--json",
  );
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({ engine: "wasm", samples: 2 });
});

it("bench prepare names the store that is missing", async () => {
  const config = writeTinyConfig(tempDir(), { file_path: "not-here.zarr" });
  const { code, stderr } = await runCli("bench", "prepare", "--config", config);
  expect(stderr).toMatch(/not-here\.zarr/);
  expect(code).toBe(2);
});
