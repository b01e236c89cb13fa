/** The communicator of this process. */
import { ALONE, type Communicator } from "./communicator.js";
import { assertSameSize, launchOf } from "./launcher.js";
import { initMpi, type Mpi } from "./mpi.js";
import { orderedSum } from "./orderedSum.js";

/**
 * Joins the processes that mpirun or srun started; `ALONE` if there is one only.
 * @throws AtmorepError (usage) if there is no MPI library, or it sees other processes than were started
 * @example const communicator = openCommunicator();
 */
export function openCommunicator(): Communicator {
  const launch = launchOf();
  if (!launch) return ALONE;
  const mpi = initMpi();
  assertSameSize(launch, mpi.size, mpi.flavour);
  return communicatorOf(mpi);
}

function communicatorOf(mpi: Mpi): Communicator {
  const { rank, size } = mpi;
  return {
    rank,
    size,
    sum: (values) => orderedSum<Float32Array | Float64Array>(values, mpi),
    broadcast: (value) => broadcastJson(mpi, value),
    gather: (value) => gatherJson(mpi, value),
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

async function gatherJson<T>(mpi: Mpi, value: T): Promise<T[]> {
  const own = new TextEncoder().encode(JSON.stringify(value ?? null));
  const lengths = new Float64Array(mpi.size);
  await mpi.allGather(Float64Array.of(own.length), lengths);
  // as long in every process: JSON may end in blanks
  const longest = Math.max(...lengths);
  const part = new Uint8Array(longest).fill(0x20);
  part.set(own);
  const all = new Uint8Array(longest * mpi.size);
  await mpi.allGather(part, all);
  return Array.from(lengths, (_, k) =>
    JSON.parse(new TextDecoder().decode(all.subarray(k * longest, (k + 1) * longest))),
  );
}
