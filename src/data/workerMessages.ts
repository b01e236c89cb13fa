/** What the loader and its workers say to each other. */
import type { ErrorCode, ErrorDetails } from "../errors.js";
import type { CubeConfig } from "./cube.js";
import type { CubeBatch, Draw, SampleBatch } from "./types.js";

/** What the main thread tells a worker at its start. */
export interface WorkerSetup {
  storeLocation: string;
  /** of the store of the thread that asks, if it has one */
  session: string | undefined;
  statistics: string | null;
  config: CubeConfig;
  cacheBytes: number;
  /** what stands first in the batches asked for */
  first: First;
}

/** Levels: `readCube`; samples: `readSamples`. */
export type First = "level" | "sample";

export interface WorkerRequest {
  index: number;
  draw: Draw;
  /** arrays of batches that have been used, for those to come; handed over */
  spent: Float32Array[];
}

export type WorkerReply =
  | { index: number; batch: CubeBatch | SampleBatch }
  | { index: number; error: { message: string; code?: ErrorCode; details?: ErrorDetails; stack?: string } };
