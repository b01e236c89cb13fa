/** What the loader and its workers say to each other. */
import type { RunConfig } from "../config/types.js";
import type { SharedHandle } from "../data/cache/sharedChunks.js";
import type { allReads } from "../data/source/index.js";
import type { CubeBatch, Draw, SampleBatch } from "../data/types.js";
import type { ErrorCode, ErrorDetails } from "../errors.js";
import type { BatchPlace, MaskedBatch } from "../masking/index.js";

/** What the main thread tells a worker at its start. */
export interface WorkerSetup {
  storeLocation: string;
  /** of the store that is open in the main thread */
  session: string;
  statistics: string | null;
  config: RunConfig;
  cache: SharedHandle;
  /** what stands first in the batches asked for */
  first: First;
  /** numbers that all workers and the main thread share: `CONTROL` and, from its end on, one for each worker */
  control: Int32Array;
  /** this worker among them, from 0 */
  worker: number;
  /** digests of what it reads are told at its end */
  reads: boolean;
}

/** Places in `control`. */
export const CONTROL = {
  /** the batch that whoever is free takes next */
  next: 0,
  /** 1: everybody is to end */
  ended: 1,
  /** here begins what each worker has in work: the batch's index + 1, or 0 */
  inWork: 2,
} as const;

/** The first batch that workers make. */
export const FROM = 1;

/** Levels: `readCube`; samples: `readSamples`. */
export type First = "level" | "sample";

/** Which masks a batch gets where it is made. */
export interface Masking {
  place: BatchPlace;
  strategy: RunConfig["BERT_strategy"];
}

/** A batch that is asked for: of all workers, and one of them takes it. */
export interface WorkerRequest {
  index: number;
  draw: Draw;
  masking: Masking | null;
  /** in shared memory, for the tokens and targets of whoever takes it; none where the levels stand first */
  arrays: Float32Array[];
}

/** The end of a worker, in order. */
export type WorkerMessage = WorkerRequest | "end";

export type WorkerReply =
  | { reads: ReturnType<typeof allReads> }
  | { index: number; batch: CubeBatch | SampleBatch; masked: MaskedBatch | null }
  | { index: number; error: { message: string; code?: ErrorCode; details?: ErrorDetails; stack?: string } };
