/**
 * What is told of the model when a run ends: the best weights, which validation chose, on the test; without a test the
 * last validation, which is then both what was chosen on and what is told.
 */
import { existsSync } from "node:fs";
import * as tf from "@tensorflow/tfjs-core";
import { toTensors } from "../model/index.js";
import { type Validation, validate } from "../prediction/validation.js";
import type { FieldSkill, FinishedEvent } from "../runs/events.js";
import { readInitialWeights, weightPath } from "../runs/weightFiles.js";
import type { BaselineParams } from "../scores/index.js";
import type { Session } from "./session.js";

type Told = Pick<FinishedEvent, "skill" | "verdict" | "toldOn" | "averaging">;

interface Known {
  /** the last validation of this process, if there was one */
  last: Validation | null;
  /** scores of the baselines alone */
  baselines: FieldSkill[];
  /** a run that is stopped from outside is not kept waiting */
  interrupted: boolean;
}

/** Told to all processes, of which the first has the numbers. Moves nothing on, and writes nothing. */
export async function tellAtEnd(session: Session, fitted: BaselineParams, known: Known): Promise<Told> {
  const { last, baselines, interrupted } = known;
  const plain: Told = last
    ? { skill: last.skill, verdict: last.verdict, toldOn: "validation", averaging: null }
    : { skill: baselines, verdict: null, toldOn: null, averaging: null };
  if (interrupted || last === null) return plain;
  const { communicator, writes } = session;
  const own = {
    test: writes ? await onTest(session, fitted) : null,
    raw: session.state.ema ? await onRawWeights(session, fitted) : null,
  };
  const { test, raw } = await communicator.broadcast(own);
  const averaging = raw ? { averaged: last.loss, raw: raw.loss } : null;
  return test ? { skill: test.skill, verdict: test.verdict, toldOn: "test", averaging } : { ...plain, averaging };
}

/** The best weights on the test; null without one, or if the run is interrupted meanwhile. */
async function onTest(session: Session, baselines: BaselineParams): Promise<Validation | null> {
  const { testDraws: draws, progress, folder, config, model, options } = session;
  // a best that came from a run whose files are gone is no reason to fail at the end
  if (draws === null || progress.best === null || !existsSync(weightPath(folder.modelsDir, folder.id, "best")))
    return null;
  const best = await readInitialWeights(options.out ?? ".", `${folder.id}@best`, config, model.spec);
  const weights = toTensors(best);
  const instead = { split: "test", draws } as const;
  const { signal } = options;
  try {
    return await validate(session, {
      weights,
      baselines,
      epoch: progress.epoch,
      folder,
      stores: false,
      instead,
      signal,
    });
  } finally {
    tf.dispose(Object.values(weights));
  }
}

/** The weights that training goes on from, where averaged ones predict, on the validation. */
const onRawWeights = (session: Session, baselines: BaselineParams): Promise<Validation | null> => {
  const { state, progress, folder, options, communicator } = session;
  const { signal } = options;
  const request = { weights: state.params, baselines, epoch: progress.epoch, folder, stores: false, signal };
  return validate(session, { ...request, communicator });
};
