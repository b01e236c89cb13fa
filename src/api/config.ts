/** Configurations: resolve, check, explain. */

import { knownNames } from "../checks/knownNames.js";
import { describeConfig as describe, configDocs as docs } from "../config/describe.js";
import { diffConfigs as diff } from "../config/diff.js";
import type { Fault } from "../config/faults.js";
import { type Preset, presets as shipped } from "../config/presets.js";
import { type ResolvedConfig, type ResolveOptions, resolveConfig as resolve } from "../config/resolve.js";
import type { RunConfig } from "../config/types.js";
import { validateConfig as validate, configWarnings as warnings } from "../config/validate.js";

/**
 * Defaults, then preset or file, then single values: one complete configuration with where each value comes from.
 * @throws AtmorepError (config, usage) for files and overrides that cannot be read
 * @example const { config } = resolveConfig({ preset: "storm", set: { dropout_rate: 0.1 }, seed: 1 });
 */
export const resolveConfig = (options: ResolveOptions = {}): ResolvedConfig => resolve(options);

/**
 * The shipped configurations, the default first.
 * @example presets().map(({ name, doc }) => `${name}: ${doc}`);
 */
export const presets = (): Preset[] => shipped();

/**
 * Every fault of a configuration that shows without its data; empty if there is none.
 * @example validateConfig(config).map(({ path, what }) => `${path}: ${what}`);
 */
export const validateConfig = (config: RunConfig): Fault[] => validate(config, knownNames());

/**
 * What is odd about a valid configuration but well-defined, one sentence each; of one with faults, `validateConfig` tells.
 * @example for (const warning of configWarnings(config)) console.warn(warning);
 */
export const configWarnings = (config: RunConfig): string[] =>
  validateConfig(config).length > 0 ? [] : warnings(config);

/**
 * Faults with and without the data, warnings, and how many times and places can be drawn.
 * @throws AtmorepError (input) if the store cannot be read
 * @example const { faults, draws } = await checkConfig(resolveConfig({ preset: "storm" }));
 */
export async function checkConfig(resolved: ResolvedConfig) {
  const { inspectConfig } = await import("../checks/inspect.js");
  return inspectConfig(resolved);
}

/**
 * Each key with value, origin and meaning.
 * @example const { config, origins } = resolveConfig({ preset: "storm" }); describeConfig(config, origins);
 */
export const describeConfig: typeof describe = (config, origins) => describe(config, origins);

/**
 * The differences of two configurations, by path.
 * @example diffConfigs(resolveConfig({ preset: "storm" }).config, config);
 */
export const diffConfigs: typeof diff = (a, b) => diff(a, b);

/**
 * The reference page of all keys (Markdown), as `config docs` prints it, with the losses, strategies and metrics that
 * this program has registered.
 * @example writeFileSync("configuration.md", configDocs());
 */
export const configDocs = (): string => docs(knownNames());
