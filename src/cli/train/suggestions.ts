/** Commands to try after a run: they keep what the user asked for and change one thing each. */
import type { RunConfig } from "../../config/types.js";
import { configPath, runFolder } from "../../runs/folder.js";
import type { TrainFlags } from "./options.js";

/**
 * Losses that neither let members stray nor pull each of them to the target: docs/skill.md, "Which losses give honest
 * members".
 */
export const PROPER_LOSSES: readonly string[] = ["mse", "crps"];

/** A word of a command line as a POSIX shell takes it. */
export const quoted = (word: string) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);

type Given = Pick<TrainFlags, "preset" | "set" | "data" | "seed">;
type Chosen = Given & Pick<TrainFlags, "continue" | "out">;

/** The arguments that gave the run its configuration. A continued run's is that of its file, whatever it went on from. */
function configurationArguments(runId: string, file: string | undefined, flags: Chosen): string[] {
  if (flags.continue) {
    const folder = runFolder(flags.out, runId);
    return [configPath(folder.resultsDir, folder.id)];
  }
  return givenArguments(file, flags);
}

/** What a command line says of the configuration of a new run. */
export function givenArguments(file: string | undefined, { preset, data, set, seed }: Given): string[] {
  return [
    ...(file === undefined ? [] : [file]),
    ...(preset === undefined ? [] : ["--preset", preset]),
    ...(data === undefined ? [] : ["--data", data]),
    ...set.flatMap((entry) => ["--set", entry]),
    ...(seed === undefined ? [] : ["--seed", seed]),
  ];
}

/** What to change: the losses, unless they are those already or there is one member; then what is hidden. */
function change({ losses, loss_weights: weights, net_tail_num_nets: members, BERT_strategy }: RunConfig): string[] {
  if (members > 1 && [...losses].sort().join() !== [...PROPER_LOSSES].sort().join()) {
    return [`losses=${JSON.stringify(PROPER_LOSSES)}`, ...(weights === null ? [] : ["loss_weights=null"])];
  }
  return [`BERT_strategy=${BERT_strategy === "forecast" ? "temporal_interpolation" : "forecast"}`];
}

/**
 * No losses that were tried leave members as wide as their errors on all data (docs/skill.md): calibration after the run does, which
 * `evaluate` fits and tells beside the raw members.
 */
const CALIBRATED = "  # calibrates too";

/**
 * At most three commands: what to look at (of members their calibration, else the run), more of the same, and the same
 * configuration with one thing changed.
 */
export function nextCommands(runId: string, file: string | undefined, flags: Chosen, config: RunConfig): string[] {
  const out = flags.out === "." ? [] : ["--out", flags.out];
  const command = (...words: string[]) => ["npx", "atmorep", ...words, ...out].map(quoted).join(" ");
  const changed = change(config).flatMap((entry) => ["--set", entry]);
  return [
    config.net_tail_num_nets > 1 ? command("evaluate", runId) + CALIBRATED : command("runs", "show", runId),
    command("train", "--continue", runId, "--set", `num_epochs=${config.num_epochs * 2}`),
    command("train", ...configurationArguments(runId, file, flags), ...changed),
  ];
}
