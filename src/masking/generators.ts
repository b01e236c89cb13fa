/** The random streams of masking and their saved state. */
import type { Field, RunConfig } from "../config/types.js";
import { AtmorepError } from "../errors.js";
import { defaultRng, derive, type Generator, type GeneratorState } from "../random/index.js";

/** State of all streams of masking, JSON-serialisable; `[field][level]`. */
export interface MaskGeneratorsState {
  choice: GeneratorState[][];
  noise: GeneratorState[][];
}

/** What masking a batch draws from: by field and level one stream for the choice of tokens, one for the normal numbers of noised tokens. */
export interface LevelGenerators {
  choice: Generator[][];
  noise: Generator[][];
}

/** Streams that run on from batch to batch. */
export interface MaskGenerators extends LevelGenerators {
  getState(): MaskGeneratorsState;
  /** @throws AtmorepError `input` if the state is of other fields or levels */
  setState(state: MaskGeneratorsState): void;
}

/**
 * Fresh generators: `default_rng(seed + k)`, k = 1, 2, ... over the levels of all fields, static ones included;
 * with `BERT_fields_synced` every one is `default_rng(seed)`. Noise has streams of its own.
 * @param seed normally `rng_seed`
 * @throws AtmorepError `config` if there is no seed
 */
export function createMaskGenerators(
  config: Pick<RunConfig, "rng_seed" | "BERT_fields_synced">,
  fields: readonly Field[],
  seed: number | null = config.rng_seed,
): MaskGenerators {
  if (seed === null || seed === undefined) {
    throw new AtmorepError("config", "masking needs a seed", { where: "rng_seed", found: null, fix: "Set --seed." });
  }
  let k = 0;
  const nextSeed = () => (config.BERT_fields_synced ? seed : seed + ++k);
  const choice = fields.map((field) => field.levels.map(() => defaultRng(nextSeed())));
  const noise = fields.map((field, f) => field.levels.map((_, l) => derive(seed, "noise", f, l)));
  return {
    choice,
    noise,
    getState: () => ({ choice: saved(choice), noise: saved(noise) }),
    setState(state) {
      restore(choice, state.choice);
      restore(noise, state.noise);
    },
  };
}

function saved(generators: Generator[][]): GeneratorState[][] {
  return generators.map((levels) => levels.map((generator) => generator.getState()));
}

function restore(generators: Generator[][], states: GeneratorState[][]): void {
  const shape = (lists: unknown[][]) => lists.map((list) => list.length).join(", ");
  if (shape(generators) !== shape(states)) {
    throw new AtmorepError("input", "the saved state of masking is of other fields", {
      found: `levels ${shape(states)}`,
      expected: `levels ${shape(generators)}`,
    });
  }
  for (const [f, levels] of generators.entries()) {
    for (const [l, generator] of levels.entries()) generator.setState(states[f][l]);
  }
}
