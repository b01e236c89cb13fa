/** Post-hoc calibration between evaluations: what one was fitted to, another period is scored with. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { readJsonBounded } from "../budgets.js";
import { parseTime } from "../data/time.js";
import { AtmorepError } from "../errors.js";
import { runFolder } from "../runs/folder.js";
import { runPlace } from "../runs/locate.js";
import { type CalibrationOptions, type CalibrationReport, formatScore, type ScoreReport } from "../scores/index.js";
import { scoresFault } from "./scoresShape.js";

/** What `scores.json` holds beside scores. */
export interface StoredScores {
  scores: ScoreReport;
  about: Record<string, unknown>;
  calibration: CalibrationReport | null;
}

/** The key of `scores.json` under which calibration stands; no field begins with `_`. */
export const CALIBRATION_KEY = "_calibration";

/** @throws AtmorepError (usage) if there are no scores, (input) if they cannot be read */
export async function readScores(dir: string): Promise<StoredScores> {
  const path = join(dir, "scores.json");
  if (!existsSync(path)) {
    throw new AtmorepError("usage", "there are no scores here", {
      where: path,
      fix: "Evaluate a run: npx atmorep evaluate RUN",
    });
  }
  const value = await readJsonBounded(path).catch((cause: Error) => {
    throw unreadable(path, cause.message, cause);
  });
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw unreadable(path, "not an object");
  const { _about: about, [CALIBRATION_KEY]: calibration, ...scores } = value as Record<string, unknown>;
  const fault = scoresFault({ scores, about, calibration });
  if (fault !== null) throw unreadable(path, fault);
  return { scores, about: about ?? {}, calibration: calibration ?? null } as StoredScores;
}

const unreadable = (where: string, found: string, cause?: Error) =>
  new AtmorepError("input", "the scores cannot be read", {
    where,
    found,
    fix: "The file is damaged; evaluate the run again",
    cause,
  });

/**
 * The parameters of an earlier evaluation, for cubes of other times.
 * @param id of that evaluation, or a path to its folder
 * @param scored the first and the last time of the cubes that are to be scored, nanoseconds since 1970
 * @throws AtmorepError (usage) if there are none, if they are another mode's, or if the two share times
 */
export async function givenCalibration(
  id: string,
  out: string,
  { mode, from, to }: { mode: string; from: bigint; to: bigint },
): Promise<NonNullable<CalibrationOptions["given"]>> {
  const place = runPlace(id, /[/\\]/.test(id) ? undefined : out);
  const { calibration, about } = await readScores(runFolder(place.out, place.id).resultsDir);
  const where = `--calibration ${id}`;
  const fields = Object.entries(calibration?.fields ?? {}).filter(([, { parameters }]) => parameters.length > 0);
  if (fields.length === 0) {
    throw new AtmorepError("usage", "this evaluation has no parameters of calibration", {
      where,
      found: calibration ? "too few points or times to fit to" : "scores without calibration",
      fix: "Evaluate a longer period with two or more members.",
    });
  }
  if (about.mode !== mode) {
    throw new AtmorepError("usage", "the parameters are those of another mode", {
      where,
      found: about.mode,
      expected: mode,
    });
  }
  const [first, last] = [about.first_time, about.last_time].map((text) => parseTime(String(text)));
  if (first === null || last === null || (first <= to && from <= last)) {
    throw new AtmorepError("usage", "the parameters were fitted to times that are to be scored", {
      where,
      found: `${about.first_time} to ${about.last_time}`,
      expected: "another period",
      fix: "Leave --calibration out: the times are then fitted and scored part by part.",
    });
  }
  return {
    parameters: Object.fromEntries(fields.map(([field, { parameters }]) => [field, parameters])),
    from: `evaluation ${place.id}, ${about.first_time} to ${about.last_time}`,
  };
}

/** Lines for people, one a field: the raw ensemble beside the calibrated one. */
export function calibrationLines(report: CalibrationReport | null): string[] {
  if (!report) return [];
  const lines = Object.entries(report.fields).flatMap(([field, { levels }]) => {
    const { calibrated } = levels.all;
    if ("refused" in calibrated) return [`  ${field}: none, ${calibrated.refused}`];
    const { crps, spread_skill_ratio: ratio } = calibrated;
    const interval =
      crps.low === null || crps.high === null || crps.blocks < 8
        ? "too few to tell"
        : `95 % of the difference ${formatScore(crps.low)} to ${formatScore(crps.high)}`;
    const unit = crps.unit ? ` ${crps.unit}` : "";
    return [
      `  ${field}: CRPS ${formatScore(crps.calibrated)} against ${formatScore(crps.raw)}${unit} of the raw members (${interval}), spread/skill ${formatScore(ratio.calibrated)} against ${formatScore(ratio.raw)}`,
    ];
  });
  const share = report.kept < report.seen ? `; ${report.kept} of ${report.seen} points, drawn evenly` : "";
  return [`post-hoc calibration (EMOS), ${report.fitted}${share}`, ...lines];
}
