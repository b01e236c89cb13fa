/** `atmorep train [CONFIG.json]` */
import { existsSync } from "node:fs";
import type { Command } from "commander";
import { type ResolvedConfig, resolveConfig } from "../../config/resolve.js";
import { type Communicator, openCommunicator } from "../../distributed/index.js";
import { AtmorepError } from "../../errors.js";
import { configPath, parseRunReference, runFolder } from "../../runs/folder.js";
import type { TrainOptions } from "../../training/options.js";
import { withOffline } from "../offline.js";
import { collect, note, onClosedPipe, print, printJson, reportError, withExamples } from "../output.js";
import { count, duration, engineName, seed, type TrainFlags } from "../train/options.js";
import { TrainPrinter } from "../train/printer.js";
import { stopOnSignals } from "../train/signals.js";
import { nextCommands } from "../train/suggestions.js";

export function registerTrain(program: Command): void {
  const command = program
    .command("train")
    .description("train a model; without arguments the storm preset on the shipped sample")
    .argument("[config]", "configuration file (JSON)")
    .option("--preset <name>", "a shipped configuration, such as storm, waves or coupled-storm")
    .option(
      "--set <path=value>",
      "overwrite a key, such as fields[0][2]=[96,105] (repeatable); config docs lists the keys",
      collect,
      [],
    )
    .option("--data <store>", "input store: folder, zip or http address; overrides file_path")
    .option("--run-id <id>", "8 characters of a-z and 0-9; default random")
    .option("--out <dir>", "folder that holds results/ and models/", ".")
    .option("--continue <run>", "continue RUN[@latest|best] exactly, under a new run id")
    .option("--in-place", "with --continue: keep the run id")
    .option("--init-from <run|file>", "start from the weights of RUN[@EPOCH] or of a .mod or .safetensors file")
    .option("--accept-missing", "with --init-from: tensors that the file lacks keep their random start")
    .option("--accept-unexpected", "with --init-from: tensors that the network lacks are left out")
    .option("--max-steps <n>", "stop after n optimiser steps of the whole run")
    .option("--max-time <duration>", "stop after a time such as 90s, 30m, 2h")
    .option("--seed <n>", "seed of weights, dropout, sampling, masks and noise")
    .option("--engine <name>", "auto, native or wasm", "auto")
    .option("--dry-run", "check everything, print the plan, train nothing")
    .option("--overfit <n>", "train on the same n samples every step")
    .option("--json", "print only events, as JSON lines")
    .action(async (config: string | undefined, flags: TrainFlags) => trainAction(config, flags));
  withExamples(withOffline(command), [
    "train",
    "train --preset storm --set BERT_strategy=forecast --max-time 90s",
    "train configs/era5-slice.json --data era5.zarr --seed 1",
    "train --continue ab12cd34 --set num_epochs=12",
  ]);
}

async function trainAction(file: string | undefined, flags: TrainFlags): Promise<void> {
  const resolved = resolveRun(file, flags);
  const options: TrainOptions = {
    out: flags.out,
    runId: flags.runId,
    continue: flags.continue,
    inPlace: flags.inPlace,
    initFrom: flags.initFrom,
    acceptMissing: flags.acceptMissing,
    acceptUnexpected: flags.acceptUnexpected,
    maxSteps: count("--max-steps", flags.maxSteps),
    maxTime: duration("--max-time", flags.maxTime),
    engine: engineName(flags.engine),
    overfit: count("--overfit", flags.overfit),
    folder: resolved.folder,
  };
  for (const warning of resolved.warnings) note(`warning: ${warning}`);
  const { checkConfig } = await import("../../checks/validate.js");
  checkConfig(resolved.config);
  if (flags.dryRun) return dryRun(resolved, options, flags);
  onClosedPipe("continue");
  const communicator = openCommunicator();
  const stop = stopOnSignals();
  const printer = new TrainPrinter({
    json: Boolean(flags.json),
    deadline: options.maxTime === undefined ? null : Date.now() + options.maxTime,
    commands: (runId) => nextCommands(runId, file, flags, resolved.config),
  });
  const speaks = communicator.rank === 0;
  if (speaks) printer.begin(resolved.config);
  const { train } = await import("../../training/train.js");
  try {
    const events = train(resolved.config, { ...options, signal: stop.signal, communicator });
    for await (const event of events) if (speaks) printer.handle(event);
  } catch (error) {
    printer.end();
    if (communicator.size > 1) await endAll(communicator, error, Boolean(flags.json));
    throw error;
  } finally {
    printer.end();
    stop.release();
  }
  await communicator.close();
  process.exitCode = stop.exitCode() ?? 0;
}

/** The processes that wait for this one would wait for ever. What all have found is told by the first alone. */
async function endAll(communicator: Communicator, error: unknown, json: boolean): Promise<void> {
  if (communicator.rank > 0) {
    await new Promise((resolve) => setTimeout(resolve, 2000));
    process.stderr.write(`process ${communicator.rank} of ${communicator.size}:\n`);
  }
  communicator.abort(reportError(error, json));
}

const outFlag = (out: string) => (out === "." ? "" : ` --out ${out}`);

/** The configuration: of the run that is continued, else the file, the preset, or `storm`. */
function resolveRun(file: string | undefined, flags: TrainFlags): ResolvedConfig {
  const shared = { set: flags.set, data: flags.data, seed: seed(flags.seed) };
  if (flags.inPlace && !flags.continue) {
    throw new AtmorepError("usage", "--in-place needs --continue", { fix: "--continue RUN --in-place" });
  }
  if (flags.inPlace && flags.runId) {
    throw new AtmorepError("usage", "--in-place keeps the run id", {
      where: "--run-id",
      fix: "Leave one of them out.",
    });
  }
  if (!flags.continue) {
    return resolveConfig({ ...shared, file, preset: flags.preset ?? (file === undefined ? "storm" : undefined) });
  }
  if (file !== undefined || flags.preset !== undefined || flags.initFrom !== undefined) {
    throw new AtmorepError("usage", "a continued run has its configuration and weights already", {
      where: "--continue",
      found: file ?? flags.preset ?? flags.initFrom,
      fix: "Change single keys with --set.",
    });
  }
  return resolveConfig({ ...shared, file: configFileOf(flags.continue, flags.out) });
}

function configFileOf(run: string, out: string): string {
  const { id, modelsDir, resultsDir } = runFolder(out, parseRunReference(run).id);
  const copies = [modelsDir, resultsDir].map((dir) => configPath(dir, id));
  const file = copies.find((path) => existsSync(path));
  if (file !== undefined) return file;
  throw new AtmorepError("usage", existsSync(modelsDir) ? "the run has no configuration" : "there is no such run", {
    where: copies[0],
    fix: `List the runs with: npx atmorep runs${outFlag(out)}`,
  });
}

async function dryRun({ config }: ResolvedConfig, options: TrainOptions, { json }: TrainFlags): Promise<void> {
  const [{ planNetwork, planRun }, { gapLine }] = await Promise.all([
    import("../../checks/plan.js"),
    import("../../data/gaps.js"),
  ]);
  if (json) return printJson(await planRun(config, options));
  const mib = (bytes: number) => `${(bytes / 2 ** 20).toLocaleString("en-US", { maximumFractionDigits: 1 })} MiB`;
  // told before the store is opened: they are asked for where the data are not
  const { parameters, memory, stepFlops, days } = planNetwork(config);
  print(`parameters   ${parameters.toLocaleString("en-US")}`);
  print(
    `memory       about ${mib(memory.total)}: weights, gradients and moments ${mib(memory.parameters)}, one step ${mib(memory.activations)}`,
  );
  print(`time         ${(stepFlops / 1e9).toPrecision(3)} GFLOP a step: at least ${formatDays(days)} on WASM`);
  const plan = await planRun(config, options);
  for (const warning of plan.warnings) note(`warning: ${warning}`);
  print(`steps        ${plan.steps} (${plan.epochs} epochs of ${plan.stepsPerEpoch})`);
  print(`validation   ${plan.validationSamples} samples`);
  print(`times        ${gapLine(plan.times)}`);
  print("first batch");
  for (const [name, { tokens, target }] of Object.entries(plan.firstBatch)) {
    print(`  ${name}  tokens [B, L, N, D] = [${tokens.join(", ")}], hidden [M, D] = [${target.join(", ")}]`);
  }
  print("nothing was written");
}

function formatDays(days: number): string {
  if (days >= 1) return `${days.toLocaleString("en-US", { maximumFractionDigits: days < 10 ? 1 : 0 })} days`;
  return days * 24 >= 1 ? `${(days * 24).toFixed(1)} hours` : `${Math.ceil(days * 24 * 60)} minutes`;
}
