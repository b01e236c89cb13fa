/** `optimizer_zero`: the parts of a state that processes keep apart, brought together where the whole is needed. */
import * as tf from "@tensorflow/tfjs-core";
import type { Communicator } from "../distributed/index.js";
import { toPlain, toTensors } from "../model/index.js";
import type { Params, PlainParams } from "../model/types.js";
import type { WrittenParams } from "../runs/checkpoint.js";
import { layoutOf, stepArrays } from "../step/sharedGradients.js";
import type { TrainState } from "../step/step.js";
import { isDivided, ownersOf } from "../step/zero.js";
import type { Session } from "./session.js";

type Divided = Pick<Session, "config" | "communicator" | "engine" | "state">;

/** The state without what other processes keep, which is released. */
export function ownState(state: TrainState, config: Session["config"], communicator: Communicator): TrainState {
  const own = ownersOf(state.params, config, communicator)?.[communicator.rank];
  if (!own) return state;
  const kept = new Set(own);
  const part = (record: Params) => {
    tf.dispose(Object.entries(record).flatMap(([name, tensor]) => (kept.has(name) ? [] : [tensor])));
    return Object.fromEntries(own.map((name) => [name, record[name]]));
  };
  const { params, optimizer, ema } = state;
  return { params, optimizer: { ...optimizer, m: part(optimizer.m), v: part(optimizer.v) }, ema: ema && part(ema) };
}

/** A record of moments or averages as plain numbers, whole in process 0 or in all; empty in the others. Every process calls it. */
export async function wholePlain(session: Divided, record: Params, to: "all" | "first"): Promise<PlainParams> {
  const { state, config, communicator, engine } = session;
  const owners = ownersOf(state.params, config, communicator);
  if (!owners) return communicator.rank === 0 || to === "all" ? toPlain(record) : new Map();
  const { names, at, ends, own } = layoutOf(state.params, new Set(), owners, communicator);
  const [values] = stepArrays(communicator, 1, at[names.length]);
  const mine = names.slice(own[0], own[1]).map((name) => record[name]);
  await engine.copyOut(mine, values.subarray(at[own[0]], at[own[1]]));
  await communicator.gatherParts(values, ends, to);
  const whole: PlainParams = new Map();
  if (to === "first" && communicator.rank !== 0) return whole;
  for (const [i, name] of names.entries()) {
    whole.set(name, { shape: state.params[name].shape.slice(), data: values.slice(at[i], at[i + 1]) });
  }
  return whole;
}

/** A record whose tensors are read one by one. */
export const inTurn = (record: Params): WrittenParams =>
  new Map(
    Object.entries(record).map(([name, tensor]) => [
      name,
      { shape: tensor.shape.slice(), data: async () => Float32Array.from(await tensor.data()) },
    ]),
  );

/**
 * In process 0 a record of moments or averages, whole: each tensor comes when it is read, from the process that keeps it. The
 * others call `giveParts` with the records that are read, in that order.
 */
export function wholeInTurn(session: Divided, record: Params): WrittenParams {
  const { params } = session.state;
  const keepers = keepersOf(session);
  if (!keepers) return inTurn(record);
  return new Map(
    keepers.map(([name, keeper]) => [
      name,
      { shape: params[name].shape.slice(), data: () => toFirst(session, record, name, keeper) },
    ]),
  );
}

/** In every process but the first: its part of records that the first reads with `wholeInTurn`. */
export async function giveParts(session: Divided, records: readonly Params[]): Promise<void> {
  const own = (keepersOf(session) ?? []).filter(([, keeper]) => keeper === session.communicator.rank);
  for (const record of records) for (const [name, keeper] of own) await toFirst(session, record, name, keeper);
}

/** Every parameter in its order, and the process that keeps its moments; null where all keep all. */
function keepersOf({ state, config, communicator }: Divided): [name: string, keeper: number][] | null {
  const owners = ownersOf(state.params, config, communicator);
  return owners?.flatMap((names, keeper) => names.map((name): [string, number] => [name, keeper])) ?? null;
}

/** One tensor, in the process that keeps it and in the first, to the first. */
async function toFirst(session: Divided, record: Params, name: string, keeper: number): Promise<Float32Array> {
  const { state, communicator, engine } = session;
  const { rank, size } = communicator;
  const length = state.params[name].size;
  const values = new Float32Array(new ArrayBuffer(4 * length));
  if (keeper === rank) await engine.copyOut([record[name]], values);
  const ends = Array.from({ length: size }, (_, k) => (k < keeper ? 0 : length));
  await communicator.gatherParts(values, ends, "first");
  return values;
}

/** The weights that predict, the averaged ones if there are any, in every process; every process calls it. */
export async function predictingWeights(session: Divided): Promise<{ weights: Params; release(): void }> {
  const { state, config, communicator } = session;
  if (!state.ema || !isDivided(config, communicator)) return { weights: state.ema ?? state.params, release: () => {} };
  const weights = toTensors(await wholePlain(session, state.ema, "all"));
  return { weights, release: () => tf.dispose(Object.values(weights)) };
}
