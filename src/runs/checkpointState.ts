/** What a checkpoint holds beside its tensors, in its present format and in the one of version 0.1. */
import { createHash } from "node:crypto";
import { brief } from "../shown.js";

/** What the console line averages over since the last one was printed. */
export interface ConsoleSums {
  /** lines printed in this epoch */
  printed: number;
  batches: number;
  total: number;
  mse: number;
}

/** What made a checkpoint. Nothing that differs between a notebook and the command line, so that both write the same bytes. */
export interface MadeBy {
  /** version of the program */
  version: string;
  /** `native` or `wasm`; null in checkpoints of version 0.1 */
  engine: string | null;
  /** precision of the products: `float32`, `bf16x3`, ...; null in checkpoints of version 0.1 */
  products: string | null;
}

export interface CheckpointState {
  format: 2;
  madeBy: MadeBy;
  runId: string;
  /** the run that this one goes on from under another id, and the step it took over at */
  parent: { runId: string; step: number } | null;
  /** optimiser steps done */
  step: number;
  epoch: number;
  /** next batch of the epoch; equal to their number when the epoch's validation comes next */
  batch: number;
  samples: number;
  /** rows of `metrics.jsonl` written when this was saved */
  metricsRows: number;
  /** least validation loss so far and the step it was reached at */
  best: { loss: number; step: number } | null;
  lastLoss: number | null;
  console: ConsoleSums;
  /** states of the training masks' generators (`mask_streams: run`); null where each batch has its own */
  masking: unknown;
}

type Stored = CheckpointState & { updates: number };

/** The state as it is in the file, or what is wrong with it. */
export function parseState(text: string): Stored | string {
  const state = parseObject(text);
  if (state === null) return "the state is not JSON";
  if (state.format !== 2) return unknownFormat(state.format);
  return faultOf(state) ?? (state as unknown as Stored);
}

/** Format 1: no parent, only the version of what made it, and a checksum over the tensors' bytes alone. */
export function readFormat1(text: string, tensors: readonly Uint8Array[], sha256: string | undefined): Stored | string {
  const hash = createHash("sha256");
  for (const bytes of tensors) hash.update(bytes);
  if (hash.digest("hex") !== sha256) return "the checksum does not fit the data";
  const state = parseObject(text);
  if (state === null) return "the state is not JSON";
  if (state.format === 2) return "the digest is missing";
  if (state.format !== 1) return unknownFormat(state.format);
  const { version, ...rest } = state;
  const madeBy = { version: String(version), engine: null, products: null };
  return faultOf(rest) ?? ({ ...rest, format: 2, madeBy, parent: null } as unknown as Stored);
}

const unknownFormat = (format: unknown): string =>
  `format ${brief(format)} is not known here: a newer version of the program wrote it`;

function parseObject(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}

const COUNTS = ["step", "epoch", "batch", "samples", "metricsRows", "updates"] as const;

/** What in a state is not what it must be; null if nothing is. */
function faultOf(state: Record<string, unknown>): string | null {
  const count = (value: unknown) => Number.isSafeInteger(value) && (value as number) >= 0;
  for (const key of COUNTS) if (!count(state[key])) return `the state has no valid ${key}`;
  const { best, lastLoss, console: sums } = state as { [key: string]: Record<string, unknown> | null };
  if (best !== null && !(typeof best?.loss === "number" && count(best.step))) return "the state has no valid best";
  if (lastLoss !== null && typeof lastLoss !== "number") return "the state has no valid lastLoss";
  if (!count(sums?.printed) || !count(sums?.batches)) return "the state has no valid console";
  return null;
}
