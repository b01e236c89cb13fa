/** A run with the runs that it goes on from: which part of its rows each made, under which configuration, and what it told of scores. */
import type { RunConfig } from "../../config/types.js";
import type { FieldSkill } from "../../runs/events.js";
import { runFolder } from "../../runs/folder.js";
import type { RunDetails } from "../../runs/list.js";
import type { MetricsRow } from "../../runs/metrics.js";
import { readProvenance } from "../../runs/provenance.js";
import { readSkill, type StoredSkill } from "../../runs/skill.js";
import { runParts } from "../runs/parts.js";

export interface History {
  /** oldest first, the run itself last */
  parts: { config: RunConfig; rows: readonly MetricsRow[]; skill: StoredSkill | null }[];
  /** what the run itself told; null for one of an earlier version */
  told: StoredSkill | null;
  baselines: FieldSkill[];
  /** of all parts, validation by validation */
  skills: { step: number; skill: FieldSkill[] }[];
}

/** A damaged or missing file of a parent ends the history there: the rest can be told without it. */
export async function historyOf(run: RunDetails, out: string): Promise<History> {
  const told = await readSkill(runFolder(out, run.id));
  const found = await runParts(run, out, (folder) => readProvenance(folder).catch(() => []));
  const parts = await Promise.all(
    found.map(async ({ id, config, rows }) => {
      const skill = id === run.id ? told : await readSkill(runFolder(out, id)).catch(() => null);
      return { config, rows, skill };
    }),
  );
  const skills = parts.flatMap(({ rows, skill }) => {
    const steps = new Set(rows.map(({ step }) => step));
    return (skill?.validations ?? []).filter(({ step }) => steps.has(step));
  });
  const baselines = parts.findLast(({ skill }) => (skill?.baselines.length ?? 0) > 0)?.skill?.baselines ?? [];
  return { parts, told, baselines, skills };
}
