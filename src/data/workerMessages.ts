/** What the loader and its workers say to each other. */
import type { ErrorCode, ErrorDetails } from "../errors.js";
import type { CubeConfig } from "./cube.js";
import type { CubeBatch, Draw } from "./types.js";

/** What the main thread tells a worker at its start. */
export interface WorkerSetup {
  storeLocation: string;
  config: CubeConfig;
  cacheBytes: number;
}

export interface WorkerRequest {
  index: number;
  draw: Draw;
}

export type WorkerReply =
  | { index: number; batch: CubeBatch }
  | { index: number; error: { message: string; code?: ErrorCode; details?: ErrorDetails; stack?: string } };
