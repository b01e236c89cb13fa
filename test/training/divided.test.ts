/** Saving a state that several processes keep apart: what reaches the first, and in which pieces. */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, expect, it } from "vitest";
import type { RunConfig } from "../../src/config/types.js";
import { ALONE, type Communicator } from "../../src/distributed/index.js";
import { type Engine, openEngine } from "../../src/engine/index.js";
import type { Params } from "../../src/model/types.js";
import { saveCheckpoint, type WrittenParams } from "../../src/runs/checkpoint.js";
import type { CheckpointState } from "../../src/runs/checkpointState.js";
import { initState, type TrainState } from "../../src/step/step.js";
import { giveParts, inTurn, ownState, wholeInTurn } from "../../src/training/divided.js";
import { tempDir } from "../support/tempDir.js";

let engine: Engine;
beforeAll(async () => {
  engine = await openEngine("wasm");
});

const SIZES = [40, 7, 12, 30, 1, 25];
const config = { optimizer_zero: true, freeze: ["p2"], ema_decay: 0.9 } as unknown as RunConfig;

function stateOf(): TrainState {
  const tensors = (seed: number): Params =>
    Object.fromEntries(SIZES.map((size, i) => [`p${i}`, tf.range(seed + i, seed + i + size)]));
  const state = initState(tensors(0), config);
  return { ...state, optimizer: { ...state.optimizer, m: tensors(1000), v: tensors(2000) }, ema: tensors(3000) };
}

/** Processes whose parts meet in the order in which they are given; `pieces` are the lengths that the first was given. */
function communicators(size: number, pieces: number[]): Communicator[] {
  const sent = Array.from({ length: size }, () => [] as Float32Array[]);
  return Array.from({ length: size }, (_, rank) => ({
    ...ALONE,
    rank,
    size,
    async gatherParts(values: Float32Array, ends: readonly number[]) {
      for (const [k, end] of ends.entries()) {
        const part = values.subarray(ends[k - 1] ?? 0, end);
        if (part.length === 0 || k === 0) continue;
        if (rank === k) sent[k].push(part.slice());
        if (rank !== 0) continue;
        while (sent[k].length === 0) await new Promise(setImmediate);
        part.set(sent[k].shift()!);
        pieces.push(part.length);
      }
    },
  }));
}

async function written(params: WrittenParams, m: WrittenParams, v: WrittenParams, ema: WrittenParams): Promise<string> {
  const content = { state: {} as CheckpointState, params, moments: { m, v, updates: 3 }, ema, provenance: null };
  const path = await saveCheckpoint(tempDir(), "latest", content);
  return createHash("sha256").update(readFileSync(path)).digest("hex");
}

it.each([2, 3, 4])("%i processes give the first one tensor after the other, for the file of one", async (size) => {
  const { params, optimizer, ema } = stateOf();
  const expected = await written(inTurn(params), inTurn(optimizer.m), inTurn(optimizer.v), inTurn(ema!));
  const pieces: number[] = [];
  const files = await Promise.all(
    communicators(size, pieces).map(async (communicator) => {
      const state = ownState(stateOf(), config, communicator);
      const session = { config, communicator, engine, state };
      const { m, v } = state.optimizer;
      if (communicator.rank > 0) return giveParts(session, [m, v, state.ema!]);
      const whole = (record: Params) => wholeInTurn(session, record);
      return written(inTurn(state.params), whole(m), whole(v), whole(state.ema!));
    }),
  );
  expect(files).toEqual([expected, ...Array(size - 1).fill(undefined)]);
  const others = pieces.length / 3;
  expect(pieces.slice(0, others)).toEqual(SIZES.slice(SIZES.length - others));
});
