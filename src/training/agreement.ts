/**
 * Whether the processes of a run are at one. Each computes with its own copy of everything; a process with another
 * configuration, other data or other weights would train on and spoil the sum without a sign.
 */
import { createHash } from "node:crypto";
import type { RunConfig } from "../config/types.js";
import type { Store } from "../data/store.js";
import { type Communicator, markShared } from "../distributed/index.js";
import type { Engine } from "../engine/index.js";
import { AtmorepError } from "../errors.js";
import { bytesOf } from "../formats/tensors.js";
import { toPlain } from "../model/index.js";
import type { PlainParams } from "../model/types.js";
import type { Continuation } from "../runs/continue.js";
import { isDivided } from "../step/zero.js";
import type { TrainOptions } from "./options.js";
import { programVersion } from "./provenance.js";
import type { Session } from "./session.js";
import { startingProgress } from "./starting.js";

/** What must be equal, by its name in messages. */
export type Facts = Record<string, string | number>;

/** Processes that differ: exit 2 whenever it is found. */
export class Disagreement extends AtmorepError {}

/**
 * Every process calls it with its own facts; all return, or all throw the same error.
 * @param when for the message: `before the first step`
 * @throws Disagreement (usage) naming the first process that differs, in what, and both values
 */
export async function assertAgreed(communicator: Communicator, when: string, facts: () => Facts): Promise<void> {
  if (communicator.size === 1) return;
  const all = await communicator.gather(facts());
  for (const [rank, own] of all.entries()) {
    const names = new Set([...Object.keys(all[0]), ...Object.keys(own)]);
    const name = [...names].find((key) => own[key] !== all[0][key]);
    if (name === undefined) continue;
    const error = new Disagreement("usage", `process ${rank} differs from process 0 ${when}`, {
      where: name,
      found: `${shown(own[name])} in process ${rank}`,
      expected: `${shown(all[0][name])}, as in process 0`,
      fix: "Start all processes of a run with the same command, program and libraries, on the same data.",
    });
    markShared(error);
    throw error;
  }
}

const shown = (value: string | number | undefined): string => {
  const text = value === undefined ? "nothing" : String(value);
  return text.length > 200 ? `${text.slice(0, 200)}...` : text;
};

/** What each process was asked to do, before anything is drawn or read. */
export function factsAsked(config: RunConfig, options: TrainOptions): Facts {
  const { continue: continued, inPlace, initFrom, acceptMissing, acceptUnexpected, maxSteps, overfit } = options;
  const asked = { continued, inPlace, initFrom, acceptMissing, acceptUnexpected, maxSteps, overfit };
  const facts: Facts = { version: programVersion() };
  for (const [key, value] of Object.entries(config)) facts[`configuration, ${key}`] = JSON.stringify(value ?? null);
  for (const [key, value] of Object.entries(asked)) facts[`option, ${key}`] = String(value ?? "not given");
  return facts;
}

/** What a process has opened and read, once it could begin. */
export function factsBegun({ store, firstValues, engine, weights, continued }: Begun): Facts {
  const { moments, ema } = continued?.checkpoint ?? {};
  return {
    data: `${store.times.length} times, first values ${firstValues}`,
    engine: engine.description,
    products: process.env.ATMOREP_PRODUCTS || "float32",
    threads: engine.threads,
    kernels: engine.kernels ? "own" : "the library's",
    progress: JSON.stringify(startingProgress(continued)),
    "weights and moments": stateDigest(moments?.updates ?? 0, [weights, moments?.m, moments?.v, ema]),
  };
}

interface Begun {
  store: Store;
  /** of the first batches, `readOneBatch` */
  firstValues: string;
  engine: Engine;
  weights: PlainParams;
  continued: Continuation | null;
}

/** SHA-256 of every name and number of weights, both moments and averaged weights, 16 hexadecimal digits of it. */
export function stateDigest(updates: number, groups: readonly (PlainParams | null | undefined)[]): string {
  const hash = createHash("sha256").update(String(updates));
  for (const group of groups) {
    hash.update(group ? "group" : "none");
    for (const [name, { data }] of group ?? []) hash.update(name).update(bytesOf(data));
  }
  return hash.digest("hex").slice(0, 16);
}

/** Before a regular save. @throws Disagreement (usage) in every process, if weights, moments or progress differ */
export async function assertSameState(session: Session): Promise<void> {
  const { communicator, state, progress } = session;
  if (communicator.size === 1) return;
  const { params, ema } = state;
  const { m, v, updates } = state.optimizer;
  // what each keeps of its own has no like
  const compared = isDivided(session.config, communicator) ? [params] : [params, m, v, ema];
  const groups = await Promise.all(compared.map((group) => group && toPlain(group)));
  await assertAgreed(communicator, `after step ${progress.step}`, () => ({
    progress: JSON.stringify(progress),
    "weights and moments": stateDigest(updates, groups),
  }));
}
