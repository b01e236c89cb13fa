/** `results/id<ID>/end.json`: how a run ended. It is absent while the run goes on, and after it was killed. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { readJsonBounded } from "../budgets.js";
import { writeFileAtomic } from "../formats/atomic.js";
import type { FinishReason } from "./events.js";
import type { RunFolder } from "./folder.js";

export interface EndMark {
  /** `failed`: an error stopped it; its last good checkpoint remains */
  reason: FinishReason | "failed";
  epoch: number;
  /** optimiser steps done */
  step: number;
}

const REASONS: readonly string[] = [
  "completed",
  "max-steps",
  "max-time",
  "interrupted",
  "failed",
] satisfies EndMark["reason"][];

const markOf = ({ resultsDir }: RunFolder) => join(resultsDir, "end.json");

export async function writeEndMark(folder: RunFolder, mark: EndMark): Promise<void> {
  await writeFileAtomic(markOf(folder), `${JSON.stringify(mark)}\n`);
}

/** A run that is continued in place has not ended any more. */
export async function removeEndMark(folder: RunFolder): Promise<void> {
  await rm(markOf(folder), { force: true });
}

/** How the run ended; null if it says nothing, or nothing that is known here. */
export async function readEndMark(folder: RunFolder): Promise<EndMark | null> {
  try {
    const mark = (await readJsonBounded(markOf(folder))) as EndMark | null;
    return mark && REASONS.includes(mark.reason) ? mark : null;
  } catch {
    return null;
  }
}
