/** The options of an evaluation from their overrides. */
import { checkValue } from "../config/check.js";
import { assertValid } from "../config/faults.js";
import { AtmorepError } from "../errors.js";
import { EVALUATION_MODES, evaluationMode } from "./modes.js";
import { EVALUATION_OPTIONS, type EvaluationOptions, OPTION_KEYS, type OptionKey } from "./options.js";

/**
 * @param overrides of options only, such as `position=[50,8]`
 * @throws AtmorepError `usage` for a malformed or unfitting override, `config` naming every bad value
 */
export function evaluationOptions(overrides: readonly string[], modeName: string): EvaluationOptions {
  const mode = evaluationMode(modeName);
  const values: Record<string, unknown> = Object.fromEntries(
    OPTION_KEYS.map((key) => [key, structuredClone(EVALUATION_OPTIONS[key].default)]),
  );
  for (const override of overrides) {
    const equals = override.indexOf("=");
    const key = override.slice(0, equals).trim() as OptionKey;
    if (!mode.options.includes(key)) {
      const owners = modesOf(key);
      throw new AtmorepError("usage", `the mode ${modeName} has no such option`, {
        where: "--set",
        found: override,
        expected: `an option of ${modeName}; ${key} belongs to ${owners.join(" and ")}`,
        fix: `--mode ${owners[0]}`,
      });
    }
    values[key] = parse(override.slice(equals + 1));
  }
  const none = { losses: {}, strategies: [], transformations: [] };
  const faults = OPTION_KEYS.flatMap((key) => checkValue(EVALUATION_OPTIONS[key].kind, values[key], key, none));
  const options = values as unknown as EvaluationOptions;
  if (faults.length === 0) faults.push(...(mode.check?.(options) ?? []));
  assertValid(faults);
  return options;
}

/** Names of the modes that read an option. */
export const modesOf = (key: OptionKey): string[] =>
  Object.keys(EVALUATION_MODES).filter((name) => EVALUATION_MODES[name].options.includes(key));

function parse(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}
