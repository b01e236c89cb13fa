/** `atmorep evaluate [RUN[@EPOCH]]` */
import type { Command } from "commander";
import { openCommunicator } from "../../distributed/index.js";
import { AtmorepError } from "../../errors.js";
import { EVALUATION_MODES } from "../../evaluation/modes.js";
import { EVALUATION_OPTIONS, OPTION_KEYS } from "../../evaluation/options.js";
import { modesOf } from "../../evaluation/readOptions.js";
import { evaluationTable } from "../../evaluation/table.js";
import { type Part, parsePart } from "../../parts.js";
import { endAll } from "../endAll.js";
import { printEvaluation, progress } from "../evaluationShown.js";
import { withOffline } from "../offline.js";
import { collect, formatTable, note, print, printJson, withExamples } from "../output.js";
import { stopOnSignals } from "../signals.js";
import { count, engineName } from "../train/options.js";
import { evaluateInPart, finalise } from "./evaluateParts.js";

interface EvaluateFlags {
  mode?: string;
  set: string[];
  data?: string;
  split?: string;
  out?: string;
  runId?: string;
  rollout?: string;
  calibration?: string;
  results?: string;
  epoch?: string;
  stores: boolean;
  engine: string;
  part?: Part;
  finalise?: string;
  report?: string;
  json?: boolean;
}

export function registerEvaluate(program: Command): void {
  const command = program
    .command("evaluate")
    .description("evaluate a run: result stores, scores with intervals, baselines beside them")
    .argument("[run]", "RUN[@latest|best|EPOCH], or a path to its folder; default the newest run")
    .option("--mode <name>", `${Object.keys(EVALUATION_MODES).join(", ")}; default what the run was trained for`)
    .option("--set <path=value>", "overwrite a key or set an option of the mode (repeatable)", collect, [])
    .option("--data <store>", "input store; default that of the run")
    .option("--split <name>", "validation or test; default the test where the run has dates_test")
    .option("--out <dir>", "folder that holds models/ and gets results/id<NEW>; default the current one")
    .option("--run-id <id>", "id of the evaluation; default random")
    .option("--rollout <n>", "feed the forecast back, n cubes one after the other")
    .option(
      "--calibration <id>",
      "calibrate with what an evaluation of another period was fitted to; default cross-fitted",
    )
    .option("--results <dir>", "score the result stores in a folder, ours or the reference's; no run is needed")
    .option("--epoch <n>", "with --results: which epoch's stores; default the last")
    .option("--no-stores", "write scores only")
    .option("--engine <name>", "auto, native or wasm", "auto")
    .option(
      "--part <i/N>",
      "predict this part only, for jobs that cannot talk to each other; needs --run-id",
      parsePart,
    )
    .option("--finalise <id>", "make of all parts of this --run-id what one process would have written")
    .option("--report <file>", "also write the evaluation's page: one HTML file (later: runs report)")
    .option("--json", "print scores.json")
    .action(evaluateAction);
  command.addHelpText(
    "after",
    () => `\nModes:\n${modeLines().join("\n")}\n\nTheir options (--set):\n${optionLines().join("\n")}`,
  );
  withExamples(withOffline(command), [
    "evaluate ab12cd34@best",
    "evaluate ab12cd34 --mode forecast --set forecast_num_tokens=1 --set fields[0][2]=[123]",
    "evaluate ab12cd34 --mode global_forecast --set 'dates=[[2021,2,10,12]]' --set 'token_overlap=[1,1]'",
    "evaluate --results results/idab12cd34",
    "evaluate ab12cd34 --run-id parted01 --part 1/4",
    "evaluate --finalise parted01",
  ]);
}

const modeLines = (): string[] =>
  formatTable(Object.entries(EVALUATION_MODES).map(([name, { doc }]) => [`  ${name}`, doc]));

const optionLines = (): string[] =>
  formatTable(OPTION_KEYS.map((key) => [`  ${key}`, modesOf(key).join(", "), EVALUATION_OPTIONS[key].doc]));

async function evaluateAction(run: string | undefined, flags: EvaluateFlags, command: Command): Promise<void> {
  if (flags.finalise !== undefined) return finalise(run, command);
  if (flags.results !== undefined) return scoreStores(flags.results, run, flags);
  if (flags.epoch !== undefined) {
    throw new AtmorepError("usage", "--epoch belongs to --results", { fix: "Name the epoch of a run as RUN@EPOCH." });
  }
  const request = {
    ...{ run, mode: flags.mode, set: flags.set, data: flags.data, split: splitName(flags.split), out: flags.out },
    ...{ runId: flags.runId, rollout: count("--rollout", flags.rollout), calibration: flags.calibration },
    ...{ stores: flags.stores, engine: engineName(flags.engine) },
  };
  if (flags.part !== undefined && flags.report !== undefined) {
    throw new AtmorepError("usage", "a part has no scores to make a page of", {
      where: "--report",
      fix: "Leave it out, and write the page when all parts are done: npx atmorep runs report ID",
    });
  }
  if (flags.part !== undefined) return evaluateInPart(request, flags.part, flags.json);
  const communicator = await openCommunicator((text) => note(`warning: ${text}`), "evaluating");
  const speaks = communicator.rank === 0;
  const stop = stopOnSignals("ending after this batch, nothing is written");
  try {
    const { evaluate } = await import("../../evaluation/evaluate.js");
    const result = await evaluate({
      ...request,
      signal: stop.signal,
      communicator,
      onWarning: (message) => speaks && note(`warning: ${message}`),
      onProgress: progress(),
    });
    await communicator.close();
    if (!speaks) return;
    if (flags.report !== undefined) {
      const { writeReport } = await import("../../notebook/report/report.js");
      note(`its page: ${(await writeReport(result.runId, { out: flags.out, file: flags.report })).file}`);
    }
    printEvaluation(result, flags);
  } catch (error) {
    if (communicator.size > 1) await endAll(communicator, error, Boolean(flags.json), stop.exitCode());
    throw error;
  } finally {
    stop.release();
    process.exitCode = stop.exitCode() ?? process.exitCode;
  }
}

function splitName(given: string | undefined): "validation" | "test" | undefined {
  if (given === undefined || given === "validation" || given === "test") return given;
  throw new AtmorepError("usage", "no such split", {
    where: "--split",
    found: given,
    expected: "validation or test",
    fix: "Name one of the two",
  });
}

async function scoreStores(dir: string, run: string | undefined, flags: EvaluateFlags): Promise<void> {
  const foreign = Object.entries({
    RUN: run,
    "--mode": flags.mode,
    "--rollout": flags.rollout,
    "--data": flags.data,
    "--split": flags.split,
    "--calibration": flags.calibration,
    "--report": flags.report,
  });
  const given = foreign.find(([, value]) => value !== undefined);
  if (given || flags.set.length > 0) {
    throw new AtmorepError("usage", "existing stores are scored as they are", {
      where: "--results",
      found: given?.[0] ?? "--set",
      fix: "Leave it out.",
    });
  }
  const { scoreResults } = await import("../../evaluation/scoreResults.js");
  const epoch = flags.epoch === undefined ? undefined : Number(flags.epoch);
  const { scores, about, path } = await scoreResults(dir, { epoch, out: flags.out });
  if (flags.json) return printJson({ ...scores, _about: about });
  for (const line of formatTable(...evaluationTable(scores))) print(line);
  print(about.verdict);
  if (path) print(`written to ${path}`);
}
