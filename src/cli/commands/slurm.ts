/** `atmorep slurm [CONFIG.json]`: a job script for a configuration, and the folders that Slurm needs. */
import { existsSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { resolve } from "node:path";
import type { Command } from "commander";
import { resolveConfig } from "../../config/resolve.js";
import { assertRunId, drawRunId } from "../../config/runId.js";
import { AtmorepError } from "../../errors.js";
import { writeFileAtomic } from "../../formats/atomic.js";
import { withOffline } from "../offline.js";
import { collect, note, print, withExamples } from "../output.js";
import { type Job, jobScript, submission } from "../train/jobScript.js";
import { count, seed } from "../train/options.js";
import { printPlan } from "../train/plan.js";
import { givenArguments, quoted } from "../train/suggestions.js";

interface SlurmFlags {
  preset?: string;
  set: string[];
  data?: string;
  seed?: string;
  runId?: string;
  nodes: string;
  ntasks: string;
  cpusPerTask: string;
  mem?: string;
  time?: string;
  chain: string;
  srunMpi: string;
  script?: string;
}

export function registerSlurm(program: Command): void {
  const command = program
    .command("slurm")
    .description("say what a run needs, make output/ and logs/ here, and write a job script for Slurm")
    .argument("[config]", "configuration file (JSON)")
    .option("--preset <name>", "a shipped configuration")
    .option("--set <path=value>", "overwrite a key (repeatable)", collect, [])
    .option("--data <store>", "input store; overrides file_path")
    .option("--seed <n>", "seed of weights, dropout, sampling, masks and noise")
    .option("--run-id <id>", "8 characters of a-z and 0-9; default random, written into the script")
    .option("--nodes <n>", "machines", "1")
    .option("--ntasks <n>", "processes that train together", "1")
    .option("--cpus-per-task <n>", "cores of each process", "1")
    .option("--mem <size>", "memory of each machine, such as 64G; default the partition's")
    .option("--time <limit>", "as Slurm writes it, such as 12:00:00 or 2-00; default the partition's")
    .option("--chain <n>", "so many jobs, one after the other, that go on with one run", "1")
    .option("--srun-mpi <name>", "pmix for Open MPI, pmi2 for MPICH", "pmix")
    .option("--script <file>", "default train_ID.sbatch")
    .action(slurmAction);
  withExamples(withOffline(command), [
    "slurm configs/era5-slice.json --data /data/era5.zarr --cpus-per-task 8 --time 12:00:00",
    "slurm --preset coupled --data /data/era5.zarr --nodes 4 --ntasks 16 --cpus-per-task 16 --time 1-00 --chain 5",
  ]);
}

async function slurmAction(file: string | undefined, flags: SlurmFlags): Promise<void> {
  const job = jobOf(flags);
  const { preset, set, data } = flags;
  const chosen = { set, data, seed: seed(flags.seed) };
  const resolved = resolveConfig({ ...chosen, file, preset: preset ?? (file === undefined ? "storm" : undefined) });
  for (const warning of resolved.warnings) note(`warning: ${warning}`);
  await printPlan(resolved.config, { folder: resolved.folder, processes: job.tasks });
  const path = resolve(flags.script ?? `train_${job.runId}.sbatch`);
  if (existsSync(path)) {
    throw new AtmorepError("usage", "the file exists", { where: path, fix: "Name another one with --script." });
  }
  for (const folder of ["logs", "output"]) await mkdir(folder, { recursive: true });
  await writeFileAtomic(path, jobScript(job, givenArguments(file, flags).map(quoted).join(" ")));
  print(`wrote ${path}`);
  print(`Submit it from here: ${submission(job, quoted(path))}`);
}

function jobOf(flags: SlurmFlags): Job {
  const number = (flag: string, text: string) => count(flag, text) as number;
  const runId = flags.runId ?? drawRunId();
  assertRunId(runId);
  const job: Job = {
    runId,
    nodes: number("--nodes", flags.nodes),
    tasks: number("--ntasks", flags.ntasks),
    cpus: number("--cpus-per-task", flags.cpusPerTask),
    chain: number("--chain", flags.chain),
    memory: word("--mem", flags.mem, /^\d+[KMGT]?$/, "--mem 64G"),
    time: word("--time", flags.time, /^\d+(:\d+){0,2}$|^\d+-\d+(:\d+){0,2}$/, "--time 12:00:00"),
    mpi: word("--srun-mpi", flags.srunMpi, /^[a-z0-9_]+$/, "--srun-mpi pmix") as string,
  };
  if (job.tasks >= job.nodes) return job;
  throw new AtmorepError("usage", "fewer processes than machines", {
    where: "--ntasks",
    found: `${job.tasks} on ${job.nodes} machines`,
    fix: `--ntasks ${job.nodes}`,
  });
}

/** What stands in the script as it is. @throws AtmorepError (usage) */
function word(flag: string, text: string | undefined, form: RegExp, fix: string): string | undefined {
  if (text === undefined || form.test(text)) return text;
  throw new AtmorepError("usage", "not what Slurm takes", { where: flag, found: text, fix });
}
