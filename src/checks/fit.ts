/** Whether a configuration fits an open store, and what its batches cost to read. */
import type { Fault } from "../config/faults.js";
import type { RunConfig } from "../config/types.js";
import { validateConfig } from "../config/validate.js";
import { batchCost } from "../data/info/batchCost.js";
import type { ArrayStorage } from "../data/info/storage.js";
import { type Admissible, drawEpoch } from "../data/sampling.js";
import type { Store } from "../data/store.js";
import { checkDraws } from "./inspect.js";
import { knownNames } from "./knownNames.js";

export interface StoreFit {
  /** empty if the configuration fits */
  faults: Fault[];
  draws: Record<string, Admissible>;
  /** mean of some batches of the first epoch, with nothing in the cache; null if it does not fit */
  batch: {
    /** bytes of all chunks that a batch touches, decoded */
    decodedBytes: number;
    usedBytes: number;
    /** bytes read from disk for it; null where sizes are not known */
    storedBytes: number | null;
    decodedPerUsed: number;
  } | null;
}

const BATCHES = 16;

/** All faults of a configuration with this store in place of its own, and the cost of its batches. */
export function fitToStore(config: RunConfig, store: Store, storage: readonly ArrayStorage[]): StoreFit {
  const own = validateConfig(config, knownNames());
  const { faults, draws } = own.length > 0 ? { faults: own, draws: {} } : checkDraws(config, store);
  if (faults.length > 0) return { faults, draws, batch: null };
  const seeded = { ...config, rng_seed: config.rng_seed ?? 0 };
  const all = drawEpoch({ config: seeded, store, split: "train", epoch: 0 });
  const count = Math.min(BATCHES, all.length);
  const costs = Array.from({ length: count }, (_, k) =>
    batchCost(store, config, all[Math.floor((k * all.length) / count)]),
  );
  const mean = (of: (cost: (typeof costs)[number]) => number) => costs.reduce((sum, cost) => sum + of(cost), 0) / count;
  const decodedBytes = mean((cost) => cost.decodedBytes.data + cost.decodedBytes.data_sfc);
  const usedBytes = mean((cost) => cost.usedBytes);
  const known = storage.length > 0 && storage.every(({ ratio }) => ratio !== null);
  const stored = (name: string) => {
    const array = storage.find((entry) => entry.name === name);
    if (!array) return 0;
    const values = array.chunkShape.reduce((a, b) => a * b, 4);
    return ((array.ratio ?? 0) * array.chunkBytes) / values;
  };
  const [data, surface] = [stored("data"), stored("data_sfc")];
  return {
    faults,
    draws,
    batch: {
      decodedBytes,
      usedBytes,
      storedBytes: known ? mean(({ decodedBytes: d }) => d.data * data + d.data_sfc * surface) : null,
      decodedPerUsed: decodedBytes / usedBytes,
    },
  };
}
