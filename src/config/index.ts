/**
 * Configurations: one schema, presets, files, overrides, checks.
 *
 * @example
 * const { config } = resolveConfig({ preset: "storm", set: ["dropout_rate=0"] });
 * assertValid(validateConfig(config, names));
 */
export { checkValue, type KnownNames } from "./check.js";
export { configDocs, type DescribedKey, describeConfig } from "./describe.js";
export { type ConfigDifference, diffConfigs } from "./diff.js";
export { assertValid, FAULT_CODES, type Fault, type FaultCode, formatFault } from "./faults.js";
export { parseFields, predictedFields } from "./fields.js";
export { configText, consoleLines, inFileOrder, parseConfig, readConfigFile } from "./files.js";
export { locateConfig } from "./locate.js";
export { nearestName } from "./nearest.js";
export { applyOverride, type Override, parseOverride, parseOverrides } from "./overrides.js";
export { RUN_ID } from "./pieces.js";
export { PACKAGE_ROOT, type Preset, presets, readPreset } from "./presets.js";
export { pythonFloat, pythonJson, pythonRepr } from "./python.js";
export { isUrl, type ResolvedConfig, type ResolveOptions, resolveConfig, resolveStorePath } from "./resolve.js";
export { type Group, KEYS, SCHEMA, type SchemaEntry, schemaEntry } from "./schema.js";
export { assertRunId, drawRunId, drawSeed, withSeeds } from "./seeds.js";
export { collectFaults, type DrawCounts, type StoreSummary, validateAgainstStore } from "./store.js";
export { parseIsoTime } from "./times.js";
export type * from "./types.js";
export { configWarnings, validateConfig } from "./validate.js";
