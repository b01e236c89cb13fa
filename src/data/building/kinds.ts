/** The kinds of work that build a folder from units. Adding one: a row. */
import type { Kind, KindName } from "./types.js";

// biome-ignore format: one a line
const KINDS: { readonly [name in KindName]: () => Promise<Kind<never, never, never>> } = {
  import: async () => (await import("../import/job.js")).IMPORT,
  normalize: async () => (await import("../normalization/job.js")).NORMALIZE,
  statistics: async () => (await import("../normalization/job.js")).STATISTICS,
  rechunk: async () => (await import("../rechunk/job.js")).RECHUNK,
};

/** What was written as JSON is what the kind itself wrote, so its types are not known here. */
export const kindOf = async (name: KindName): Promise<Kind<unknown, unknown, unknown>> =>
  (await KINDS[name]()) as Kind<unknown, unknown, unknown>;
