/** `atmorep runs`, `runs show ID`, `runs compare ID ID...`, `runs report ID`; `verify`, `reproduce`, `rm` and `prune` in `cli/runs/` */
import type { Command } from "commander";
import { nearestName } from "../../config/nearest.js";
import { AtmorepError } from "../../errors.js";
import { writeFileAtomic } from "../../formats/atomic.js";
import { compareRuns, type RunComparison } from "../../runs/compare.js";
import { runFolder } from "../../runs/folder.js";
import { listRuns, type RunDetails, readRun } from "../../runs/list.js";
import { madeBy } from "../../runs/madeBy.js";
import { validationColumns, validationLoss } from "../../runs/series.js";
import { readSkill } from "../../runs/skill.js";
import { formatTable, note, print, printJson, withExamples } from "../output.js";
import { provenanceLines, registerVerifyAndReproduce } from "../runs/provenance.js";
import { registerRemoval } from "../runs/remove.js";

interface Flags {
  out: string;
  json?: boolean;
}

interface ReportFlags extends Flags {
  file?: string;
  against?: string;
  samples?: string;
  data?: boolean;
}

interface CardFlags {
  scores?: boolean;
  score?: string;
  region?: string;
  falseDiscovery?: string;
  all?: boolean;
  figure?: string;
}

export function registerRuns(program: Command): void {
  const runs = program
    .command("runs")
    .description("list, show, compare, verify, reproduce and remove runs")
    .option("--out <dir>", "folder that holds results/ and models/", ".")
    .option("--json", "print one JSON document")
    // With an action of its own a mistyped subcommand would read as a superfluous argument.
    .allowExcessArguments(true)
    .action(async (flags: Flags, command: Command) => {
      if (command.args.length > 0) throw unknownSubcommand(command);
      await listAction(flags);
    });
  withExamples(runs, ["runs", "runs show ab12cd34", "runs compare ab12cd34 ef56gh78 --out /data/experiments"]);
  const show = addFlags(runs.command("show").description("one run: what made it, losses, files"))
    .argument("<id>", "run id, 8 characters of a-z and 0-9")
    .action(async (id: string, _: unknown, command: Command) => showAction(id, command.optsWithGlobals<Flags>()));
  withExamples(show, ["runs show ab12cd34"]);
  const compare = addFlags(
    runs.command("compare").description("loss curves and configuration differences, or scores at the same times"),
  )
    .argument("<ids...>", "two or more run ids; with --scores ids of evaluations, or of runs with one evaluation each")
    .option("--scores", "score card: fields, levels and lead times, runs and baselines, with what is significant")
    .option("--score <name>", "with --scores: rmse (default), mae, crps, crps_fair, brier_mean, quantile_90, ...")
    .option("--region <name>", "with --scores: default the first")
    .option("--false-discovery <share>", "with --scores: share of false ones among the findings; default 0.05")
    .option("--all", "with --scores: also against each single baseline")
    .option("--figure <path>", "with --scores: also draw the card, as SVG")
    .option("--report <file>", "write all of it as a page: one HTML file that needs nothing else")
    .action(async (ids: string[], _: unknown, command: Command) => {
      const flags = command.optsWithGlobals<Flags & CardFlags & { report?: string }>();
      if (flags.report !== undefined) return comparePageAction(ids, flags.report, withoutCardFlags(flags));
      await (flags.scores ? cardAction(ids, flags) : compareAction(ids, withoutCardFlags(flags)));
    });
  withExamples(compare, [
    "runs compare ab12cd34 ef56gh78",
    "runs compare ab12cd34 ef56gh78 --report compared.html",
    "runs compare --scores ij90kl12 mn34op56 --score crps --figure card.svg",
  ]);
  const report = addFlags(
    runs.command("report").description("a page of the run: one HTML file that needs nothing else"),
  )
    .argument("<id>", "run id, 8 characters of a-z and 0-9")
    .option("--file <path>", "file to write (default: report_id<ID>.html in the run's results folder)")
    .option("--against <id>", "another run, whose configuration stands beside this one's")
    .option("--samples <list>", "samples to draw, such as 0,3 (default: 0)")
    .option("--data", "read the data also where they lie at an address, for masks and missing baselines")
    .option("--no-data", "leave the data closed")
    .action(async (id: string, _: unknown, command: Command) =>
      reportAction(id, command.optsWithGlobals<ReportFlags>()),
    );
  withExamples(report, ["runs report ab12cd34", "runs report ab12cd34 --against ef56gh78 --file report.html"]);
  registerVerifyAndReproduce(runs, addFlags);
  registerRemoval(runs, addFlags);
}

function unknownSubcommand(command: Command): AtmorepError {
  const known = command.commands.map((subcommand) => subcommand.name());
  const nearest = nearestName(command.args[0], known);
  return new AtmorepError("usage", `unknown command '${command.args[0]}'`, {
    where: "runs",
    expected: known.join(", "),
    fix: nearest && `Did you mean ${nearest}?`,
  });
}

/** The flags of `runs` may also follow the subcommand. */
function addFlags(command: Command): Command {
  return command
    .option("--out <dir>", "folder that holds results/ and models/ (default: .)")
    .option("--json", "print one JSON document");
}

async function listAction({ out, json }: Flags): Promise<void> {
  const runs = await listRuns(out);
  if (json) return printJson(runs);
  if (runs.length === 0) return note(`no runs in ${out}; start one with: npx atmorep train`);
  const rows = runs.map((run) => [
    run.id,
    formatDate(run.date),
    run.strategy,
    run.fields.join(","),
    String(run.steps),
    formatLoss(run.validationLoss),
    formatLoss(run.bestValidationLoss),
    run.status,
  ]);
  const heading = ["id", "date", "strategy", "fields", "steps", "val. loss", "best", "status"];
  for (const line of formatTable([heading, ...rows], [4, 5, 6])) print(line);
  for (const { metricsFault } of runs) warn(metricsFault);
}

async function showAction(id: string, { out, json }: Flags): Promise<void> {
  const run = await readRun(out, id);
  const provenance = await madeBy(out, id);
  if (json) return printJson({ ...run, provenance });
  warn(run.metricsFault);
  print(`run ${run.id}, ${run.strategy}, ${run.status}`);
  if (run.status === "evaluated")
    print(`evaluated ${formatDate(run.date)}; its page: npx atmorep runs report ${run.id}`);
  else
    print(
      `started ${formatDate(run.date)}, ${run.steps} steps, last validation loss ${formatLoss(run.validationLoss)}`,
    );
  print();
  for (const line of provenanceLines(provenance)) print(line);
  print();
  const told = await verdictOfRun(out, run);
  if (told) print(told);
  if (run.status !== "evaluated") print(`its page: npx atmorep runs report ${run.id}`);
  print();
  if (run.status !== "evaluated") for (const line of validationTable(run)) print(line);
  for (const [dir, files] of [
    [run.resultsDir, run.files.results],
    [run.modelsDir, run.files.models],
  ] as const) {
    print();
    print(dir);
    for (const file of files) print(`  ${file}`);
  }
  print();
  print(`its configuration: npx atmorep config show ${run.id}`);
}

/** What the run or evaluation told of itself; null where it told nothing, or that was damaged. */
async function verdictOfRun(out: string, { id, status, resultsDir }: RunDetails): Promise<string | null> {
  if (status === "evaluated") {
    const { readScores } = await import("../../evaluation/calibration.js");
    const { verdict } = (await readScores(resultsDir).catch(() => null))?.about ?? {};
    return typeof verdict === "string" ? verdict : null;
  }
  const told = await readSkill(runFolder(out, id)).catch(() => null);
  return told?.end?.verdict ?? told?.validations.at(-1)?.verdict ?? null;
}

async function reportAction(id: string, { out, json, file, against, samples, data }: ReportFlags): Promise<void> {
  const { writeReport } = await import("../../notebook/report/report.js");
  const written = await writeReport(id, { out, file, against, data, samples: sampleNumbers(samples) });
  if (json) return printJson(written);
  print(written.file);
}

/** @throws AtmorepError (usage) for anything but numbers with commas between */
function sampleNumbers(given: string | undefined): number[] | undefined {
  if (given === undefined) return undefined;
  if (/^\d{1,5}(,\d{1,5})*$/.test(given)) return given.split(",").map(Number);
  throw new AtmorepError("usage", "not numbers of samples", { where: "--samples", found: given, fix: "--samples 0,3" });
}

/** One row a validation: epoch, step and every series of validations. */
function validationTable(run: RunDetails): string[] {
  const rows = run.metrics.filter((row) => validationLoss(row) !== null);
  if (rows.length === 0) return ["not validated yet"];
  const series = validationColumns(rows);
  const body = rows.map((row) => [
    String(row.epoch),
    String(row.step),
    ...series.map((name) => formatLoss(typeof row[name] === "number" ? (row[name] as number) : null)),
  ]);
  return formatTable([["epoch", "step", ...series], ...body], [0, 1, ...series.map((_, i) => i + 2)]);
}

async function compareAction(ids: string[], { out, json }: Flags): Promise<void> {
  const comparison = await compareRuns(out, ids);
  if (json) return printJson(comparison);
  for (const fault of comparison.metricsFaults) warn(fault);
  for (const line of lossCurves(comparison)) print(line);
  print();
  if (comparison.differences.length === 0) return print("the configurations are the same (run ids and seeds aside)");
  print("differences in the configuration");
  const rows = comparison.differences.map(({ path, values }) => [
    path,
    ...values.map((v) => JSON.stringify(v) ?? "absent"),
  ]);
  for (const line of formatTable([["key", ...comparison.ids], ...rows])) print(line);
}

async function comparePageAction(ids: string[], file: string, { out, json }: Flags): Promise<void> {
  const { compareReport } = await import("../../notebook/report/compareReport.js");
  const page = await compareReport(ids, out);
  await writeFileAtomic(file, page);
  if (json) return printJson({ ids, file, bytes: Buffer.byteLength(page) });
  print(file);
}

/** @throws AtmorepError (usage) for a flag that only score cards know */
function withoutCardFlags({ score, region, falseDiscovery, all, figure, ...flags }: Flags & CardFlags): Flags {
  const own = {
    "--score": score,
    "--region": region,
    "--false-discovery": falseDiscovery,
    "--all": all,
    "--figure": figure,
  };
  const given = Object.entries(own).find(([, value]) => value !== undefined);
  if (!given) return flags;
  throw new AtmorepError("usage", "this belongs to score cards", { where: given[0], fix: "Add --scores." });
}

async function cardAction(ids: string[], { out, json, all, figure, ...flags }: Flags & CardFlags): Promise<void> {
  const { cardTable, readScoreCard } = await import("../../evaluation/readCard.js");
  const { comparisonSummary, scoreCardFigure, shownComparisons } = await import("../../notebook/views/scoreCard.js");
  const falseDiscovery = flags.falseDiscovery === undefined ? undefined : Number(flags.falseDiscovery);
  const card = await readScoreCard(ids, out, { score: flags.score, region: flags.region, falseDiscovery });
  if (figure !== undefined) {
    const { svgFigure } = await import("../../notebook/figure/svg.js");
    await writeFileAtomic(figure, await svgFigure(scoreCardFigure(card, card.hoursPerLeadStep, all)));
  }
  if (json) return printJson(card);
  print(`${card.times} initial times, ${card.from} to ${card.to}; region ${card.region}`);
  for (const line of formatTable(...cardTable(card, all))) print(line);
  for (const comparison of all ? card.comparisons : shownComparisons(card)) {
    print(comparisonSummary(comparison, card.falseDiscovery));
  }
  if (card.leftOut.length > 0) print(`${card.leftOut.length} cells are not in all evaluations and were left out`);
  if (figure !== undefined) print(`drawn to ${figure}`);
}

function lossCurves({ ids, curves }: RunComparison): string[] {
  const epochs = [...new Set(curves.flatMap((curve) => curve.map(({ epoch }) => epoch)))].sort((a, b) => a - b);
  const rows = epochs.map((epoch) => [
    String(epoch),
    ...curves.map((curve) => formatLoss(curve.find((point) => point.epoch === epoch)?.loss ?? null)),
  ]);
  return formatTable([["epoch", ...ids.map((id) => `val. loss ${id}`)], ...rows], [0, ...ids.map((_, i) => i + 1)]);
}

const warn = (fault: string | null) => fault !== null && note(`warning: ${fault}`);

function formatDate(iso: string): string {
  return iso.slice(0, 16).replace("T", " ");
}

function formatLoss(loss: number | null): string {
  return loss === null ? "-" : loss.toFixed(5);
}
