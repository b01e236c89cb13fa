/** Batches in order, made ahead in worker threads; the number of workers never changes what comes out. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseFields } from "../config/fields.js";
import type { RunConfig } from "../config/types.js";
import { readAhead, readCube, readSamples } from "../data/cube.js";
import type { Ended } from "../data/gather.js";
import type { BufferPool } from "../data/pool.js";
import type { Store } from "../data/store.js";
import type { CubeBatch, Draw, SampleBatch } from "../data/types.js";
import type { MaskedBatch } from "../masking/index.js";
import { LoaderThreads } from "./loaderThreads.js";
import { FROM, type Masking } from "./workerMessages.js";

export interface LoadRequest {
  /** What it has decoded serves all threads; workers open it once more by its location. */
  store: Store;
  config: RunConfig;
  draws: readonly Draw[];
  /** worker threads; 0 reads in this thread. From uncompiled sources there are none. */
  workers?: number;
  /** the masks of batch number n of `draws`; null, as by default: it is masked by whoever takes it, in this thread */
  masking?: (n: number) => Masking | null;
}

/** A batch, and its masks where a worker has made them. */
export interface Loaded<T> {
  batch: T;
  masked: MaskedBatch | null;
}

/**
 * The batches of some draws, in their order. Ending the loop early ends the workers; an error in a worker is thrown
 * at the batch it belongs to.
 * @example for await (const { batch } of loadCubes({ store, config, draws, workers: 2 })) { ... }
 * @throws AtmorepError as `readCube`
 */
export function loadCubes(request: LoadRequest): AsyncGenerator<Loaded<CubeBatch>, void, undefined> {
  return load<CubeBatch>(request, { read: readCube, pool: null });
}

/**
 * The same batches with the samples first, masked in place.
 * @param pool the arrays of tokens and targets are its, also those that workers fill; to be closed behind the loop
 * @throws AtmorepError as `loadCubes`
 */
export function loadSamples(
  request: LoadRequest,
  pool: BufferPool,
): AsyncGenerator<Loaded<SampleBatch>, void, undefined> {
  const read = (store: Store, config: RunConfig, draw: Draw, ended: Ended) =>
    readSamples(store, config, draw, pool, ended);
  return load<SampleBatch>(request, { read, pool });
}

/** The form of the batches asked for, and how this thread reads one. */
interface Form<T> {
  read: (store: Store, config: RunConfig, draw: Draw, ended: Ended) => Promise<T>;
  /** of batches with the samples first; null: the levels stand first, in arrays of their own */
  pool: BufferPool | null;
}

async function* load<T extends CubeBatch | SampleBatch>(
  request: LoadRequest,
  form: Form<T>,
): AsyncGenerator<Loaded<T>, void, undefined> {
  const entry = fileURLToPath(new URL("./worker.js", import.meta.url));
  const workers = Math.min(request.workers ?? 0, request.draws.length - FROM);
  if (workers > 0 && existsSync(entry)) yield* loadInWorkers(request, form, workers, entry);
  else yield* loadHere(request, form);
}

/** While whoever takes a batch is busy elsewhere (in a native engine), the chunks of the next are decoded. */
async function* loadHere<T>(
  { store, config, draws }: LoadRequest,
  { read }: Form<T>,
): AsyncGenerator<Loaded<T>, void, undefined> {
  const ended = { aborted: false };
  let reading: Promise<void> = Promise.resolve();
  try {
    for (const [n, draw] of draws.entries()) {
      const batch = await read(store, config, draw, ended);
      await reading;
      if (n + 1 < draws.length) reading = readAhead(store, config, draws[n + 1], { ended }).catch(() => {});
      yield { batch, masked: null };
    }
  } finally {
    ended.aborted = true;
    await reading;
  }
}

async function* loadInWorkers<T extends CubeBatch | SampleBatch>(
  request: LoadRequest,
  form: Form<T>,
  workers: number,
  entry: string,
): AsyncGenerator<Loaded<T>, void, undefined> {
  const { store, config, draws, masking } = request;
  const { read, pool } = form;
  const threads = new LoaderThreads<T>(entry, workers, { store, config, first: pool ? "sample" : "level" });
  if (threads.count === 0) return yield* loadHere(request, form);
  const sizes = parseFields(config).map(({ L, N, D }) => L * N * D);
  const ask = (index: number) => {
    if (index >= draws.length) return;
    const [draw, masks] = [draws[index], masking?.(index) ?? null];
    // those of the tokens and, as long, of the targets
    const lengths = (masks ? [...sizes, ...sizes] : sizes).map((size) => draw.places.length * size);
    threads.ask({ index, draw, masking: masks, arrays: pool ? lengths.map((length) => pool.take(length)) : [] });
  };
  // one for each worker to work at, one to be taken meanwhile
  const ahead = threads.count + 1;
  const ended = { aborted: false };
  let opening: Promise<T> | null = null;
  try {
    for (let i = FROM; i < FROM + ahead; i++) ask(i);
    // threads take a while to start: the first batch is made here meanwhile
    opening = read(store, config, draws[0], ended);
    yield { batch: await opening, masked: null };
    for (let i = FROM; i < draws.length; i++) {
      const loaded = await threads.result(i);
      ask(i + ahead);
      if (pool) takeHome(loaded, pool);
      yield loaded;
    }
  } finally {
    ended.aborted = true;
    await opening?.catch(() => {});
    await threads.end();
  }
}

/** Makes the arrays that have come from a worker those that it was lent. */
function takeHome({ batch, masked }: Loaded<CubeBatch | SampleBatch>, pool: BufferPool): void {
  for (const field of batch.fields) field.tokens = pool.own(field.tokens);
  for (const field of masked?.fields ?? []) {
    field.source = pool.own(field.source);
    field.target = pool.own(field.target);
  }
}
