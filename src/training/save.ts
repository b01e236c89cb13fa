/** What a run saves: the numbered weights of an epoch, and weights with complete state for "latest" and "best". */
import { toPlain } from "../model/index.js";
import { type CheckpointKind, saveCheckpoint } from "../runs/checkpoint.js";
import { epochOf, removeWeights } from "../runs/digests.js";
import type { SavedEvent } from "../runs/events.js";
import { type WeightTag, weightPath, writeWeightFiles } from "../runs/weightFiles.js";
import { giveParts, inTurn, wholeInTurn, wholePlain } from "./divided.js";
import { storedProvenance, tellReads } from "./provenance.js";
import type { BeforeValidation, Session } from "./session.js";

/** Writes the weights that predict, averaged ones if `ema_decay` is set. Every process calls it, one writes. */
async function writeWeights(session: Session, tag: WeightTag): Promise<void> {
  const { ema, params } = session.state;
  const averaged = ema && (await wholePlain(session, ema, "first"));
  if (!session.writes) return;
  const plain = averaged ?? (await toPlain(params));
  await writeWeightFiles(session.folder.modelsDir, session.folder.id, tag, plain, session);
}

/** Every process calls it, one writes. */
async function saveState(session: Session, kind: CheckpointKind, before?: BeforeValidation): Promise<void> {
  const { state, progress, folder, metrics, masks } = session;
  const { m, v, updates } = state.optimizer;
  // in the order of the file
  if (!session.writes) return giveParts(session, [m, v, ...(state.ema ? [state.ema] : [])]);
  await metrics.sync();
  await saveCheckpoint(folder.checkpointDir, kind, {
    state: {
      format: 2,
      madeBy: {
        version: session.provenance.version,
        engine: session.provenance.engine,
        products: session.provenance.products,
      },
      runId: folder.id,
      parent: session.parent,
      metricsRows: metrics.rows,
      masking: masks.getState(),
      ...progress,
      ...before,
    },
    params: inTurn(state.params),
    moments: { m: wholeInTurn(session, m), v: wholeInTurn(session, v), updates },
    ema: state.ema && wholeInTurn(session, state.ema),
    provenance: storedProvenance(session),
  });
}

/** The state before the first step: from here on the run can be continued, whenever it is killed. */
export async function saveStart(session: Session): Promise<void> {
  await saveState(session, "latest");
}

/** `AtmoRep_id<ID>_epoch<n>.mod` and its parts; with `keep_epochs` the oldest of them then go. */
export async function saveEpoch(session: Session): Promise<SavedEvent> {
  const { config, folder, progress, writes } = session;
  const path = weightPath(folder.modelsDir, folder.id, progress.epoch);
  await writeWeights(session, progress.epoch);
  if (writes) {
    const keep = config.keep_epochs ?? Number.POSITIVE_INFINITY;
    await tellReads(session);
    await removeWeights(folder.modelsDir, (name) => (epochOf(name) ?? progress.epoch) <= progress.epoch - keep);
  }
  return { type: "saved", kind: "epoch", step: progress.step, path };
}

/** The weights first: once the state says that the run has come this far, everything before it is in place. */
async function save(session: Session, kind: CheckpointKind, before?: BeforeValidation): Promise<SavedEvent> {
  const { folder } = session;
  const path = weightPath(folder.modelsDir, folder.id, kind);
  await writeWeights(session, kind);
  await saveState(session, kind, before);
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
