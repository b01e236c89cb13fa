/** Names for tests, with the losses of the reference. */
import type { KnownNames } from "../../src/config/check.js";
import { resolveConfig } from "../../src/config/resolve.js";
import type { RunConfig } from "../../src/config/types.js";
import { STRATEGIES } from "../../src/masking/index.js";

export const NAMES: KnownNames = {
  losses: {
    mse: { members: 1, doc: "" },
    mse_ensemble: { members: 1, doc: "" },
    crps: { members: 2, doc: "" },
    stats: { members: 2, doc: "" },
    stats_area: { members: 2, doc: "" },
  },
  strategies: Object.keys(STRATEGIES),
  transformations: ["identity"],
};

/** The storm preset with overrides by path. */
export function storm(set: Record<string, unknown> = {}): RunConfig {
  return resolveConfig({ preset: "storm", set }).config;
}
