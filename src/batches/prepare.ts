/** One batch, prepared stage by stage, as a notebook looks at it. */
import { parseFields } from "../config/fields.js";
import { withSeeds } from "../config/seeds.js";
import type { Field, RunConfig } from "../config/types.js";
import { type DrawRequest, drawEpoch } from "../data/sampling.js";
import type { Store } from "../data/store.js";
import type { CubeBatch } from "../data/types.js";
import { AtmorepError } from "../errors.js";
import { type BatchPlace, createMaskStreams, type MaskedBatch, maskBatch } from "../masking/index.js";

/** A batch with everything that it came from. */
export interface Prepared {
  /** seeds drawn where they were null */
  config: RunConfig;
  store: Store;
  fields: Field[];
  /** normalised tokens before masking */
  cube: CubeBatch;
  /** what the network sees, and the targets */
  masked: MaskedBatch;
  /** which batch it is */
  place: BatchPlace;
}

export interface PrepareOptions {
  /** an open store; default the configuration's `file_path`. Close it when done: `prepared.store.close()` */
  store?: Store;
  split?: DrawRequest["split"];
  epoch?: number;
  /** number of the batch in the epoch */
  batch?: number;
  /** folder that a relative `file_path` is taken from first */
  folder?: string;
}

/**
 * Draws, reads, normalises, cuts and masks one batch. The draw is the one of training (or validation). With
 * `mask_streams: batch` so are the masks; with `run` they are those of fresh generators, so that every batch of a split
 * shows the masks of its first.
 * @throws AtmorepError (config, input) as the stages do; (usage) for a batch beyond the epoch
 * @example const batch = await prepare(resolveConfig({ preset: "storm" }).config, { split: "validate" });
 */
export async function prepare(given: RunConfig, options: PrepareOptions = {}): Promise<Prepared> {
  const { split = "train", epoch = 0, batch = 0 } = options;
  const place = { split, epoch, batch };
  const config = withSeeds(given);
  const [{ openData }, { readCube }] = await Promise.all([import("../data/openData.js"), import("../data/cube.js")]);
  const store = options.store ?? (await openData(config, options.folder));
  try {
    const draws = drawEpoch({ config, store, split, epoch });
    if (!(batch in draws)) {
      throw new AtmorepError("usage", "the epoch has no such batch", {
        where: "batch",
        found: batch,
        expected: `0 to ${draws.length - 1}`,
      });
    }
    const fields = parseFields(config);
    const cube = await readCube(store, config, draws[batch]);
    const masked = maskBatch(cube, fields, config, createMaskStreams(config, fields).of(place));
    return { config, store, fields, cube, masked, place };
  } catch (error) {
    if (!options.store) await store.close();
    throw error;
  }
}
