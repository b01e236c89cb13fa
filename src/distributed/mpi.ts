/**
 * The calls of MPI that data-parallel training needs, through koffi, of Open MPI and of MPICH and what shares its binary
 * interface (Intel MPI, Cray MPICH). Open MPI's handles are addresses of its objects, MPICH's are fixed integers.
 */
import { createRequire } from "node:module";
import { AtmorepError } from "../errors.js";

export interface Mpi {
  flavour: "openmpi" | "mpich";
  rank: number;
  size: number;
  /** part k of `send` to process k; both hold `size` parts */
  allToAll(send: Buffers, receive: Buffers): Promise<void>;
  allGather(part: Buffers, receive: Buffers): Promise<void>;
  /** bytes of process 0, in place; as many in every process */
  broadcast(bytes: Uint8Array): Promise<void>;
  barrier(): Promise<void>;
  abort(code: number): void;
  finalize(): void;
}

type Buffers = Float32Array | Float64Array | Uint8Array;

/** One MPI call at a time, from any thread. */
const SERIALIZED = 2;
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
  const library = load(koffi, names);
  let open = true;
  try {
    library.symbol("ompi_mpi_comm_world", "void *");
  } catch {
    open = false;
  }
  const handleType = open ? "void *" : "int";
  // the address of the object, not what is in it
  const handle = (symbol: string, integer: number) =>
    open ? koffi.address(library.symbol(symbol, "void *")) : integer;
  const [world, byte] = [handle("ompi_mpi_comm_world", 0x44000000), handle("ompi_mpi_byte", 0x4c00010d)];
  const declare = (name: string, parameters: Parameters<typeof koffi.out>[0][]) =>
    library.func(name, "int", parameters);
  const init = declare("MPI_Init_thread", ["void *", "void *", "int", koffi.out("int *")]);
  const number = (name: string) => {
    const result = [0];
    check(declare(name, [handleType, koffi.out("int *")])(world, result), name);
    return result[0];
  };
  const collective = ["MPI_Alltoall", "MPI_Allgather"].map(
    (name) => [name, declare(name, ["void *", "int", handleType, "void *", "int", handleType, handleType])] as const,
  );
  const bcast = declare("MPI_Bcast", ["void *", "int", handleType, "int", handleType]);
  const wait = declare("MPI_Barrier", [handleType]);

  const level = [0];
  check(init(null, null, SERIALIZED, level), "MPI_Init_thread");
  const size = number("MPI_Comm_size");
  const later = (name: string, fn: ReturnType<typeof declare>, ...values: unknown[]): Promise<void> =>
    new Promise((resolve, reject) => {
      const done = (error: Error | null, code: number) => {
        if (error) return reject(error);
        try {
          resolve(check(code, name));
        } catch (fault) {
          reject(fault);
        }
      };
      // a library that does not promise SERIALIZED is called from this thread only
      if (level[0] >= SERIALIZED) fn.async(...values, done);
      else done(null, fn(...values));
    });
  const exchange =
    (which: 0 | 1) =>
    (send: Buffers, receive: Buffers): Promise<void> => {
      const [name, fn] = collective[which];
      const bytes = receive.byteLength / size;
      if (bytes >= 2 ** 31) throw new Error(`${name}: a part of ${bytes} bytes is too large for one call`);
      return later(name, fn, send, bytes, byte, receive, bytes, byte, world);
    };
  return {
    flavour: open ? "openmpi" : "mpich",
    rank: number("MPI_Comm_rank"),
    size,
    allToAll: exchange(0),
    allGather: exchange(1),
    broadcast: (bytes) => later("MPI_Bcast", bcast, bytes, bytes.byteLength, byte, 0, world),
    barrier: () => later("MPI_Barrier", wait, world),
    abort: (code) => {
      declare("MPI_Abort", [handleType, "int"])(world, code);
    },
    finalize: () => {
      check(declare("MPI_Finalize", [])(), "MPI_Finalize");
    },
  };
}

function load(koffi: typeof import("koffi"), names: readonly string[]) {
  const tried: string[] = [];
  for (const name of names) {
    try {
      // global: Open MPI's plug-ins look its symbols up
      return koffi.load(name, { global: true, lazy: true });
    } catch (error) {
      tried.push((error as Error).message);
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
