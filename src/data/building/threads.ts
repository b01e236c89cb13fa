/** Works units in this thread or in worker threads; whoever is free takes the next. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { AtmorepError } from "../../errors.js";
import { trackedSink } from "./files.js";
import type { Entry } from "./journal.js";
import { kindOf } from "./kinds.js";
import { restored, type SentError } from "./sentError.js";
import type { KindName } from "./types.js";

/** What a thread is given. */
export interface WorkerSetup {
  kind: KindName;
  setup: unknown;
  cacheBytes: number;
  store: string;
}

export type WorkerReply = { bytes: number } | { entry: Entry } | { error: SentError };

export interface Work extends WorkerSetup {
  units: readonly number[];
  jobs: number;
  signal: AbortSignal;
  progress(bytes: number): void;
  /** a unit is done: its files are on disk */
  done(entry: Entry): Promise<void>;
}

/** @throws what the first unit that failed threw; Error if the signal came first */
export async function workUnits(work: Work): Promise<void> {
  if (work.units.length === 0) return;
  const entry = fileURLToPath(new URL("./worker.js", import.meta.url));
  if (work.jobs > 1 && existsSync(entry)) await inThreads(work, entry);
  else await here(work);
}

async function here({ kind, setup, cacheBytes, store, units, signal, progress, done }: Work): Promise<void> {
  const job = await (await kindOf(kind)).open(setup, cacheBytes);
  try {
    for (const unit of units) {
      const sink = trackedSink(store);
      const result = await job.work(unit, { sink, progress, ended: signal });
      signal.throwIfAborted();
      await done({ unit, files: sink.files, result });
    }
  } finally {
    await job.close();
  }
}

async function inThreads(work: Work, entry: string): Promise<void> {
  const { kind, setup, cacheBytes, store, signal } = work;
  const queue = [...work.units];
  const workerData: WorkerSetup = { kind, setup, cacheBytes, store };
  const workers = Array.from({ length: work.jobs }, () => new Worker(entry, { workerData, execArgv: [] }));
  let writing = Promise.resolve();
  const stopped = new Promise<never>((_, reject) => {
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
  stopped.catch(() => {});
  try {
    signal.throwIfAborted();
    const all = Promise.all(
      workers.map(
        (worker) =>
          new Promise<void>((resolve, reject) => {
            const next = () => {
              const unit = queue.shift();
              if (unit === undefined) resolve();
              else worker.postMessage(unit);
            };
            worker.on("error", reject);
            worker.on("exit", (code) =>
              reject(new AtmorepError("failed", "a worker thread ended", { found: `exit code ${code}` })),
            );
            worker.on("message", (reply: WorkerReply) => {
              if ("bytes" in reply) return work.progress(reply.bytes);
              if ("error" in reply) return reject(restored(reply.error));
              writing = writing.then(() => work.done(reply.entry));
              writing.then(next, reject);
            });
            next();
          }),
      ),
    );
    // Threads that are stopped end with errors of their own.
    all.catch(() => {});
    await Promise.race([all, stopped]);
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
    await writing.catch(() => {});
  }
}
