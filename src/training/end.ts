/** How a run ends, and what it leaves: its end mark, and where its reader has left it a checkpoint. */
import { isShared } from "../distributed/index.js";
import { AtmorepError, isAtmorepError } from "../errors.js";
import { isOutOfMemory, systemFault } from "../formats/systemFault.js";
import { presentCheckpoints } from "../runs/checkpoint.js";
import { type EndMark, writeEndMark } from "../runs/endMark.js";
import { isDivided } from "../step/zero.js";
import { Disagreement } from "./agreement.js";
import { tellReads } from "./provenance.js";
import { saveLatest } from "./save.js";
import type { Session } from "./session.js";

/** Marks how a run ended; nothing in a process that does not write. */
export async function markEnd(session: Session, reason: EndMark["reason"], epoch = session.progress.epoch) {
  if (!session.writes) return;
  await tellReads(session);
  await writeEndMark(session.folder, { reason, epoch, step: session.progress.step });
}

/** The checkpoint and the end mark of a run whose reader has left it between two events. */
export async function left(session: Session): Promise<void> {
  const { unfinished } = session;
  // one process alone has no whole state: the last regular save goes on
  if (!isDivided(session.config, session.communicator)) await saveLatest(session, unfinished ?? undefined);
  await markEnd(session, "interrupted", unfinished?.epoch);
}

/** Marks the run as failed and ends the other processes. @returns the error to throw */
export async function failed(session: Session, error: unknown): Promise<unknown> {
  // what stopped the run, such as a full disk, may stop this too
  await markEnd(session, "failed").catch(() => {});
  // whoever ends first ends the others too
  if (isShared(error)) await session.communicator.gather(null);
  const { id, resultsDir, checkpointDir } = session.folder;
  const kept = presentCheckpoints(checkpointDir, "latest").length > 0;
  const smaller = isOutOfMemory(error)
    ? "Or take a smaller batch_size, or look at what it needs: npx atmorep train --dry-run. "
    : "";
  const again = kept
    ? `Mend that; then: npx atmorep train --continue ${id} --in-place`
    : "Mend that and start again; this run has saved nothing yet.";
  return systemFault(whileRunning(error), "failed", "the run cannot go on", {
    where: resultsDir,
    fix: smaller + again,
  });
}

/** Faults of the data that show only now have work behind them: they are failures, not wrong input. */
function whileRunning(error: unknown): unknown {
  if (!isAtmorepError(error) || error.code === "failed" || error instanceof Disagreement) return error;
  return new AtmorepError("failed", error.message, { cause: error });
}
