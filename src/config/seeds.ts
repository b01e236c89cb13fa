/** Seeds that a configuration leaves open. */
import { randomInt } from "node:crypto";
import type { RunConfig } from "./types.js";

/** A seed from the system's generator: 32 bits, so that every program can take it. */
export const drawSeed = () => randomInt(2 ** 32);

/** The configuration with null seeds drawn, so that the written file repeats the run; `draw` is for tests. */
export function withSeeds(config: RunConfig, draw: () => number = drawSeed): RunConfig {
  return { ...config, torch_seed: config.torch_seed ?? draw(), rng_seed: config.rng_seed ?? draw() };
}
