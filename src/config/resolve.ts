/** From files, presets and overrides to one complete configuration, with the origin of every value. */
import { existsSync, readdirSync } from "node:fs";
import { basename, dirname, isAbsolute, resolve, sep } from "node:path";
import { AtmorepError } from "../errors.js";
import type { OwnName } from "./kinds.js";
import { PACKAGE_ROOT, type PresetName, readPreset } from "./presets.js";
import { SCHEMA } from "./schema.js";
import { inFileOrder, readConfigFile, SCHEMA_KEY } from "./text/files.js";
import { applyOverride, parseOverrides } from "./text/overrides.js";
import { endTime, firstHour, withFullTimes } from "./times.js";
import type { RunConfig, SetValues } from "./types.js";

export interface ResolveOptions {
  /** path of a configuration file */
  file?: string;
  /** name of a shipped configuration */
  preset?: PresetName | OwnName;
  /** values that files overwrite, such as a former run's configuration; a bare date that ends a period is its first hour */
  base?: Readonly<Record<string, unknown>>;
  /** what `origins` calls the values of `base`; default `base` */
  baseOrigin?: string;
  /** folder of a relative `file_path` of `base`; default the current folder */
  baseFolder?: string;
  /** `["key=value"]`, or an object of values by path */
  set?: readonly string[] | SetValues;
  /** store that replaces `file_path` */
  data?: string;
  /** sets `torch_seed` and `rng_seed` */
  seed?: number;
  runId?: string;
}

export interface ResolvedConfig {
  /** complete, in the order of files; not validated yet */
  config: RunConfig;
  /** by key: `default`, `default (from fields)`, `preset:NAME`, `file`, `base`, `--set`, `--data`, `--seed`, `--run-id` */
  origins: Record<string, string>;
  warnings: string[];
  /** folder that a relative `file_path` is taken from first */
  folder: string;
}

/**
 * Resolves a configuration: defaults, then `base`, preset or file, then `set`, then `data`, `seed`, `runId`.
 * The values are not checked: see `validateConfig`. Bare dates in `dates_*` become full times: an end is its last hour,
 * but in a run's own configuration its first, as when the run was made.
 *
 * @throws AtmorepError `config` or `usage` for files and overrides that cannot be read
 */
export function resolveConfig(options: ResolveOptions = {}): ResolvedConfig {
  const { file, preset, base, set, data, seed, runId } = options;
  if (file !== undefined && preset !== undefined) {
    throw new AtmorepError("usage", "both a configuration file and a preset", {
      where: "--preset",
      found: preset,
      expected: "one of the two",
      fix: `Leave out --preset, or ${file}`,
    });
  }
  const warnings: string[] = [];
  const origins: Record<string, string> = {};
  let folder = process.cwd();
  let values: Record<string, unknown> = {};

  const take = (layer: Readonly<Record<string, unknown>>, origin: string, from: string) => {
    for (const [key, value] of Object.entries(layer)) {
      if (value === undefined) continue;
      origins[key] = origin;
      if (key === "file_path") folder = from;
    }
    values = { ...values, ...withoutUndefined(layer) };
  };

  if (base) take(withFullTimes(base, firstHour), options.baseOrigin ?? "base", options.baseFolder ?? process.cwd());
  if (preset !== undefined) take(readPreset(preset).values, `preset:${preset}`, PACKAGE_ROOT);
  if (file !== undefined) {
    const read = readConfigFile(file);
    warnings.push(...read.warnings);
    take(read.values, "file", dirname(resolve(file)));
  }
  for (const { key, default: fallback } of SCHEMA) {
    if (Object.hasOwn(values, key)) continue;
    values[key] = structuredClone(fallback);
    origins[key] = "default";
  }
  // a file that names its fields alone means to predict them
  const derivesPrediction = origins.fields_prediction === "default" && origins.fields !== "default";
  for (const override of parseOverrides(set)) {
    values = applyOverride(values, override);
    origins[override.key] = "--set";
    if (override.key === "file_path") folder = process.cwd();
  }
  const fieldsSetAlone = origins.fields === "--set" && origins.fields_prediction === "default";
  if (origins.fields_prediction !== "--set" && (derivesPrediction || fieldsSetAlone)) {
    values.fields_prediction = predictedByDefault(values.fields) ?? values.fields_prediction;
    origins.fields_prediction = "default (from fields)";
  }
  if (data !== undefined) take({ file_path: data }, "--data", process.cwd());
  if (seed !== undefined) take({ torch_seed: seed, rng_seed: seed }, "--seed", folder);
  if (runId !== undefined) take({ wandb_id: runId }, "--run-id", folder);

  // a base may be a file that a program has read by itself
  delete values[SCHEMA_KEY];
  delete origins[SCHEMA_KEY];

  return { config: inFileOrder(withFullTimes(values, endTime)) as RunConfig, origins, warnings, folder };
}

/** Every field that a strategy can hide (dynamic, with a rate), with weight 1; null if `fields` is malformed. */
function predictedByDefault(fields: unknown): [string, number][] | null {
  if (!Array.isArray(fields)) return null;
  const hidden = fields.filter((entry) => {
    return Array.isArray(entry) && typeof entry[0] === "string" && entry[1]?.[0] === 1 && entry[5]?.[0] > 0;
  });
  return hidden.length ? hidden.map((entry) => [entry[0], 1]) : null;
}

function withoutUndefined(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

/** True for a store that is read over http, or an Icechunk repository on S3. */
export const isUrl = (path: string) => /^https?:\/\//i.test(path) || isBucket(path);

/** True for an Icechunk repository on S3. */
export const isBucket = (path: string) => /^s3:\/\//i.test(path);

/** True for a pattern of files: `era5/*.nc`. */
export const isPattern = (path: string) => !isUrl(path) && /[*?]/.test(path);

/**
 * The place of a store: addresses and absolute paths as they are; a relative path from `folder` (the
 * configuration's), else from the current folder, else from the package (its samples). Of a pattern of files
 * something must be there that it fits; a group in a store (`store.zarr#group`) counts as the store does.
 *
 * @param key that names the place, for errors
 * @throws AtmorepError `input` if there is nothing at any of these
 */
export function resolveStorePath(filePath: string, folder: string = process.cwd(), key = "file_path"): string {
  if (isUrl(filePath)) return filePath;
  const bases = [...new Set([folder, process.cwd(), PACKAGE_ROOT].map((base) => resolve(base)))];
  const tried = isAbsolute(filePath) ? [filePath] : bases.map((base) => resolve(base, filePath));
  const found = filePath === "" ? undefined : tried.find(isThere);
  if (found) return found;
  throw new AtmorepError("input", filePath === "" ? "no store is named" : "there is no store at this path", {
    where: key,
    found: filePath,
    expected: filePath === "" ? "a Zarr store" : `a folder, a zip or files (looked at ${tried.join(", ")})`,
    fix: "Name one with --data STORE; npx atmorep data sample DIR makes one",
  });
}

/** What a name with `*` and `?` stands for; one that starts with a sign is no hidden file. */
export function namePattern(name: string): RegExp {
  const text = name
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replace(/\*+/g, ".*")
    .replace(/\?/g, ".");
  return new RegExp(`^${/^[*?]/.test(name) ? "(?!\\.)" : ""}${text}$`);
}

/** Whether a folder holds what a pattern starts with; of one with `**`, what it ends with. */
function fitsSomething(pattern: string): boolean {
  const at = pattern.lastIndexOf(sep, pattern.search(/[*?]/)) + 1;
  const parts = pattern.slice(at).split(sep).filter(Boolean);
  const deep = parts.includes("**");
  const fits = namePattern(deep ? parts[parts.length - 1] : parts[0]);
  try {
    return readdirSync(pattern.slice(0, at), { recursive: deep }).some((name) => fits.test(basename(String(name))));
  } catch {
    return false;
  }
}

function isThere(path: string): boolean {
  if (existsSync(path)) return true;
  if (isPattern(path)) return fitsSomething(path);
  const group = path.lastIndexOf("#");
  return group > 0 && existsSync(path.slice(0, group));
}

/**
 * What a run's own configuration must say to find the store that `filePath` named: as written, unless only the
 * configuration's folder led there; then its absolute path, since the run lies elsewhere.
 *
 * @param found what `resolveStorePath` gave
 */
export function storePathOfRun(filePath: string, found: string): string {
  if (isUrl(filePath) || [process.cwd(), PACKAGE_ROOT].some((base) => resolve(base, filePath) === found))
    return filePath;
  return resolve(found);
}
