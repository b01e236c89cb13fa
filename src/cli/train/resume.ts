/**
 * Going on with a run by its id, whether it has begun or not: what jobs need that a scheduler starts anew, and those of a
 * chain. Slurm says so itself (`SLURM_RESTART_COUNT`); elsewhere `--resume` does.
 */
import { locateConfig } from "../../config/locate.js";
import { readConfigFile } from "../../config/text/files.js";
import { AtmorepError } from "../../errors.js";
import { isWholeLatest, presentCheckpoints, readProgress } from "../../runs/checkpoint.js";
import { type EndMark, readEndMark, writeEndMark } from "../../runs/endMark.js";
import { parseRunReference, type RunFolder, runFolder } from "../../runs/folder.js";
import { lockRun } from "../../runs/lock.js";
import type { TrainFlags } from "./options.js";

type Environment = Readonly<Record<string, string | undefined>>;

/** What the flags mean where their run is there already. */
export interface Resumed {
  /** as they would be given to continue it in place */
  flags: TrainFlags;
  folder: RunFolder;
}

/**
 * The run that is to go on; null where nothing asks for that, or it has no checkpoint: then it begins as if it were new.
 * A job that Slurm has started anew goes on with a run that it has begun itself, not with another of the same id.
 * @throws AtmorepError (usage) for `--resume` without an id
 */
export function resumedRun(flags: TrainFlags, env: Environment = process.env): Resumed | null {
  const restarted = Number(env.SLURM_RESTART_COUNT ?? 0) > 0;
  if (!flags.resume && !restarted) return null;
  const id = flags.inPlace && flags.continue ? parseRunReference(flags.continue).id : flags.runId;
  if (id === undefined) {
    if (!flags.resume) return null;
    throw new AtmorepError("usage", "--resume needs the id of the run", { fix: "--run-id ab12cd34 --resume" });
  }
  const folder = runFolder(flags.out, id);
  if (presentCheckpoints(folder.checkpointDir, "latest").length === 0) return null;
  const ownJob = restarted && jobOfRun(folder) === env.SLURM_JOB_ID;
  if (!flags.resume && !ownJob) return null;
  const { runId: _id, preset: _preset, initFrom: _weights, ...kept } = flags;
  // a job that was started anew has gone on from there in its earlier life: what it learnt since counts
  const from = flags.inPlace && flags.continue && !ownJob ? flags.continue : id;
  return { flags: { ...kept, continue: from, inPlace: true }, folder };
}

const jobOfRun = ({ modelsDir }: RunFolder): unknown => readConfigFile(locateConfig(modelsDir)).values.slurm_job_id;

/** What a run is to come to. */
interface Goal {
  /** `num_epochs` */
  epochs: number;
  maxSteps: number | undefined;
  /** whether this process is the one that writes */
  writes: boolean;
}

/**
 * Says that nothing is left to do, where the run has come to its end; a run that a limit of time has ended goes on. One that was killed
 * between its last checkpoint and its end mark has the mark then.
 * @throws AtmorepError (usage) if another process trains it
 */
export async function endOfRun(folder: RunFolder, goal: Goal): Promise<string | null> {
  const mark = (await readEndMark(folder)) ?? (await unmarkedEnd(folder, goal));
  if (mark === null) return null;
  const done = mark.reason === "completed" && mark.epoch >= goal.epochs;
  const enough = mark.reason === "max-steps" && goal.maxSteps !== undefined && mark.step >= goal.maxSteps;
  return done || enough
    ? `run ${folder.id} has ended already (${mark.reason}, ${mark.step} steps): nothing to do`
    : null;
}

async function unmarkedEnd(folder: RunFolder, { epochs, maxSteps, writes }: Goal): Promise<EndMark | null> {
  const progress = await readProgress(folder.checkpointDir);
  if (progress === null) return null;
  const { epoch, step, batch } = progress;
  const reason =
    epoch >= epochs ? "completed" : maxSteps !== undefined && step >= maxSteps && batch === 0 ? "max-steps" : null;
  // reading the whole file is left for a run that says that it has ended
  if (reason === null || !(await isWholeLatest(folder.checkpointDir))) return null;
  const mark: EndMark = { reason, epoch, step };
  if (!writes) return mark;
  const lock = await lockRun(folder);
  try {
    await writeEndMark(folder, mark);
  } finally {
    await lock.release();
  }
  return mark;
}
