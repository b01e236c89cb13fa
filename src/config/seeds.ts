/** Seeds and run ids that a configuration leaves open. */
import { createHash, randomInt } from "node:crypto";
import { AtmorepError } from "../errors.js";
import { RUN_ID } from "./pieces.js";
import type { RunConfig } from "./types.js";

/** A seed from the system's generator: 32 bits, so that every program can take it. */
export const drawSeed = () => randomInt(2 ** 32);

/** Run ids that this process has drawn from ATMOREP_RUN_ID_SEED. */
let drawnIds = 0;

/**
 * A random run id: 8 characters of a-z and 0-9. With ATMOREP_RUN_ID_SEED in the environment the same sequence of ids in
 * every process, so that outputs which name them can be compared.
 */
export function drawRunId(seed = process.env.ATMOREP_RUN_ID_SEED): string {
  const alphabet = "abcdefghijklmnopqrstuvwxyz0123456789";
  if (seed) {
    const digest = createHash("sha256").update(`${seed}/${drawnIds++}`).digest();
    return Array.from(digest.subarray(0, 8), (byte) => alphabet[byte % alphabet.length]).join("");
  }
  return Array.from({ length: 8 }, () => alphabet[randomInt(alphabet.length)]).join("");
}

/** The configuration with null seeds drawn, so that the written file repeats the run; `draw` is for tests. */
export function withSeeds(config: RunConfig, draw: () => number = drawSeed): RunConfig {
  return { ...config, torch_seed: config.torch_seed ?? draw(), rng_seed: config.rng_seed ?? draw() };
}

/** @throws AtmorepError `usage`, naming the option or argument `where`, unless `id` is 8 characters of a-z and 0-9 */
export function assertRunId(id: string, where = "--run-id"): void {
  if (RUN_ID.test(id)) return;
  throw new AtmorepError("usage", "malformed run id", {
    where,
    found: id,
    expected: "8 characters of a-z, 0-9",
    fix: where === "--run-id" ? "Leave it out to have one drawn" : "List the runs with: npx atmorep runs --out DIR",
  });
}
