/** The `atmorep` program: finds the command, loads only that command's module, turns errors into exit codes. */
import { readFileSync } from "node:fs";
import { Command, CommanderError } from "commander";
import { guardPipes, reportError } from "./output.js";

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
    summary: "list, show and compare runs",
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
    summary: "run a notebook, or a TypeScript file, with the notebook's kernel",
    register: async (program) => (await import("./commands/lab.js")).registerRun(program),
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
      "\nExamples:\n  $ npx atmorep train\n  $ npx atmorep train --help\n\nExit codes: 0 done, 1 failed while running, 2 wrong usage, configuration or input, 130 and 143 stopped by a signal.",
    );
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
    return reportError(error, args.includes("--json"));
  }
}

/** Runs the program in this process and ends it with the exit code, once everything printed has been written. */
export async function main(args: readonly string[]): Promise<void> {
  guardPipes();
  process.on("unhandledRejection", (error) => {
    process.exit(reportError(error, args.includes("--json")));
  });
  const code = await run(args);
  for (const stream of [process.stdout, process.stderr]) {
    if (stream.writable) await new Promise<void>((resolve) => stream.write("", () => resolve()));
  }
  process.exit(code);
}
