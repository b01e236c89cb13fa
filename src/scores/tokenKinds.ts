/** Kinds of hidden tokens that scores are told apart for. */
import { TOKEN_KIND } from "../masking/types.js";

/** `chosen`: drawn by the strategy, but neither masked nor noised nor coarsened, so the network sees it as it is */
export const SCORED_KINDS = ["masked", "noised", "coarsened", "chosen"] as const;
export type ScoredKind = (typeof SCORED_KINDS)[number];

/** The first that applies of masked, noised, coarsened: a masked token has nothing left of its values. */
export function scoredKind(bits: number): ScoredKind {
  if (bits & TOKEN_KIND.masked) return "masked";
  if (bits & TOKEN_KIND.noised) return "noised";
  if (bits & TOKEN_KIND.coarsened) return "coarsened";
  return "chosen";
}
