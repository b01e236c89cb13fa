/** The `atmorep` program: finds the command, loads only that command's module, turns errors into exit codes. */
import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { removeUnfinished } from "../formats/atomic.js";
import { assertAlone } from "./alone.js";
import { guardPipes, hasOutputFailed, note, reportError } from "./output.js";
import { EXIT_CODES } from "./signals.js";

interface CommandEntry {
  summary: string;
  /** loads the command's module and adds the command to the program */
  register: (program: Command) => Promise<void>;
}

/** Every command of the program; modules are loaded when a command is named, so that `--help` is quick. */
export const COMMANDS: Readonly<Record<string, CommandEntry>> = {
  train: {
    summary: "train a model; without arguments the storm preset on the shipped sample",
    register: async (program) => (await import("./commands/train.js")).registerTrain(program),
  },
  slurm: {
    summary: "write a job script for Slurm, after saying what the run needs",
    register: async (program) => (await import("./commands/slurm.js")).registerSlurm(program),
  },
  evaluate: {
    summary: "evaluate a run or score result stores",
    register: async (program) => (await import("./commands/evaluate.js")).registerEvaluate(program),
  },
  config: {
    summary: "show, check, compare and document configurations",
    register: async (program) => (await import("./commands/config.js")).registerConfig(program),
  },
  data: {
    summary: "make, describe and normalise input stores",
    register: async (program) => (await import("./commands/data.js")).registerData(program),
  },
  weights: {
    summary: "describe and convert weights files",
    register: async (program) => (await import("./commands/weights.js")).registerWeights(program),
  },
  runs: {
    summary: "list, show, compare, verify, reproduce and remove runs",
    register: async (program) => (await import("./commands/runs.js")).registerRuns(program),
  },
  verify: {
    summary: "run every case of a golden folder",
    register: async (program) => (await import("./commands/verify.js")).registerVerify(program),
  },
  bench: {
    summary: "time batch preparation, the train step and reading",
    register: async (program) => (await import("./commands/bench.js")).registerBench(program),
  },
  engine: {
    summary: "fetch the native engine's libraries, show what is used",
    register: async (program) => (await import("./commands/engine.js")).registerEngine(program),
  },
  kernel: {
    summary: "install the notebook kernel for a Jupyter of your own",
    register: async (program) => (await import("./commands/kernel.js")).registerKernel(program),
  },
  lab: {
    summary: "open JupyterLab on the tutorials, with the TypeScript kernel",
    register: async (program) => (await import("./commands/lab.js")).registerLab(program),
  },
  notebook: {
    summary: "write a notebook to begin with",
    register: async (program) => (await import("./commands/notebook.js")).registerNotebook(program),
  },
  run: {
    summary: "run notebooks, or TypeScript files, with the notebook's kernel",
    register: async (program) => (await import("./commands/run.js")).registerRun(program),
  },
  doctor: {
    summary: "check this machine and say what to do about what is missing",
    register: async (program) => (await import("./commands/doctor.js")).registerDoctor(program),
  },
};

function packageVersion(): string {
  return JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")).version;
}

/**
 * The program with the commands that `args` needs; the others are named only.
 * @param args arguments after the program's name
 */
export async function createProgram(args: readonly string[]): Promise<Command> {
  const program = new Command("atmorep")
    .description("Trains AtmoRep models of atmospheric dynamics, evaluates them and checks them against the original.")
    .version(packageVersion())
    .exitOverride()
    .showHelpAfterError('("npx atmorep --help" lists the commands)')
    .addHelpText(
      "after",
      "\nExamples:\n  $ npx atmorep train\n  $ npx atmorep train --help\n\nExit codes: 0 done, 1 failed while running, 2 wrong usage, configuration or input, 128 and the number of a signal, such as 130 and 143, stopped by it.",
    );
  program.hook("preAction", (_, action) => assertAlone(action));
  const named = args.filter((arg) => !arg.startsWith("-"));
  const wanted = named[0] === "help" ? named[1] : named[0];
  for (const [name, { summary, register }] of Object.entries(COMMANDS)) {
    if (name === wanted) await register(program);
    else program.command(name).description(summary);
  }
  return program;
}

/** Runs the program. @returns the exit code */
export async function run(args: readonly string[]): Promise<number> {
  try {
    const program = await createProgram(args);
    if (args.length === 0) {
      program.outputHelp();
      return 0;
    }
    await program.parseAsync(args, { from: "user" });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    const code = reportError(error, args.includes("--json"));
    // a command that a signal has stopped says so by its exit code
    const stopped = Number(process.exitCode);
    return stopped > 128 ? stopped : code;
  }
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
/** Code of somebody else runs in this process, which a signal must end though it never looks up; notebooks run in another. */
const runsOthers = (args: readonly string[]) =>
  args[0] === "kernel" || (args[0] === "run" && !args.some((arg) => arg.toLowerCase().endsWith(".ipynb")));

/** Ends a command that does not handle signals itself, and leaves nothing half-written. */
function endOnSignals(): void {
  for (const name of SIGNALS) {
    process.on(name, () => {
      if (process.listenerCount(name) > 1) return;
      removeUnfinished();
      note(`${name}: stopped; nothing is left half-written. Give the command again to begin anew`);
      process.exit(EXIT_CODES[name]);
    });
  }
}

/** Runs the program in this process and ends it with the exit code, once everything printed has been written. */
export async function main(args: readonly string[]): Promise<void> {
  guardPipes();
  process.on("unhandledRejection", (error) => {
    process.exit(reportError(error, args.includes("--json")));
  });
  if (!runsOthers(args)) endOnSignals();
  const code = await run(args);
  for (const stream of [process.stdout, process.stderr]) {
    // files are written at once, and one that is on a full disk fails even for nothing
    if (stream.writable && stream.writableLength > 0)
      await new Promise<void>((resolve) => stream.write("", () => resolve()));
  }
  // what could not be written is told a moment later
  await new Promise((resolve) => setImmediate(resolve));
  process.exit(code === 0 && hasOutputFailed() ? 1 : code);
}
