/** `atmorep train [CONFIG.json]` */
import { existsSync } from "node:fs";
import type { Command } from "commander";
import { type ResolvedConfig, resolveConfig } from "../../config/resolve.js";
import { launchOf, openCommunicator, unusedTasks } from "../../distributed/index.js";
import { AtmorepError } from "../../errors.js";
import { configPath, parseRunReference, runFolder } from "../../runs/folder.js";
import type { TrainOptions } from "../../training/options.js";
import { endAll } from "../endAll.js";
import { withOffline } from "../offline.js";
import { collect, note, onClosedPipe, print, printJson, reportError, withExamples } from "../output.js";
import { stopOnSignals } from "../signals.js";
import { count, duration, engineName, logName, network, seed, type TrainFlags } from "../train/options.js";
import { plainPlan, printPlan } from "../train/plan.js";
import { TrainPrinter } from "../train/printer.js";
import { endOfRun, resumedRun } from "../train/resume.js";
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
    .option("--resume", "with --run-id: go on with that run if it is there; what has ended is left as it is")
    .option("--init-from <run|file>", "start from the weights of RUN[@EPOCH] or of a .mod or .safetensors file")
    .option("--accept-missing", "with --init-from: tensors that the file lacks keep their random start")
    .option("--accept-unexpected", "with --init-from: tensors that the network lacks are left out")
    .option("--max-steps <n>", "stop after n optimiser steps of the whole run")
    .option("--max-time <duration>", "stop after a time such as 90s, 30m, 2h")
    .option("--seed <n>", "seed of weights, dropout, sampling, masks and noise")
    .option("--engine <name>", "auto, native or wasm", "auto")
    .option("--dry-run", "check everything, print the plan, train nothing")
    .option("--ranks <n>", "with --dry-run: plan for n processes that train together, and predict the time of a step")
    .option("--network <gbit>", "with --ranks: Gbit/s between processes; default 25")
    .option("--overfit <n>", "train on the same n samples every step")
    .option(
      "--log <which>",
      "on standard output: short, a line a second, or reference, the original's log; default short on a terminal",
    )
    .option("--report <file>", "at the end write the run's page: one HTML file (later: runs report)")
    .option("--json", "print only events, as JSON lines")
    .action(async (config: string | undefined, flags: TrainFlags) => trainAction(config, flags));
  withExamples(withOffline(command), [
    "train",
    "train --preset storm --set BERT_strategy=forecast --max-time 90s",
    "train configs/era5-slice.json --data era5.zarr --seed 1",
    "train --continue ab12cd34 --set num_epochs=12",
  ]);
}

async function trainAction(givenFile: string | undefined, given: TrainFlags): Promise<void> {
  const resumed = resumedRun(given);
  const file = resumed ? undefined : givenFile;
  const flags = resumed?.flags ?? given;
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
    command: process.argv.slice(2),
  };
  const first = (launchOf()?.rank ?? 0) === 0;
  if (resumed) {
    const goal = { epochs: resolved.config.num_epochs, maxSteps: options.maxSteps, writes: first };
    const ended = await endOfRun(resumed.folder, goal);
    if (first) note(ended ?? `run ${resumed.folder.id} goes on`);
    if (ended !== null) return;
  }
  const log = logName(flags.log, Boolean(process.stdout.isTTY));
  for (const warning of resolved.warnings) note(`warning: ${warning}`);
  const { checkConfig } = await import("../../checks/validate.js");
  checkConfig(resolved.config);
  const ranks = count("--ranks", flags.ranks);
  if (flags.dryRun) {
    const planned = { ...options, processes: ranks, network: network(flags.network) };
    if (flags.json) return printJson(await plainPlan(resolved.config, planned));
    await printPlan(resolved.config, planned);
    return print("nothing was written");
  }
  if (ranks !== undefined || flags.network !== undefined) {
    throw new AtmorepError("usage", "--ranks and --network plan and start nothing", {
      where: "--ranks",
      fix: "Plan with --dry-run --ranks N; start N processes with srun or mpirun.",
    });
  }
  onClosedPipe("continue");
  const unused = unusedTasks();
  if (unused) note(`warning: ${unused}`);
  const communicator = await openCommunicator((text) => note(`warning: ${text}`));
  const stop = stopOnSignals("saving a checkpoint");
  const printer = new TrainPrinter({
    json: Boolean(flags.json),
    log,
    deadline: options.maxTime === undefined ? null : Date.now() + options.maxTime,
    commands: (runId) => nextCommands(runId, file, flags, resolved.config),
  });
  const speaks = communicator.rank === 0;
  let ended: string | null = null;
  if (speaks) printer.begin(resolved.config);
  const { train } = await import("../../training/train.js");
  try {
    const events = train(resolved.config, { ...options, signal: stop.signal, communicator });
    for await (const event of events) {
      if (!speaks) continue;
      printer.handle(event);
      if (event.type === "finished") ended = event.runId;
    }
  } catch (error) {
    printer.end();
    const { StoppedEarly } = await import("../../training/stop.js");
    if (error instanceof StoppedEarly) {
      reportError(error, Boolean(flags.json));
      process.exit(stop.exitCode() ?? 1);
    }
    if (communicator.size > 1) await endAll(communicator, error, Boolean(flags.json));
    throw error;
  } finally {
    printer.end();
    // srun ends the others with SIGTERM once one has ended: this one ends by itself, with its own code
    if (communicator.size === 1 || stop.exitCode() === null) stop.release();
  }
  await communicator.close();
  // whoever ends a run by a signal waits for its checkpoint alone
  if (flags.report !== undefined && ended !== null && stop.exitCode() === null)
    await writePage(ended, flags.report, flags.out);
  // What a stopped run waited for may take minutes to give up.
  if (stop.exitCode() !== null) process.exit(stop.exitCode());
}

async function writePage(id: string, file: string, out: string): Promise<void> {
  const { writeReport } = await import("../../notebook/report/report.js");
  const written = await writeReport(id, { out, file });
  note(`its page: ${written.file}`);
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
