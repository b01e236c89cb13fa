/**
 * The calls of MPI that data-parallel training needs, through koffi, of Open MPI and of MPICH and what shares its binary
 * interface (Intel MPI, Cray MPICH). Open MPI's handles are addresses of its objects, MPICH's are fixed integers.
 *
 * Nothing is waited for within the library, which would hold a core: what is posted is asked after (`MPI_Testall`). The library's
 * own sum alone runs on another thread, once all processes have come to it.
 */
import { createRequire } from "node:module";
import { AtmorepError } from "../errors.js";
import { until } from "./patience.js";
import type { Transfer, Transport } from "./treeSum.js";

export interface Mpi extends Transport {
  flavour: "openmpi" | "mpich";
  /** here as in `allReduce`, arrays lie on ArrayBuffers of their own: V8 moves small ones that do not */
  allGather(part: Buffers, receive: Buffers): Promise<void>;
  /** the library's own sum, in place, in an order of its choice */
  allReduce(values: Float32Array): Promise<void>;
  /** bytes of process 0, in place; as many in every process */
  broadcast(bytes: Uint8Array): Promise<void>;
  barrier(): Promise<void>;
  abort(code: number): void;
  finalize(): void;
}

type Buffers = Float64Array | Uint8Array;

/** One MPI call at a time, from any thread. */
const SERIALIZED = 2;
/** Bytes of one broadcast: MPI counts them in 31 bits. */
const LARGEST = 2 ** 30;
const LIBRARIES = {
  openmpi: ["libmpi.so.40", "libmpi.40.dylib"],
  mpich: ["libmpich.so.12", "libmpi.so.12", "libmpi.12.dylib"],
};

/**
 * Loads the library of the launcher and initialises it: `ATMOREP_MPI` names a file, else Open MPI's under its mpirun or PMIx
 * and MPICH's under Hydra or PMI.
 * @throws AtmorepError (usage) if there is no library or it does not start
 */
export function initMpi(env: Readonly<Record<string, string | undefined>> = process.env): Mpi {
  const koffi: typeof import("koffi") = createRequire(import.meta.url)("koffi");
  // Calls on other threads get a stack of 128 KiB otherwise, which large collectives of MPICH overrun.
  koffi.config({ async_stack_size: 8 << 20, async_heap_size: 1 << 20 });
  const hydra = env.PMI_SIZE !== undefined && env.OMPI_COMM_WORLD_SIZE === undefined && env.PMIX_RANK === undefined;
  const names = env.ATMOREP_MPI
    ? [env.ATMOREP_MPI]
    : hydra
      ? [...LIBRARIES.mpich, ...LIBRARIES.openmpi]
      : [...LIBRARIES.openmpi, ...LIBRARIES.mpich];
  // UCX, below most builds of MPICH and Open MPI, else replaces malloc and mmap while Node's threads are within them: some starts crashed
  process.env.UCX_MEM_EVENTS ??= "n";
  const library = load(koffi, names);
  let open = true;
  try {
    library.symbol("ompi_mpi_comm_world", "void *");
  } catch {
    open = false;
  }
  const H = open ? "void *" : "int";
  const BUFFER = "void *";
  // the address of the object, not what is in it
  const handle = (symbol: string, integer: number) =>
    open ? koffi.address(library.symbol(symbol, "void *")) : integer;
  const world = handle("ompi_mpi_comm_world", 0x44000000);
  const byte = handle("ompi_mpi_byte", 0x4c00010d);
  const float = handle("ompi_mpi_float", 0x4c00040a);
  const sum = handle("ompi_mpi_op_sum", 0x58000003);
  const [inPlace, noStatuses] = open ? [1, 0] : [-1, 1];
  /** a request is an address or an integer */
  const requests = (count: number) =>
    open ? new BigUint64Array(new ArrayBuffer(8 * count)) : new Int32Array(new ArrayBuffer(4 * count));
  const declare = (name: string, parameters: Parameters<typeof koffi.out>[0][]) => {
    const fn = library.func(name, "int", parameters);
    return (...values: unknown[]) => check(fn(...values), name);
  };
  const number = (name: string) => {
    const result = [0];
    declare(name, [H, koffi.out("int *")])(world, result);
    return result[0];
  };
  const level = [0];
  declare("MPI_Init_thread", [BUFFER, BUFFER, "int", koffi.out("int *")])(null, null, SERIALIZED, level);
  const [rank, size] = [number("MPI_Comm_rank"), number("MPI_Comm_size")];
  const send = declare("MPI_Isend", [BUFFER, "int", H, "int", "int", H, BUFFER]);
  const receive = declare("MPI_Irecv", [BUFFER, "int", H, "int", "int", H, BUFFER]);
  const testAll = declare("MPI_Testall", ["int", BUFFER, BUFFER, "intptr_t"]);
  const reduceLocal = declare("MPI_Reduce_local", [BUFFER, BUFFER, "int", H, H]);
  const gather = declare("MPI_Iallgather", [BUFFER, "int", H, BUFFER, "int", H, H, BUFFER]);
  const reduce = library.func("MPI_Allreduce", "int", ["intptr_t", BUFFER, "int", H, H, H]);
  const bcast = declare("MPI_Ibcast", [BUFFER, "int", H, "int", H, BUFFER]);
  const meet = declare("MPI_Ibarrier", [H, BUFFER]);
  const flag = new Int32Array(new ArrayBuffer(4));

  /** @param held what must not be collected until then: the library knows addresses alone */
  const pending = (list: BigUint64Array | Int32Array, held: unknown) => {
    const done = () => {
      testAll(list.length, list, flag, noStatuses);
      return flag[0] !== 0;
    };
    return Object.assign(done, { held });
  };
  const collective = (held: unknown, start: (request: unknown) => void): Promise<void> => {
    const request = requests(1);
    start(request);
    return until(pending(request, held));
  };
  const barrier = () => collective(null, (request) => meet(world, request));
  return {
    flavour: open ? "openmpi" : "mpich",
    rank,
    size,
    post(transfers: readonly Transfer[]) {
      const list = requests(transfers.length);
      for (const [i, { what, values, with: other, kind }] of transfers.entries()) {
        const start = what === "send" ? send : receive;
        start(values, values.length, float, other, kind, world, list.subarray(i, i + 1));
      }
      return pending(list, transfers);
    },
    add: (to, from) => reduceLocal(from, to, to.length, float, sum),
    async allGather(part, receive) {
      const bytes = receive.byteLength / size;
      if (bytes >= 2 ** 31) throw new Error(`MPI_Iallgather: a part of ${bytes} bytes is too large for one call`);
      await collective([part, receive], (request) => gather(part, bytes, byte, receive, bytes, byte, world, request));
    },
    async allReduce(values) {
      await barrier();
      const all = [inPlace, values, values.length, float, sum, world];
      // a library that does not promise SERIALIZED is called from this thread only
      if (level[0] < SERIALIZED) return check(reduce(...all), "MPI_Allreduce");
      const code = await new Promise<number>((resolve, reject) => {
        reduce.async(...all, (error: Error | null, result: number) => (error ? reject(error) : resolve(result)));
      });
      check(code, "MPI_Allreduce");
    },
    broadcast: async (bytes) => {
      const own = placed(bytes);
      for (let at = 0; at < own.byteLength; at += LARGEST) {
        const part = own.subarray(at, at + LARGEST);
        await collective(part, (request) => bcast(part, part.byteLength, byte, 0, world, request));
      }
      if (own !== bytes) bytes.set(own);
    },
    barrier,
    abort: (code) => {
      // Slurm's PMI2 kills this process too, whose exit code is lost; srun -K1, or who misses it, ends the others
      if (!open && env.SLURM_PROCID !== undefined) process.exit(code);
      library.func("MPI_Abort", "int", [H, "int"])(world, code);
    },
    finalize: () => declare("MPI_Finalize", [])(),
  };
}

/** Longest array that V8 may keep on its heap, where it moves; with room to spare. */
const MOVED_BYTES = 1024;

/** The bytes where they stay while MPI has their address. */
function placed(bytes: Uint8Array): Uint8Array {
  if (bytes.byteLength > MOVED_BYTES) return bytes;
  const own = new Uint8Array(new ArrayBuffer(bytes.byteLength));
  own.set(bytes);
  return own;
}

/** Of MPI's libraries those that can be loaded here. Nothing is initialised. */
export function mpiLibraries(names: readonly string[] = Object.values(LIBRARIES).flat()): string[] {
  const koffi: typeof import("koffi") = createRequire(import.meta.url)("koffi");
  return names.filter((name) => {
    try {
      koffi.load(name, { lazy: true });
      return true;
    } catch {
      return false;
    }
  });
}

function load(koffi: typeof import("koffi"), names: readonly string[]) {
  const tried: string[] = [];
  for (const name of names) {
    try {
      // global: Open MPI's plug-ins look its symbols up
      return koffi.load(name, { global: true, lazy: true });
    } catch (error) {
      tried.push(`${name}: ${(error as Error).message}`);
    }
  }
  throw new AtmorepError("usage", "no MPI library can be loaded", {
    where: "several processes",
    found: tried.join("; "),
    fix: "Install Open MPI (apt-get install openmpi-bin) or name the library: ATMOREP_MPI=libmpi.so.40.",
  });
}

function check(code: number, name: string): void {
  if (code !== 0) throw new AtmorepError("failed", `${name} failed`, { found: `MPI error ${code}` });
}
