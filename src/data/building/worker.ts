/** Entry of a worker thread that builds: is given units one after the other, writes their files and says which. */
import { parentPort, workerData } from "node:worker_threads";
import { isAtmorepError } from "../../errors.js";
import { trackedSink } from "./files.js";
import { kindOf } from "./kinds.js";
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
    reply({ error: plain(error) });
  }
});

/** What can be sent; of a cause the system's number alone. */
function plain(error: unknown): Extract<WorkerReply, { error: unknown }>["error"] {
  if (!(error instanceof Error)) return { message: String(error) };
  const { message, stack } = error;
  if (!isAtmorepError(error)) return { message, stack };
  const { where, found, expected, fix, cause } = error.details;
  const number = (cause as NodeJS.ErrnoException | undefined)?.code;
  const text = found === undefined || typeof found === "string" ? found : JSON.stringify(found);
  return {
    message,
    stack,
    code: error.code,
    details: { where, found: text, expected, fix, cause: number && { code: number } },
  };
}
