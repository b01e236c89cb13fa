/** A run with the runs that it goes on from: which part of its rows each made, under which configuration, and what it told of scores. */
import type { RunConfig } from "../../config/types.js";
import type { FieldSkill } from "../../runs/events.js";
import { runFolder } from "../../runs/folder.js";
import { type RunDetails, readRun } from "../../runs/list.js";
import type { MetricsRow } from "../../runs/metrics.js";
import { readProvenance } from "../../runs/provenance.js";
import { readSkill, type StoredSkill } from "../../runs/skill.js";

export interface History {
  /** oldest first, the run itself last */
  parts: { config: RunConfig; rows: MetricsRow[]; skill: StoredSkill | null }[];
  /** what the run itself told; null for one of an earlier version */
  told: StoredSkill | null;
  baselines: FieldSkill[];
  /** of all parts, validation by validation */
  skills: { step: number; skill: FieldSkill[] }[];
}

/** A damaged or missing file of a parent ends the history there: the rest can be told without it. */
export async function historyOf({ id, config, metrics }: RunDetails, out: string): Promise<History> {
  const told = await readSkill(runFolder(out, id));
  const parts: History["parts"] = [{ config, rows: metrics, skill: told }];
  for (let at = id; ; ) {
    const sessions = await readProvenance(runFolder(out, at)).catch(() => []);
    const parent = sessions.at(-1)?.parent;
    const former = parent && (await readRun(out, parent.runId).catch(() => null));
    // a parent that was removed, or a ring of folders that somebody renamed
    if (!former || parts.length > metrics.length) break;
    const { rows } = parts[0];
    const skill = await readSkill(runFolder(out, former.id)).catch(() => null);
    parts[0] = { ...parts[0], rows: rows.filter(({ step }) => step > parent.step) };
    parts.unshift({ config: former.config, rows: rows.filter(({ step }) => step <= parent.step), skill });
    at = parent.runId;
  }
  const skills = parts.flatMap(({ rows, skill }) => {
    const steps = new Set(rows.map(({ step }) => step));
    return (skill?.validations ?? []).filter(({ step }) => steps.has(step));
  });
  const baselines = parts.findLast(({ skill }) => (skill?.baselines.length ?? 0) > 0)?.skill?.baselines ?? [];
  return { parts, told, baselines, skills };
}
