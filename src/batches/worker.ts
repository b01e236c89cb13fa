/**
 * Entry of a worker thread of the loader: takes the next batch that nobody has taken, reads and masks it, and hands it
 * over. Chunks are shared with all other threads, so that before its own batch it decodes what an earlier one lacks.
 */
import { parentPort, workerData } from "node:worker_threads";
import { parseFields } from "../config/fields.js";
import { SharedChunks } from "../data/cache/sharedChunks.js";
import { readAhead, readCube, readSamples } from "../data/cube.js";
import type { Buffers } from "../data/pool.js";
import { allReads, recordReads } from "../data/source/index.js";
import { openStore, type Store } from "../data/store.js";
import type { CubeBatch, Draw, SampleBatch } from "../data/types.js";
import { isAtmorepError } from "../errors.js";
import { createMaskStreams, type MaskedBatch, maskBatch, maskInPlace } from "../masking/index.js";
import {
  CONTROL,
  type Masking,
  type WorkerMessage,
  type WorkerReply,
  type WorkerRequest,
  type WorkerSetup,
} from "./workerMessages.js";

const setup = workerData as WorkerSetup;
const { storeLocation, session, statistics, config, cache: handle, first, control, worker } = setup;
if (setup.reads) recordReads();
const cache = SharedChunks.join(handle);
const opening = openStore(storeLocation, { cache, session, statistics });
// A store that cannot be opened is reported with the first batch.
opening.catch(() => {});

const fields = parseFields(config);
const own = CONTROL.inWork + worker;
const ended = {
  get aborted() {
    return Atomics.load(control, CONTROL.ended) === 1;
  },
};

const requests = new Map<number, WorkerRequest>();
/** of batches that others may still have in work, too */
const draws = new Map<number, Draw>();
let working: Promise<void> | null = null;
let reading: Promise<void> = Promise.resolve();

parentPort?.on("message", (message: WorkerMessage) => {
  if (message === "end") return end();
  requests.set(message.index, message);
  draws.set(message.index, message.draw);
  working ??= work().finally(() => {
    working = null;
  });
});

async function work(): Promise<void> {
  for (let request = take(); request && !ended.aborted; request = take()) {
    const reply = await answer(request);
    Atomics.store(control, own, 0);
    if (reply) parentPort?.postMessage(reply, "batch" in reply ? buffersOf(reply) : []);
  }
}

/** The next batch, if it has been asked for. */
function take(): WorkerRequest | null {
  for (;;) {
    const next = Atomics.load(control, CONTROL.next);
    for (const index of requests.keys()) if (index < next) requests.delete(index);
    const request = requests.get(next);
    if (!request) return null;
    // told before it is taken, so that nobody who takes the one after it overlooks it
    Atomics.store(control, own, next + 1);
    if (Atomics.compareExchange(control, CONTROL.next, next, next + 1) === next) {
      requests.delete(next);
      return request;
    }
    Atomics.store(control, own, 0);
  }
}

async function answer({ index, draw, masking, arrays }: WorkerRequest): Promise<WorkerReply | null> {
  try {
    const store = await opening;
    await help(store, index);
    const pool = lentBuffers(arrays);
    const batch =
      first === "level"
        ? await readCube(store, config, draw, ended)
        : await readSamples(store, config, draw, pool, ended);
    const next = draws.get(Atomics.load(control, CONTROL.next));
    if (next) reading = readAhead(store, config, next, { ended }).catch(() => {});
    return { index, batch, masked: masking && mask(batch, masking, pool) };
  } catch (error) {
    return ended.aborted ? null : { index, error: describe(error) };
  }
}

/** The arrays that came with a batch's request, in this thread's view of the memory. */
function lentBuffers(arrays: Float32Array[]): Buffers {
  const free = [...arrays];
  return {
    room: cache.kernelRoom,
    take(length) {
      const at = free.findIndex((array) => array.length === length);
      if (at < 0) return new Float32Array(new SharedArrayBuffer(4 * length));
      const [array] = free.splice(at, 1);
      return cache.known(array);
    },
  };
}

/** Of all threads, when this one last looked. */
let loads = -1;

/**
 * Decodes what the earliest batch in work lacks, from its end on: its own thread is at the beginning. Where no thread has
 * decoded anything since the last look, it hardly lacks anything, and looking for it would take longer.
 */
async function help(store: Store, index: number): Promise<void> {
  for (const earlier of draws.keys()) if (earlier < index - 64) draws.delete(earlier);
  const before = loads;
  loads = cache.loads;
  if (loads === before) return;
  const others = [...control.keys()].slice(CONTROL.inWork).filter((at) => at !== own);
  const earliest = Math.min(...others.map((at) => Atomics.load(control, at) - 1).filter((other) => other >= 0));
  const draw = draws.get(earliest);
  if (draw && earliest < index) await readAhead(store, config, draw, { helping: true, ended }).catch(() => {});
}

function mask(batch: CubeBatch | SampleBatch, { place, strategy }: Masking, pool: Buffers): MaskedBatch {
  const generators = createMaskStreams(config, fields).of(place);
  const asked = { ...config, BERT_strategy: strategy };
  return first === "level"
    ? maskBatch(batch as CubeBatch, fields, asked, generators)
    : maskInPlace(batch as SampleBatch, fields, asked, generators, { pool });
}

/** Native decoders write into the shared memory from threads of their own, which must have done. */
async function end(): Promise<void> {
  await working;
  await reading;
  await opening.then((store) => store.close()).catch(() => {});
  if (setup.reads) parentPort?.postMessage({ reads: allReads() } satisfies WorkerReply);
  process.exit(0);
}

/** Fewer bytes are copied faster than handed over. */
const FEW_BYTES = 16384;

/** What is handed over; what lies in shared memory stays where it is. */
function buffersOf(reply: Extract<WorkerReply, { batch: unknown }>): ArrayBuffer[] {
  const { windows, fields } = reply.batch;
  const arrays = [
    ...windows.flatMap((window) => [window.time, window.lat, window.lon]),
    ...fields.flatMap(({ tokens, infos, valid }) => [tokens, infos, valid]),
    ...(reply.masked?.fields ?? []).flatMap(({ source, infos, target, valid, idx, count, kind }) => [
      ...[source, infos, target, valid],
      ...[...idx, ...count, ...kind],
    ]),
  ];
  const buffers = arrays.flatMap((array) => (array?.buffer instanceof ArrayBuffer ? [array.buffer] : []));
  return [...new Set(buffers)].filter(({ byteLength }) => byteLength >= FEW_BYTES);
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
