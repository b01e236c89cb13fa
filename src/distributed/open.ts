/** The communicator of this process. */
import { ALONE, type Communicator } from "./communicator.js";
import { assertSameSize, launchOf } from "./launcher.js";
import { initMpi, type Mpi } from "./mpi.js";
import { TreeSummer } from "./treeSum.js";
import { askedSilence, Watchdog } from "./watchdog.js";
import type { Place } from "./watchdogMessages.js";

/**
 * Joins the processes that mpirun or srun started; `ALONE` if there is one only. A process that hangs or is gone ends the
 * others' calls with an error that names it, after 25 s or as many as `ATMOREP_WATCHDOG` says (`off`: never).
 * @param warn is told what is odd but works
 * @param place what the processes are at, for the message where one is lost
 * @throws AtmorepError (usage) if there is no MPI library, or it sees other processes than were started
 * @example const communicator = await openCommunicator();
 */
export async function openCommunicator(
  warn: (text: string) => void = () => {},
  place: Place = "training",
): Promise<Communicator> {
  const launch = launchOf();
  if (!launch) return ALONE;
  const silence = askedSilence();
  const watchdog = silence === null ? null : new Watchdog(silence, place);
  const mpi = initMpi();
  assertSameSize(launch, mpi.size, mpi.flavour);
  const plain = communicatorOf(mpi);
  if (!watchdog) return plain;
  const { communicator, warning } = await watchdog.watch(plain);
  if (warning && mpi.rank === 0) warn(warning);
  return communicator;
}

function communicatorOf(mpi: Mpi): Communicator {
  const { rank, size } = mpi;
  const summer = new TreeSummer(mpi);
  return {
    rank,
    size,
    sum: (own, how) => summer.sum(own, how),
    sumFast: (values) => mpi.allReduce(values),
    gatherParts: (values, ends, to) => summer.gather(values, ends, to),
    broadcast: (value) => broadcastJson(mpi, value),
    broadcastBytes: (bytes) => mpi.broadcast(bytes),
    gather: async (value) => {
      const all = await collectBytes(mpi, new TextEncoder().encode(JSON.stringify(value ?? null)));
      return all.map((bytes) => JSON.parse(new TextDecoder().decode(bytes)));
    },
    collect: (bytes) => collectBytes(mpi, bytes),
    at: () => {},
    abort: (code) => mpi.abort(code),
    close: async () => {
      await mpi.barrier();
      mpi.finalize();
    },
  };
}

async function broadcastJson<T>(mpi: Mpi, value: T): Promise<T> {
  const text = mpi.rank === 0 ? new TextEncoder().encode(JSON.stringify(value ?? null)) : new Uint8Array(0);
  const length = Float64Array.of(text.length);
  await mpi.broadcast(new Uint8Array(length.buffer));
  const bytes = mpi.rank === 0 ? text : new Uint8Array(length[0]);
  await mpi.broadcast(bytes);
  return mpi.rank === 0 ? value : JSON.parse(new TextDecoder().decode(bytes));
}

async function collectBytes(mpi: Mpi, own: Uint8Array): Promise<Uint8Array[]> {
  const lengths = new Float64Array(new ArrayBuffer(8 * mpi.size));
  await mpi.allGather(new Float64Array(new ArrayBuffer(8)).fill(own.length), lengths);
  // the library wants as many of every process
  const longest = Math.max(...lengths);
  if (longest === 0) return Array.from(lengths, () => new Uint8Array(0));
  const part = new Uint8Array(new ArrayBuffer(longest));
  part.set(own);
  const all = new Uint8Array(new ArrayBuffer(longest * mpi.size));
  await mpi.allGather(part, all);
  return Array.from(lengths, (length, k) => all.subarray(k * longest, k * longest + length));
}
