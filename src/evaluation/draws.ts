/** Which cubes an evaluation looks at; by default those of validation. */
import type { RunConfig } from "../config/types.js";
import { leftOut } from "../data/gaps.js";
import { drawableTimes, drawTimesAndPlaces, SPLIT_STREAM } from "../data/sampling.js";
import type { Store } from "../data/store.js";
import type { Draw } from "../data/types.js";
import { centreRanges } from "../data/window.js";
import { AtmorepError } from "../errors.js";
import { defaultRng } from "../random/index.js";
import type { Tiling } from "../results/globalGrid.js";
import type { EvaluationOptions } from "./options.js";

export interface DrawPlan {
  draws: Draw[];
  /** of modes whose draws together fill the grid, which is then written as well: how windows tile its axes */
  tiling?: Tiling;
}

/** What the drawing of a mode is told. */
export interface DrawInput {
  config: RunConfig;
  store: Store;
  options: EvaluationOptions;
  /** whose times are drawn from */
  split: "validate" | "test";
  /** time steps of the store that a cube is followed by another one; of a roll-out of `cubes` cubes */
  rollout: { cubes: number; shift: number };
}

/** The keys that hold the times of a split. */
export const PERIODS_OF = { validate: "years_val or dates_val", test: "dates_test" } as const;

/** As validation draws, of the times of its split whose following cubes lie in that period too. */
export function validationDraws({ config, store, split, rollout }: DrawInput): Draw[] {
  const { times: all, acrossGaps } = drawableTimes(config, store, split);
  const times = rolledOut(all, rollout);
  const [lat, lon] = centreRanges(store, config);
  const batchSize = config.batch_size_validation;
  const numSamples = Math.min(config.num_samples_validate, times.length * config.samples_per_time);
  if (numSamples < batchSize) {
    throw new AtmorepError("config", "there are fewer samples than a batch", {
      where: times.length === 0 && all.length > 0 ? "--rollout" : "num_samples_validate",
      found: `${numSamples} samples at ${times.length} times${rollout.cubes > 1 ? ` that ${rollout.cubes} cubes follow` : ""}${acrossGaps > 0 ? ` (${leftOut(acrossGaps)})` : ""}, batches of ${batchSize}`,
      expected: "at least one batch",
      fix: `Make batch_size_validation smaller, or ${PERIODS_OF[split]} longer`,
    });
  }
  return drawTimesAndPlaces(defaultRng([config.rng_seed ?? 0, SPLIT_STREAM[split], 0]), {
    times,
    numSamples,
    batchSize,
    lat,
    lon,
  });
}

/** Of `times` those that the other cubes of a roll-out follow. */
export function rolledOut(times: number[], { cubes, shift }: DrawInput["rollout"]): number[] {
  const known = new Set(times);
  return times.filter((time) => Array.from({ length: cubes }, (_, c) => time + c * shift).every((t) => known.has(t)));
}
