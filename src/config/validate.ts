/** All faults of a configuration that can be found without its data, and what is only odd about it. */
import { checkValue, type KnownNames } from "./check.js";
import type { Fault } from "./faults.js";
import { parseFields } from "./fields.js";
import { FIELD_RULES } from "./rules/fields.js";
import { LOSS_RULES } from "./rules/losses.js";
import { NETWORK_RULES } from "./rules/network.js";
import { isHidden, type Rule } from "./rules/rule.js";
import { SIZE_RULES } from "./rules/size.js";
import { STRATEGY_RULES } from "./rules/strategy.js";
import { TIME_RULES } from "./rules/times.js";
import { SCHEMA } from "./schema.js";
import type { RunConfig } from "./types.js";

const RULES: readonly Rule[] = [
  ...FIELD_RULES,
  ...NETWORK_RULES,
  ...SIZE_RULES,
  ...LOSS_RULES,
  ...STRATEGY_RULES,
  ...TIME_RULES,
];

/**
 * Every fault of a resolved configuration, none of it needing data; empty if it is sound.
 * First each key by itself, then what the keys say together (rules that read a malformed key are left out).
 */
export function validateConfig(config: Readonly<Record<string, unknown>>, names: KnownNames): Fault[] {
  const faults: Fault[] = [];
  const malformed = new Set<string>();
  for (const { key, kind } of SCHEMA) {
    const found = checkValue(kind, config[key], key, names);
    if (found.length > 0) malformed.add(key);
    faults.push(...found);
  }
  if (config.file_path === "") {
    faults.push({
      code: "store-missing",
      path: "file_path",
      what: "no store is named",
      expected: "a Zarr store",
      fix: "Name one with --data STORE; npx atmorep data sample DIR makes one",
    });
  }
  const sound = config as RunConfig;
  for (const { reads, check } of RULES) {
    if (reads.every((key) => !malformed.has(key))) faults.push(...check(sound, names));
  }
  return faults;
}

/** What is odd but well-defined about a valid configuration, one sentence each. */
export function configWarnings(config: RunConfig): string[] {
  const warnings: string[] = [];
  const predicted = new Set(config.fields_prediction.map(([name]) => name));
  for (const field of parseFields(config)) {
    if (predicted.has(field.name) && !isHidden(field)) {
      warnings.push(
        `${field.name} is predicted but never hidden (static, or total rate 0): it adds nothing to the loss`,
      );
    }
  }
  if (config.lr_min > config.lr_max) warnings.push("lr_min is above lr_max: the rate rises after the warm-up");
  if (config.lr_start > config.lr_max) warnings.push("lr_start is above lr_max: the rate falls in the warm-up");
  const overlap = config.dates_train === null && config.dates_val === null ? yearsOverlap(config) : null;
  if (overlap) warnings.push(overlap);
  return warnings;
}

/** Years bound only the last time of a cube, so neighbouring years share times too. */
function yearsOverlap({ years_train, years_val }: RunConfig): string | null {
  const shared = years_val.filter((year) => years_train.includes(year));
  if (shared.length > 0) return `years_val and years_train share ${shared.join(", ")}: validation sees training data`;
  const neighbours = years_val.some((year) => years_train.includes(year - 1) || years_train.includes(year + 1));
  return neighbours
    ? "cubes at the turn of the year reach from years_val into years_train or back: dates_train and dates_val bound whole cubes"
    : null;
}
