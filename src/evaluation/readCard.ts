/** Score cards of evaluations on disk. */
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { runIdsOf } from "../config/runId.js";
import { AtmorepError } from "../errors.js";
import { runFolder } from "../runs/folder.js";
import { type RunReference, runPlace } from "../runs/locate.js";
import { type CardOptions, type ScoreCard, scoreCard } from "../scores/index.js";
import { readScoreTimes, SCORES_BY_TIME, type TimedScores } from "./scoreTimes.js";

export interface StoredCard extends ScoreCard {
  /** of one time step, where all evaluations agree */
  hoursPerLeadStep: number | null;
  /** field -> unit */
  units: Record<string, string>;
}

/** An evaluation by its id or, where it is the only one of a run, by the run's. */
async function findEvaluation(out: string, id: string): Promise<{ id: string; scores: TimedScores }> {
  const own = runFolder(out, id).resultsDir;
  if (existsSync(join(own, SCORES_BY_TIME))) return { id, scores: await readScoreTimes(own) };
  const found: { id: string; scores: TimedScores }[] = [];
  for (const other of runIdsOf(await readdir(join(out, "results")).catch(() => []))) {
    const dir = runFolder(out, other).resultsDir;
    if (!existsSync(join(dir, SCORES_BY_TIME))) continue;
    const scores = await readScoreTimes(dir);
    if (scores.about.run === id) found.push({ id: other, scores });
  }
  if (found.length === 1) return found[0];
  throw new AtmorepError(
    "usage",
    found.length > 0 ? "the run has several evaluations" : "there is no evaluation of this run",
    {
      where: own,
      found:
        found.map((one) => `${one.id} (${one.scores.about.mode}, weights ${one.scores.about.weights})`).join(", ") ||
        "none with scores by time",
      fix: found.length > 0 ? "Name one of them." : `npx atmorep evaluate ${id}, and the others alike`,
    },
  );
}

/**
 * The score card of evaluations below one folder.
 * @param ids of evaluations (`results/id<ID>`), or of runs that have one evaluation each
 * @throws AtmorepError (usage) if one is not there, or if they do not share times and points (naming what differs)
 */
export async function readScoreCard(
  evaluations: readonly RunReference[],
  out: string | undefined,
  options: CardOptions = {},
): Promise<StoredCard> {
  const found: Awaited<ReturnType<typeof findEvaluation>>[] = [];
  for (const evaluation of evaluations) {
    const place = runPlace(evaluation, out);
    found.push(await findEvaluation(place.out, place.id));
  }
  const twice = found.find(({ id }, i) => found.findIndex((other) => other.id === id) !== i);
  if (twice) throw new AtmorepError("usage", "an evaluation is named twice", { where: "ids", found: twice.id });
  const runs = found.map(({ scores }) => scores.about.run);
  const hours = new Set(found.map(({ scores }) => scores.about.hoursPerLeadStep));
  const card = scoreCard(
    found.map(({ id, scores }) => ({
      ...scores,
      id,
      // two evaluations of one run go by their own ids
      label: runs.filter((run) => run === scores.about.run).length > 1 ? id : scores.about.run,
      span: scores.about.span,
      predictors: scores.about.predictors,
    })),
    options,
  );
  return {
    ...card,
    hoursPerLeadStep: hours.size === 1 ? [...hours][0] : null,
    units: Object.assign({}, ...found.map(({ scores }) => scores.about.units)),
  };
}

/** Header and rows, and the columns that hold numbers. */
export function cardTable(card: StoredCard, all = false): [rows: string[][], numbers: number[]] {
  const hours = card.hoursPerLeadStep;
  const header = [
    "forecast",
    "against",
    "field",
    "level",
    hours === null ? "lead" : "lead h",
    card.score.replaceAll("_", " "),
    "against",
    "difference",
    "95 %",
    "%",
    "p",
    "adjusted",
    "blocks",
    "",
  ];
  const number = (x: number | null) => (x === null ? "-" : formatDigits(x));
  const rows = card.comparisons
    .filter(({ kind }) => all || kind !== "baseline")
    .flatMap(({ first, second, cells }) =>
      cells.map((cell) => [
        first,
        (cell.baseline ? `${cell.baseline} (best)` : second).replaceAll("_", " "),
        cell.field,
        String(cell.level),
        String(cell.lead * (hours ?? 1)),
        number(cell.first),
        number(cell.second),
        number(cell.difference),
        cell.low === null || cell.high === null ? "-" : `${number(cell.low)} to ${number(cell.high)}`,
        number(cell.percent),
        number(cell.pValue),
        number(cell.adjusted),
        `${cell.blocks} of ${cell.blockLength}`,
        cell.outcome === "too few" ? "too few to tell" : cell.outcome,
      ]),
    );
  return [
    [header, ...rows],
    [3, 4, 5, 6, 7, 9, 10, 11, 12],
  ];
}

/** Three significant digits, as scores are told elsewhere; p values below 0.001 as such. */
const formatDigits = (x: number): string => (x === 0 ? "0" : String(Number(x.toPrecision(3))));
