/** Entry of a worker thread of the loader: reads the batches that it is asked for and hands their buffers over. */
import { parentPort, workerData } from "node:worker_threads";
import { isAtmorepError } from "../errors.js";
import { readCube, readSamples } from "./cube.js";
import { BufferPool } from "./pool.js";
import { openStore } from "./store.js";
import type { CubeBatch, SampleBatch } from "./types.js";
import type { WorkerReply, WorkerRequest, WorkerSetup } from "./workerMessages.js";

const { storeLocation, session, statistics, config, cacheBytes, first } = workerData as WorkerSetup;
const pool = new BufferPool();
const store = openStore(storeLocation, { cacheBytes, session, statistics });
// A store that cannot be opened is reported with the first batch.
store.catch(() => {});

// One batch after the other, so that a worker holds the chunks of one batch at a time.
let queue = Promise.resolve();

parentPort?.on("message", (request: WorkerRequest) => {
  queue = queue.then(() => answer(request));
});

async function answer({ index, draw, spent }: WorkerRequest): Promise<void> {
  try {
    pool.give(...spent);
    const opened = await store;
    const batch =
      first === "level" ? await readCube(opened, config, draw) : await readSamples(opened, config, draw, pool);
    parentPort?.postMessage({ index, batch } satisfies WorkerReply, buffersOf(batch));
  } catch (error) {
    parentPort?.postMessage({ index, error: describe(error) } satisfies WorkerReply);
  }
}

function buffersOf({ windows, fields }: CubeBatch | SampleBatch): ArrayBuffer[] {
  return [
    ...windows.flatMap((window) => [window.time, window.lat, window.lon]),
    ...fields.flatMap(({ tokens, infos, valid }) => (valid ? [tokens, infos, valid] : [tokens, infos])),
  ].map((array) => array.buffer as ArrayBuffer);
}

function describe(error: unknown): Extract<WorkerReply, { error: unknown }>["error"] {
  if (isAtmorepError(error)) {
    const { where, found, expected, fix } = error.details;
    return { message: error.message, code: error.code, details: { where, found, expected, fix } };
  }
  return {
    message: error instanceof Error ? error.message : String(error),
    stack: error instanceof Error ? error.stack : undefined,
  };
}
