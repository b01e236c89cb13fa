/**
 * `.atmorep/id<ID>/skill.json`: the scores that a run told as it went, for its page: of the baselines before training, of each
 * validation, of its end. It stands beside `results/` and `models/`, whose files are those of the reference.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { readJsonBounded } from "../budgets.js";
import { AtmorepError } from "../errors.js";
import { writeFileAtomic } from "../formats/atomic.js";
import type { FieldSkill, FinishedEvent } from "./events.js";
import type { RunFolder } from "./folder.js";
import { madeOfDir } from "./provenance.js";

export interface StoredSkill {
  /** of the baselines on the validation points; empty where that would have delayed a large run */
  baselines: FieldSkill[];
  validations: { epoch: number; step: number; skill: FieldSkill[]; verdict: string }[];
  /** null while the run goes on, or where it was killed */
  end: Pick<FinishedEvent, "step" | "skill" | "verdict" | "toldOn" | "averaging"> | null;
}

export const skillPath = (folder: Pick<RunFolder, "modelsDir">): string => join(madeOfDir(folder), "skill.json");

/**
 * What a run told of its scores; null for a run that does not tell (of an earlier version).
 * @throws AtmorepError (input) if the file is damaged
 */
export async function readSkill(folder: Pick<RunFolder, "modelsDir">): Promise<StoredSkill | null> {
  const path = skillPath(folder);
  if (!existsSync(path)) return null;
  const value: unknown = await readJsonBounded(path).catch((cause: Error) => {
    throw damaged(path, cause);
  });
  if (!isRecord(value) || value.format !== 1 || !isStored(value)) throw damaged(path);
  const { baselines, validations, end } = value as unknown as StoredSkill;
  return {
    baselines: baselines.map(withNaN),
    validations: validations.map((one) => ({ ...one, skill: one.skill.map(withNaN) })),
    end: end && { ...end, skill: end.skill.map(withNaN) },
  };
}

/** What is not finite stands as null in JSON. */
function withNaN(row: FieldSkill): FieldSkill {
  const read = (scores: Record<string, number | null>) =>
    Object.fromEntries(Object.entries(scores).map(([name, score]) => [name, score ?? Number.NaN]));
  return { ...row, rmse: read(row.rmse), rmseNormalized: read(row.rmseNormalized) };
}

export async function writeSkill(folder: Pick<RunFolder, "modelsDir">, skill: StoredSkill): Promise<void> {
  await writeFileAtomic(skillPath(folder), `${JSON.stringify({ format: 1, ...skill })}\n`);
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const isNumbers = (value: unknown): boolean =>
  isRecord(value) && Object.values(value).every((one) => one === null || typeof one === "number");

const isSkill = (value: unknown): boolean =>
  Array.isArray(value) &&
  value.every((row: unknown) => {
    if (!isRecord(row)) return false;
    const texts = [row.field, row.kind, row.unit].every((text) => typeof text === "string");
    return texts && Number.isSafeInteger(row.points) && isNumbers(row.rmse) && isNumbers(row.rmseNormalized);
  });

const isText = (value: unknown): boolean => value === null || typeof value === "string";

function isStored({ baselines, validations, end }: Record<string, unknown>): boolean {
  const whole = (value: unknown): boolean =>
    isRecord(value) && isSkill(value.skill) && isText(value.verdict) && Number.isSafeInteger(value.step);
  const isEnd = end === null || (whole(end) && isRecord(end) && isText(end.toldOn) && isAveraging(end.averaging));
  return isSkill(baselines) && Array.isArray(validations) && validations.every(whole) && isEnd;
}

const isAveraging = (value: unknown): boolean => value === null || isNumbers(value);

const damaged = (path: string, cause?: Error): AtmorepError =>
  new AtmorepError("input", "what the run told of its scores cannot be read", {
    where: path,
    cause,
    fix: "The file was changed after it was written. The run itself does not need it.",
  });
