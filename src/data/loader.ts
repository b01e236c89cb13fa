/** Batches in order, read ahead in worker threads; the number of workers never changes what comes out. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { AtmorepError } from "../errors.js";
import { type CubeConfig, readCube, readSamples } from "./cube.js";
import { BufferPool } from "./pool.js";
import { DEFAULT_CACHE_BYTES, openStore, type Store } from "./store.js";
import type { CubeBatch, Draw, SampleBatch } from "./types.js";
import type { First, WorkerReply, WorkerRequest, WorkerSetup } from "./workerMessages.js";

export interface LoadRequest {
  storeLocation: string;
  /** the same store, open already: reading in this thread uses it and what it has decoded */
  store?: Store;
  /** place of a normalisation beside the store; that of `store` if there is one */
  statistics?: string | null;
  config: CubeConfig;
  draws: readonly Draw[];
  /** worker threads; 0 reads in this thread. From uncompiled sources there are none. */
  workers?: number;
  /** bound of decoded chunks held, all workers together, in bytes */
  cacheBytes?: number;
  /** batches read ahead by each worker */
  prefetch?: number;
}

/**
 * The batches of some draws, in their order. Ending the loop early stops the workers; an error in a worker is thrown
 * at the batch it belongs to.
 * @example for await (const batch of loadCubes({ storeLocation, config, draws, workers: 2 })) { ... }
 * @throws AtmorepError as `openStore` and `readCube`
 */
export async function* loadCubes(request: LoadRequest): AsyncGenerator<CubeBatch, void, undefined> {
  yield* load<CubeBatch>(request, { first: "level", read: readCube, pool: new BufferPool() });
}

/**
 * The same batches with the samples first, for masking in place.
 * @param pool what is given back to it serves the batches to come, also those of the workers
 * @throws AtmorepError as `loadCubes`
 */
export async function* loadSamples(
  request: LoadRequest,
  pool = new BufferPool(),
): AsyncGenerator<SampleBatch, void, undefined> {
  const read = (store: Store, config: CubeConfig, draw: Draw) => readSamples(store, config, draw, pool);
  yield* load<SampleBatch>(request, { first: "sample", read, pool });
}

/** The form of the batches asked for, and how this thread reads one. */
interface Form<T> {
  first: First;
  read: (store: Store, config: CubeConfig, draw: Draw) => Promise<T>;
  pool: BufferPool;
}

async function* load<T extends CubeBatch | SampleBatch>(
  request: LoadRequest,
  form: Form<T>,
): AsyncGenerator<T, void, undefined> {
  const entry = fileURLToPath(new URL("./worker.js", import.meta.url));
  const workers = Math.min(request.workers ?? 0, request.draws.length);
  if (workers > 0 && existsSync(entry)) yield* loadInWorkers(request, form, workers, entry);
  else yield* loadHere(request, form);
}

async function* loadHere<T>(
  { storeLocation, store: given, statistics, config, draws, cacheBytes }: LoadRequest,
  { read }: Form<T>,
): AsyncGenerator<T, void, undefined> {
  const store = given ?? (await openStore(storeLocation, { cacheBytes, statistics }));
  try {
    for (const draw of draws) yield await read(store, config, draw);
  } finally {
    if (!given) await store.close();
  }
}

/** A batch that a worker has been asked for. */
interface Slot<T> {
  promise: Promise<T>;
  resolve: (batch: T) => void;
  reject: (error: Error) => void;
}

async function* loadInWorkers<T extends CubeBatch | SampleBatch>(
  request: LoadRequest,
  { first, pool }: Form<T>,
  workers: number,
  entry: string,
): AsyncGenerator<T, void, undefined> {
  const { storeLocation, config, draws, cacheBytes = DEFAULT_CACHE_BYTES, prefetch = 2 } = request;
  const { statistics = request.statistics ?? null, session } = request.store ?? {};
  const setup: WorkerSetup = {
    storeLocation,
    session,
    statistics,
    config,
    cacheBytes: Math.floor(cacheBytes / workers),
    first,
  };
  const slots = new Map<number, Slot<T>>();
  /** of the arrays of a batch, once one has come */
  let lengths: number[] = [];
  let failure: Error | null = null;
  const failAll = (error: Error) => {
    failure ??= error;
    for (const slot of slots.values()) slot.reject(failure);
  };
  let ending = false;
  const threads = Array.from({ length: workers }, () => {
    const thread = new Worker(entry, { workerData: setup });
    thread.on("message", (reply: WorkerReply) => {
      const slot = slots.get(reply.index);
      if ("batch" in reply) slot?.resolve(reply.batch as T);
      else slot?.reject(restoreError(reply.error));
    });
    thread.on("error", failAll);
    thread.on("exit", (code) => {
      if (!ending)
        failAll(new AtmorepError("failed", "a worker that prepares batches ended", { found: `exit code ${code}` }));
    });
    return thread;
  });
  const ask = (index: number) => {
    if (index >= draws.length) return;
    let resolve!: Slot<T>["resolve"];
    let reject!: Slot<T>["reject"];
    const promise = new Promise<T>((yes, no) => {
      resolve = yes;
      reject = no;
    });
    // A failure is thrown where the batch is awaited; until then it must not count as unhandled.
    promise.catch(() => {});
    slots.set(index, { promise, resolve, reject });
    if (failure) return reject(failure);
    const spent = pool.handOver(lengths);
    // the pool holds no shared memory
    const buffers = spent.map(({ buffer }) => buffer as ArrayBuffer);
    threads[index % workers].postMessage({ index, draw: draws[index], spent } satisfies WorkerRequest, buffers);
  };
  try {
    const ahead = workers * prefetch;
    for (let i = 0; i < ahead; i++) ask(i);
    for (let i = 0; i < draws.length; i++) {
      const batch = await slots.get(i)!.promise;
      slots.delete(i);
      lengths = batch.fields.map(({ tokens }) => tokens.length);
      ask(i + ahead);
      yield batch;
    }
  } finally {
    ending = true;
    await Promise.all(threads.map((thread) => thread.terminate()));
  }
}

function restoreError({ message, code, details, stack }: Extract<WorkerReply, { error: unknown }>["error"]): Error {
  if (code === undefined) return Object.assign(new Error(message), { stack });
  const error = new AtmorepError(code, message, { ...details });
  // The text was already composed from the details in the worker.
  error.message = message;
  return error;
}
