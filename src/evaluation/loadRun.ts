/** A finished run as evaluation takes it: its configuration with what is overwritten, and the name of its weights. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { knownNames } from "../checks/knownNames.js";
import { assertValid, type FaultCode } from "../config/faults.js";
import { locateConfig } from "../config/locate.js";
import { type ResolvedConfig, resolveConfig } from "../config/resolve.js";
import { runIdsOf } from "../config/runId.js";
import { drawSeed, withSeeds } from "../config/seeds.js";
import { validateAgainstStore } from "../config/store.js";
import { parseOverrides } from "../config/text/overrides.js";
import type { RunConfig, Strategy } from "../config/types.js";
import { validateConfig } from "../config/validate.js";
import type { Store } from "../data/store.js";
import { AtmorepError } from "../errors.js";
import { parseRunReference } from "../runs/folder.js";
import { isEvaluationOverride } from "./options.js";

/** A run, which of its weights, and where they lie. */
export interface RunWeights {
  id: string;
  /** `latest`, `best` or an epoch */
  which: string;
  /** folder that holds the run's `models/` */
  base: string;
}

/**
 * The run that `RUN[@latest|best|EPOCH]` names below `out`; a path to a run's folder may stand for RUN. Without a name
 * the run whose weights were written last.
 * @throws AtmorepError `usage` if there is none
 */
export function findRun(run: string | undefined, out: string): RunWeights {
  if (run === undefined) return { id: newestRun(out), which: "latest", base: out };
  const { id, which } = parseRunReference(run);
  const folder = run.replace(/@[^@]*$/, "");
  const inside = /[/\\]/.test(folder) && existsSync(folder);
  return { id, which, base: inside ? dirname(dirname(resolve(folder))) : out };
}

function newestRun(out: string): string {
  const models = join(out, "models");
  const ids = existsSync(models)
    ? runIdsOf(readdirSync(models)).flatMap((id) => {
        const weights = join(models, `id${id}`, `AtmoRep_id${id}.mod`);
        return existsSync(weights) ? [{ id, written: statSync(weights).mtimeMs }] : [];
      })
    : [];
  if (ids.length > 0) return ids.reduce((a, b) => (b.written > a.written ? b : a)).id;
  throw new AtmorepError("usage", "there is no run to evaluate", {
    where: models,
    fix: "Train one with: npx atmorep train; or name RUN and the folder that holds models/ with --out.",
  });
}

/**
 * The configuration of a run, with overrides; a period of validation given anew replaces the former one.
 * @param strategy what is hidden; null: as the run was trained, or as overridden
 * @param draw seeds that the run does not have
 */
export function runConfig(
  run: RunWeights,
  strategy: Strategy | null,
  set: readonly string[],
  data?: string,
  draw = drawSeed,
): ResolvedConfig {
  const overrides = set.filter((text) => !isEvaluationOverride(text));
  const keys = new Set(parseOverrides(overrides).map(({ key }) => key));
  const resolved = resolveConfig({ file: locateConfig(run.id, run.base), set: overrides, data });
  const config = withSeeds({ ...resolved.config, BERT_strategy: strategy ?? resolved.config.BERT_strategy }, draw);
  if (keys.has("years_val") && !keys.has("dates_val")) config.dates_val = null;
  return { ...resolved, config };
}

/** What only training reads: a run is evaluated also where it could not be trained. */
const OF_TRAINING = /^(years_train|dates_train|num_samples_per_epoch|batch_size$|lr_|num_epochs|losses|loss_weights)/;
/** Told as warnings: the scores are still what they are. */
const OVERLAPS: readonly FaultCode[] = ["validation-overlaps-training", "test-overlaps"];

/**
 * Checks a configuration for evaluation against its store.
 * @returns warnings
 * @throws AtmorepError `config` naming every fault
 */
export function checkForEvaluation(config: RunConfig, store: Store): string[] {
  const faults = validateConfig(config, knownNames()).filter(({ path }) => !OF_TRAINING.test(path));
  assertValid(faults.filter(({ code }) => !OVERLAPS.includes(code)));
  const { fields, fieldsSfc, levels, res, arrays, times, lats, lons } = store;
  const sizes = { numTimes: times.length, numLats: lats.length, numLons: lons.length };
  assertValid(validateAgainstStore(config, { fields, fieldsSfc, levels, res, arrays, ...sizes }));
  const overlaps = faults.filter(({ code }) => OVERLAPS.includes(code));
  return overlaps.map(({ path, code }) =>
    code === "test-overlaps"
      ? `${path}: the test overlaps what was trained or chosen on, so its scores flatter the model`
      : `${path}: the evaluation overlaps the training period, so its scores flatter the model`,
  );
}
