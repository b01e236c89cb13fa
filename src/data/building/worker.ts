/** Entry of a worker thread that builds: is given units one after the other, writes their files and says which. */
import { parentPort, workerData } from "node:worker_threads";
import { trackedSink } from "./files.js";
import { kindOf } from "./kinds.js";
import { sent } from "./sentError.js";
import type { WorkerReply, WorkerSetup } from "./threads.js";

const TELL_EVERY_MS = 100;

const { kind, setup, cacheBytes, store } = workerData as WorkerSetup;
const opening = kindOf(kind).then((own) => own.open(setup, cacheBytes));
// Sources that cannot be opened are reported with the first unit.
opening.catch(() => {});

const reply = (message: WorkerReply): void => parentPort?.postMessage(message);
let untold = 0;
let told = Date.now();
const progress = (bytes: number): void => {
  untold += bytes;
  if (Date.now() - told < TELL_EVERY_MS) return;
  reply({ bytes: untold });
  untold = 0;
  told = Date.now();
};

parentPort?.on("message", async (unit: number) => {
  try {
    const job = await opening;
    const sink = trackedSink(store);
    const result = await job.work(unit, { sink, progress, ended: { aborted: false } });
    reply({ bytes: untold });
    untold = 0;
    reply({ entry: { unit, files: sink.files, result } });
  } catch (error) {
    reply({ error: sent(error) });
  }
});
