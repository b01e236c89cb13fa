/** `atmorep evaluate --part i/N` and `--finalise ID`: an evaluation by jobs that cannot talk to each other. */
import type { Command } from "commander";
import { AtmorepError } from "../../errors.js";
import type { EvaluateRequest } from "../../evaluation/request.js";
import type { Part } from "../../parts.js";
import { printEvaluation, progress } from "../evaluationShown.js";
import { note, print, printJson } from "../output.js";
import { stopOnSignals } from "../signals.js";

/** One part, or what all have left: alone, also where mpirun or srun has started others. */
async function alone<T>(stopping: string, work: (told: Told) => Promise<T>): Promise<T> {
  const stop = stopOnSignals(stopping);
  try {
    const onWarning = (message: string) => note(`warning: ${message}`);
    return await work({ signal: stop.signal, onWarning, onProgress: progress() });
  } finally {
    stop.release();
    process.exitCode = stop.exitCode() ?? process.exitCode;
  }
}

type Told = Pick<EvaluateRequest, "signal" | "onWarning" | "onProgress">;

export async function evaluateInPart({ runId, ...request }: EvaluateRequest, part: Part, json = false) {
  if (runId === undefined) {
    throw new AtmorepError("usage", "the parts of an evaluation find each other by its id", {
      where: "--part",
      fix: "Give all parts the same --run-id, of eight letters or digits.",
    });
  }
  const { evaluatePart } = await import("../../evaluation/evaluate.js");
  const { done, total, folder } = await alone("ending after this batch, what is predicted is kept", (told) =>
    evaluatePart({ ...request, ...told, runId }, part),
  );
  const { number, of } = part;
  if (json) return printJson({ part: `${number}/${of}`, done, total, folder });
  const state = done < total ? `${done} of ${total} batches are kept` : "is done";
  const next = done < total ? "give the same command again" : `when all are: npx atmorep evaluate --finalise ${runId}`;
  print(`part ${number} of ${of} ${state}, in ${folder}; ${next}`);
}

export async function finalise(run: string | undefined, command: Command): Promise<void> {
  const flags: { finalise: string; out?: string; json?: boolean } = command.opts();
  const given = besideFinalise(run, command);
  if (given.length > 0) {
    throw new AtmorepError("usage", "what is evaluated was said when the parts began", {
      where: "--finalise",
      found: given.join(", "),
      fix: "Leave it out; --out and --json alone go with --finalise.",
    });
  }
  const { finaliseEvaluation } = await import("../../evaluation/evaluate.js");
  const result = await alone("ending after this batch, nothing is written", (told) =>
    finaliseEvaluation({ ...told, runId: flags.finalise, out: flags.out }),
  );
  printEvaluation(result, flags);
}

/** What was given on the command line and does not go with `--finalise`. */
const besideFinalise = (run: string | undefined, command: Command): string[] => [
  ...(run === undefined ? [] : [run]),
  ...command.options
    .filter((option) => command.getOptionValueSource(option.attributeName()) === "cli")
    .map(({ long }) => String(long))
    .filter((long) => !["--finalise", "--out", "--json", "--offline"].includes(long)),
];
