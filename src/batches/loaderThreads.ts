/** The worker threads of a loader: what they are asked for, what they answer, and their end. */
import { Worker } from "node:worker_threads";
import type { RunConfig } from "../config/types.js";
import { mergeReads, recordsReads } from "../data/source/index.js";
import type { Store } from "../data/store.js";
import { AtmorepError } from "../errors.js";
import type { MaskedBatch } from "../masking/index.js";
import {
  CONTROL,
  type First,
  FROM,
  type WorkerMessage,
  type WorkerReply,
  type WorkerRequest,
  type WorkerSetup,
} from "./workerMessages.js";

/** A thread that does not end by itself in this time, as one that hangs in a file system, is stopped. */
const PATIENCE_MS = 10_000;

/** A batch that has been asked for. */
interface Slot<T> {
  promise: Promise<{ batch: T; masked: MaskedBatch | null }>;
  resolve: (loaded: { batch: T; masked: MaskedBatch | null }) => void;
  reject: (error: Error) => void;
}

interface Thread {
  worker: Worker;
  /** when it has ended */
  exit: Promise<void>;
}

export class LoaderThreads<T> {
  private readonly slots = new Map<number, Slot<T>>();
  private readonly control: Int32Array;
  private readonly threads: Thread[];
  private failure: Error | null = null;
  private ending = false;

  constructor(
    entry: string,
    workers: number,
    { store, config, first }: { store: Store; config: RunConfig; first: First },
  ) {
    const handles = store.cache.share(workers);
    this.control = new Int32Array(new SharedArrayBuffer(4 * (CONTROL.inWork + handles.length)));
    this.control[CONTROL.next] = FROM;
    this.threads = handles.map((cache, worker) => {
      const { control } = this;
      const setup: WorkerSetup = {
        storeLocation: store.location,
        session: store.session,
        statistics: store.statistics,
        config,
        cache,
        first,
        control,
        worker,
        reads: recordsReads(),
      };
      return this.start(new Worker(entry, { workerData: setup, execArgv: [] }), () => store.cache.leave(cache.thread));
    });
  }

  get count(): number {
    return this.threads.length;
  }

  /** Asks for a batch; one after the other, from number `FROM` on. */
  ask(request: WorkerRequest): void {
    let resolve!: Slot<T>["resolve"];
    let reject!: Slot<T>["reject"];
    const promise: Slot<T>["promise"] = new Promise((yes, no) => {
      resolve = yes;
      reject = no;
    });
    // A failure is thrown where the batch is awaited; until then it must not count as unhandled.
    promise.catch(() => {});
    this.slots.set(request.index, { promise, resolve, reject });
    if (this.failure) reject(this.failure);
    else for (const { worker } of this.threads) worker.postMessage(request satisfies WorkerMessage);
  }

  /** A batch that has been asked for, once. @throws what the worker threw */
  async result(index: number): Promise<{ batch: T; masked: MaskedBatch | null }> {
    const loaded = await this.slots.get(index)!.promise;
    this.slots.delete(index);
    return loaded;
  }

  /** Ends when no thread is left. */
  async end(): Promise<void> {
    this.ending = true;
    Atomics.store(this.control, CONTROL.ended, 1);
    await Promise.all(
      this.threads.map(async ({ worker, exit }) => {
        worker.postMessage("end" satisfies WorkerMessage);
        const stopping = setTimeout(() => worker.terminate(), PATIENCE_MS);
        await exit;
        clearTimeout(stopping);
      }),
    );
  }

  private start(worker: Worker, left: () => void): Thread {
    worker.on("message", (reply: WorkerReply) => {
      if ("reads" in reply) return mergeReads(reply.reads);
      const slot = this.slots.get(reply.index);
      if ("batch" in reply) slot?.resolve({ batch: reply.batch as T, masked: reply.masked });
      else slot?.reject(restoreError(reply.error));
    });
    worker.on("error", (error) => this.fail(error as Error));
    const exit = new Promise<void>((resolve) => {
      worker.once("exit", (code) => {
        left();
        if (!this.ending) {
          this.fail(new AtmorepError("failed", "a worker that prepares batches ended", { found: `exit code ${code}` }));
        }
        resolve();
      });
    });
    return { worker, exit };
  }

  private fail(error: Error): void {
    this.failure ??= error;
    for (const slot of this.slots.values()) slot.reject(this.failure);
  }
}

function restoreError({ message, code, details, stack }: Extract<WorkerReply, { error: unknown }>["error"]): Error {
  if (code === undefined) return Object.assign(new Error(message), { stack });
  const error = new AtmorepError(code, message, { ...details });
  // The text was already composed from the details in the worker.
  error.message = message;
  return error;
}
