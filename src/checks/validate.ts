/** Everything that can be wrong with a configuration and its store, checked before a run writes anything. */
import { assertValid } from "../config/faults.js";
import { endTime } from "../config/times.js";
import type { RunConfig } from "../config/types.js";
import { configWarnings, validateConfig } from "../config/validate.js";
import type { Store } from "../data/store.js";
import { formatTime, parseTime } from "../data/time.js";
import { checkDraws } from "./inspect.js";
import { knownNames } from "./knownNames.js";

/** @throws AtmorepError (config) naming every fault that shows without data */
export function checkConfig(config: RunConfig): void {
  assertValid(validateConfig(config, knownNames()));
}

/**
 * Checks a valid configuration against its store.
 * @returns what is odd but well-defined, one sentence each
 * @throws AtmorepError (config) naming every fault
 */
export function checkAgainstStore(config: RunConfig, store: Store): string[] {
  assertValid(checkDraws(config, store).faults);
  const warnings = configWarnings(config);
  if (config.with_mixed_precision) {
    warnings.push("with_mixed_precision: computing in float32 all the same; the key is kept in the files");
  }
  const overlap = normalizationOverlap(config, store);
  return overlap ? [...warnings, overlap] : warnings;
}

/** Scores on times that shaped the normalisation are not quite independent: worth one sentence. */
function normalizationOverlap(config: RunConfig, store: Store): string | null {
  const { normalizationPeriod: period } = store;
  if (!period) return null;
  const [from, to] = period.map((text) => parseTime(text));
  if (from === null || to === null) return null;
  const overlaps = (dates: RunConfig["dates_val"]) =>
    (dates ?? []).some(([start, end]) => {
      const [a, b] = [parseTime(start), parseTime(endTime(end))];
      return a !== null && b !== null && a <= to && b >= from;
    });
  const names = [
    ...(overlaps(config.dates_val) ? ["validation"] : []),
    ...(overlaps(config.dates_test ?? null) ? ["the test"] : []),
  ];
  if (names.length === 0) return null;
  const verb = names.length > 1 ? "overlap" : "overlaps";
  return `${names.join(" and ")} ${verb} the period that the normalisation was computed from (${formatTime(from)} to ${formatTime(to)})`;
}
