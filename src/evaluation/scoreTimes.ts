/** `scores_by_time.safetensors`: the sums of an evaluation by initial time, which score cards pair. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { parseBounded } from "../budgets.js";
import { formatTime } from "../data/time.js";
import { AtmorepError } from "../errors.js";
import { openSafetensors, verifySafetensors, writeSafetensors } from "../formats/safetensors.js";
import { bytesOf } from "../formats/tensors.js";
import type { ScoresByTime, TimedCell } from "../scores/index.js";

export const SCORES_BY_TIME = "scores_by_time.safetensors";

export interface TimedScores extends ScoresByTime {
  /** the last time of each initial time's (first) cube, ISO (UTC) */
  dates: string[];
  about: TimedAbout;
}

export interface TimedAbout {
  /** the run evaluated and which of its weights */
  run: string;
  weights: string;
  mode: string;
  /** initial times closer than this share data */
  span: number;
  hoursPerLeadStep: number;
  /** predictors, the model first */
  predictors: string[];
  units: Record<string, string>;
}

/** ISO times of the store's times before `timeIndex`, which cubes end with. */
export const datesOf = (times: readonly number[], axis: BigInt64Array, sampling: number): string[] =>
  times.map((time) => formatTime(axis[time - sampling]));

/** @returns the file's path */
export async function writeScoreTimes(dir: string, scores: TimedScores): Promise<string> {
  const { columns, times, cells, sums, dates, about } = scores;
  const path = join(dir, SCORES_BY_TIME);
  const tensor = (name: string, dtype: "F64" | "I32", shape: number[], values: Float64Array | Int32Array) => ({
    ...{ name, dtype, shape },
    read: () => bytesOf(values),
  });
  await writeSafetensors(
    path,
    [
      tensor("sums", "F64", [cells.length, times.length, columns.length], sums),
      tensor("times", "I32", [times.length], Int32Array.from(times)),
    ],
    { digest: true, metadata: { version: "1", layout: JSON.stringify({ columns, cells, dates, about }) } },
  );
  return path;
}

/**
 * @param dir `results/id<ID>` of an evaluation
 * @throws AtmorepError (usage) if it has none, (input) if the file was changed or is of a later version
 */
export async function readScoreTimes(dir: string): Promise<TimedScores> {
  const path = join(dir, SCORES_BY_TIME);
  if (!existsSync(path)) {
    throw new AtmorepError("usage", "there are no scores by time here", {
      where: path,
      found: existsSync(join(dir, "scores.json"))
        ? "scores.json alone: it was scored from stores, or by an earlier version"
        : "no evaluation",
      fix: "Evaluate the run: npx atmorep evaluate RUN",
    });
  }
  const damaged = (what: string) =>
    new AtmorepError("input", what, { where: path, fix: "The file is damaged: evaluate the run again." });
  if (!(await verifySafetensors(path))) throw damaged("the digest is missing");
  const file = await openSafetensors(path);
  try {
    if (file.metadata.get("version") !== "1") {
      throw new AtmorepError("input", "the scores by time are of another version", {
        where: path,
        found: file.metadata.get("version") ?? "none",
        expected: "1",
        fix: "Read them with the version of the program that wrote them, or evaluate the run again.",
      });
    }
    const layout = parseBounded(file.metadata.get("layout") ?? "{}", `${path}: layout`) as Pick<
      TimedScores,
      "columns" | "dates" | "about"
    > & {
      cells: TimedCell[];
    };
    if (!isLayout(layout)) throw damaged("the layout of the sums is not that of an evaluation");
    const tensor = async (name: string, dtype: string, shape: number[]) => {
      const read = file.tensors.some((one) => one.name === name) ? await file.read(name) : null;
      if (read?.dtype === dtype && read.shape.join() === shape.join()) return Uint8Array.from(read.bytes).buffer;
      throw damaged(`${name} is not there, or not of [${shape.join(", ")}] numbers of type ${dtype}`);
    };
    const { columns, cells, dates } = layout;
    return {
      ...layout,
      sums: new Float64Array(await tensor("sums", "F64", [cells.length, dates.length, columns.length])),
      times: [...new Int32Array(await tensor("times", "I32", [dates.length]))],
    };
  } finally {
    await file.close();
  }
}

/** What a file says of itself is what was written; whoever makes a digest anew may have written anything. */
function isLayout(layout: unknown): boolean {
  if (typeof layout !== "object" || layout === null) return false;
  const { columns, cells, dates, about } = layout as Record<string, unknown>;
  if (![columns, cells, dates].every(Array.isArray) || typeof about !== "object" || about === null) return false;
  const { run, predictors, span, units } = about as Record<string, unknown>;
  const objects = [units, ...(cells as unknown[])].every((one) => typeof one === "object" && one !== null);
  return (
    objects && typeof run === "string" && Array.isArray(predictors) && typeof span === "number" && Number.isFinite(span)
  );
}
