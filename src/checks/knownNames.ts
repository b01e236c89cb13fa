/** The names that configurations may use, collected from the rooms that own them. */
import type { KnownNames } from "../config/check.js";
import { TOKEN_INFOS_TRANSFORMATIONS } from "../data/tokenInfos.js";
import { lossNames } from "../losses/names.js";
import { STRATEGIES } from "../masking/registry.js";
import { metricNames } from "../scores/metrics.js";

/** Losses, strategies and token info transformations, for `validateConfig` and the reference page. */
export function knownNames(): KnownNames {
  return {
    losses: lossNames(),
    strategies: Object.keys(STRATEGIES),
    metrics: metricNames(),
    transformations: Object.keys(TOKEN_INFOS_TRANSFORMATIONS),
  };
}
