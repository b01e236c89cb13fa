/**
 * libblosc2 is used in the program only because it survives this: damaged input in a process of its own, at the edge of
 * memory that may not be touched. ATMOREP_FUZZ: cases for each of its decoders, Blosc, zstd and lz4 (default 1000; .ci/full 10000).
 */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";
import { openBlosc } from "../../src/native/index.js";

const CASES = Number(process.env.ATMOREP_FUZZ ?? 1000);
const SCRIPT = fileURLToPath(new URL("blosc/survive.ts", import.meta.url));

it("survives damaged chunks, frames and blocks", { timeout: 600_000 }, () => {
  expect(openBlosc(), "fetch it with: atmorep engine install --only blosc").not.toBeNull();
  const run = `const { runnerImport } = await import("vite"); await runnerImport(${JSON.stringify(SCRIPT)})`;
  const args = ["--input-type=module", "-e", run, "--", String(CASES), "5"];
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  expect({ status, signal, stderr }).toEqual({ status: 0, signal: null, stderr: "" });
  const tallies = JSON.parse(stdout.trim().split("\n").at(-1)!) as Record<string, Record<string, number>>;
  console.log("libblosc2:", JSON.stringify(tallies));
  expect(Object.keys(tallies)).toEqual(["blosc", "zstd", "lz4"]);
  for (const [name, { refusedByHeader, ...reached }] of Object.entries(tallies)) {
    expect(
      Object.values(reached).reduce((a, b) => a + b, 0),
      name,
    ).toBe(CASES);
    expect(reached.refused, name).toBeGreaterThan(CASES / 10);
  }
});
