/** Parameters that stay as they start: `freeze`. */
import { AtmorepError } from "../errors.js";
import { canonicalName, namesOf } from "../model/names.js";

/** `*` stands for any characters; the rest is meant as it is. */
function matcher(pattern: string): (name: string) => boolean {
  const text = pattern.replace(/[.+?^${}()|[\]\\]/g, "\\$&").replaceAll("*", ".*");
  const whole = new RegExp(`^${text}$`);
  return (name) => whole.test(name);
}

/** The names that `freeze` holds fixed, of those given. */
export function frozenNames(patterns: readonly string[] | undefined, names: readonly string[]): Set<string> {
  const matchers = (patterns ?? []).map(matcher);
  return new Set(names.filter((name) => namesOf(name).some((own) => matchers.some((matches) => matches(own)))));
}

/**
 * @param names of all parameters, `trainable` of those that a prediction depends on
 * @throws AtmorepError `config` for a pattern that fits no parameter, or if nothing is left to train
 */
export function checkFreeze(patterns: readonly string[], names: readonly string[], trainable: readonly string[]): void {
  for (const [i, pattern] of patterns.entries()) {
    if (frozenNames([pattern], names).size > 0) continue;
    throw new AtmorepError("config", "the pattern fits no parameter", {
      where: `freeze[${i}]`,
      found: pattern,
      expected: `names such as ${canonicalName(names[0])}`,
      fix: '"atmorep weights info" lists the names of a weights file',
    });
  }
  if (frozenNames(patterns, trainable).size < trainable.length) return;
  throw new AtmorepError("config", "every parameter is frozen", {
    where: "freeze",
    found: patterns,
    fix: "Freeze fewer.",
  });
}
