/** What a run saves: the numbered weights of an epoch, and weights with complete state for "latest" and "best". */
import { readFileSync } from "node:fs";
import { toPlain } from "../model/index.js";
import type { PlainParams } from "../model/types.js";
import { type CheckpointKind, saveCheckpoint } from "../runs/checkpoint.js";
import { epochOf, removeWeights } from "../runs/digests.js";
import type { SavedEvent } from "../runs/events.js";
import { type WeightTag, weightPath, writeWeightFiles } from "../runs/weightFiles.js";
import type { BeforeValidation, Session } from "./session.js";

/** The weights that predict: averaged ones if `ema_decay` is set. */
async function predictingWeights({ state }: Session): Promise<PlainParams> {
  return toPlain(state.ema ?? state.params);
}

async function writeWeights(session: Session, tag: WeightTag): Promise<string> {
  const params = await predictingWeights(session);
  return writeWeightFiles(session.folder.modelsDir, session.folder.id, tag, params, session);
}

/** Version of the program, written into checkpoints. */
function programVersion(): string {
  return JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")).version;
}

async function saveState(session: Session, kind: CheckpointKind, before?: BeforeValidation): Promise<void> {
  const { state, progress, folder, metrics, masks } = session;
  await metrics.sync();
  await saveCheckpoint(folder.checkpointDir, kind, {
    state: {
      format: 2,
      madeBy: {
        version: programVersion(),
        engine: session.engine.name,
        products: process.env.ATMOREP_PRODUCTS || "float32",
      },
      runId: folder.id,
      parent: session.parent,
      metricsRows: metrics.rows,
      masking: masks.getState(),
      ...progress,
      ...before,
    },
    params: await toPlain(state.params),
    moments: {
      m: await toPlain(state.optimizer.m),
      v: await toPlain(state.optimizer.v),
      updates: state.optimizer.updates,
    },
    ema: state.ema ? await toPlain(state.ema) : null,
  });
}

/** The state before the first step: from here on the run can be continued, whenever it is killed. */
export async function saveStart(session: Session): Promise<void> {
  if (session.writes) await saveState(session, "latest");
}

/** `AtmoRep_id<ID>_epoch<n>.mod` and its parts; with `keep_epochs` the oldest of them then go. */
export async function saveEpoch(session: Session): Promise<SavedEvent> {
  const { config, folder, progress, writes } = session;
  const path = weightPath(folder.modelsDir, folder.id, progress.epoch);
  if (writes) {
    await writeWeights(session, progress.epoch);
    const keep = config.keep_epochs ?? Number.POSITIVE_INFINITY;
    await removeWeights(folder.modelsDir, (name) => (epochOf(name) ?? progress.epoch) <= progress.epoch - keep);
  }
  return { type: "saved", kind: "epoch", step: progress.step, path };
}

/** The weights first: once the state says that the run has come this far, everything before it is in place. */
async function save(session: Session, kind: CheckpointKind, before?: BeforeValidation): Promise<SavedEvent> {
  const { folder, writes } = session;
  const path = weightPath(folder.modelsDir, folder.id, kind);
  if (writes) {
    await writeWeights(session, kind);
    await saveState(session, kind, before);
  }
  return { type: "saved", kind, step: session.progress.step, path };
}

/**
 * The un-numbered weights and `checkpoint/latest`.
 *
 * @param before given if the run is left within a validation, which then is done again
 */
export const saveLatest = (session: Session, before?: BeforeValidation): Promise<SavedEvent> =>
  save(session, "latest", before);

/**
 * `AtmoRep_id<ID>_best.mod` and `checkpoint/best`.
 *
 * @param before given for the validation that ends a run within an epoch: an unbroken run does not have it, so neither
 *   has what continues from here
 */
export const saveBest = (session: Session, before?: BeforeValidation): Promise<SavedEvent> =>
  save(session, "best", before);
