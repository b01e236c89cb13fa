/** Where the random streams of a batch's masks come from: the key `mask_streams`. */
import type { Field, RunConfig } from "../config/types.js";
import { AtmorepError } from "../errors.js";
import { derive } from "../random/index.js";
import { createMaskGenerators, type LevelGenerators, type MaskGeneratorsState } from "./generators.js";

/** Which batch: its split, epoch and number in the epoch. */
export interface BatchPlace {
  split: "train" | "validate" | "test";
  epoch: number;
  batch: number;
}

/** The streams of every batch of a pass or a run. */
export interface MaskStreams {
  /** true: a batch's masks depend on its place alone, so any worker or process can make any batch */
  independent: boolean;
  /** The generators of a batch. Those of `run` are the same object every time, moved on by each batch. */
  of(place: BatchPlace): LevelGenerators;
  /** what a checkpoint keeps; null where there is nothing to keep */
  getState(): MaskGeneratorsState | null;
  /** @throws AtmorepError `input` if the state is of other fields or levels, or of the other kind of streams */
  setState(state: MaskGeneratorsState | null): void;
}

/** `mask_streams` may be absent, as in configurations of before: `run`. */
type StreamConfig = Pick<RunConfig, "rng_seed" | "BERT_fields_synced"> & Partial<Pick<RunConfig, "mask_streams">>;

/**
 * The streams that a configuration asks for. `run` (also where the key is absent): generators that run on from batch
 * to batch (docs/files.md, "Random streams of masks"). `batch`: each batch has streams of its own.
 * @throws AtmorepError `config` if there is no seed
 */
export function createMaskStreams(config: StreamConfig, fields: readonly Field[]): MaskStreams {
  return config.mask_streams === "batch" ? streamsByBatch(config, fields) : runningStreams(config, fields);
}

function runningStreams(config: StreamConfig, fields: readonly Field[]): MaskStreams {
  const generators = createMaskGenerators(config, fields);
  return {
    independent: false,
    of: () => generators,
    getState: () => generators.getState(),
    setState(state) {
      if (state === null) throw otherKind("batch", "run");
      generators.setState(state);
    },
  };
}

function streamsByBatch(config: StreamConfig, fields: readonly Field[]): MaskStreams {
  return {
    independent: true,
    of: (place) => batchGenerators(config, fields, place),
    getState: () => null,
    setState(state) {
      if (state !== null) throw otherKind("run", "batch");
    },
  };
}

const otherKind = (found: string, expected: string): AtmorepError =>
  new AtmorepError("input", "the saved state of masking is of the other kind of streams", {
    where: "mask_streams",
    found,
    expected,
    fix: `A run goes on with the streams that it began with: --set mask_streams=${found}`,
  });

/**
 * Fresh generators for one batch, derived from the seed, the batch's place, the field, the level and the purpose. With
 * `BERT_fields_synced` neither field nor level enters the choice of tokens: every level of every field then chooses
 * alike, as far as the fields have the same tokens and rates.
 */
function batchGenerators(
  { rng_seed: seed, BERT_fields_synced: synced }: StreamConfig,
  fields: readonly Field[],
  { split, epoch, batch }: BatchPlace,
): LevelGenerators {
  if (seed === null || seed === undefined) {
    throw new AtmorepError("config", "masking needs a seed", { where: "rng_seed", found: null, fix: "Set --seed." });
  }
  // the same number of names in every stream: seeds that differ in zeros at the end alone would be one seed
  const stream = (purpose: string, f: number, l: number) =>
    derive(seed, "mask", purpose, split, epoch, batch, f + 1, l + 1);
  const choice = fields.map(({ levels }, f) =>
    levels.map((_, l) => (synced ? stream("choice", -1, -1) : stream("choice", f, l))),
  );
  const noise = fields.map(({ levels }, f) => levels.map((_, l) => stream("noise", f, l)));
  return { choice, noise };
}
