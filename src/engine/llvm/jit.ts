/** Compiling LLVM's assembly language in memory: text in, addresses of functions out. */
import { createRequire } from "node:module";

/** What the processor offers that decides how kernels are written. */
export interface Target {
  /** LLVM's name of the processor */
  cpu: string;
  /** float32 numbers in a vector register */
  lanes: number;
  /** vector registers */
  registers: number;
  /** it has a matrix unit for bfloat16 numbers (Intel AMX), and the system lets this process use it */
  matrixUnit: boolean;
}

export interface JitOptions {
  /**
   * Code with the vectors of another kind of processor, to try here what is written for it: `avx2` on one that has
   * AVX-512, which is then not used; `neon`, vectors of four numbers as arm64 has them.
   */
  like?: "avx2" | "neon";
  /** ask the system for the use of the matrix unit, where there is one */
  matrixUnit?: boolean;
}

/** LLVM, ready to compile for this processor. */
export interface Jit {
  file: string;
  target: Target;
  /**
   * Compiles a module.
   * @param ir LLVM assembly language
   * @param name of the function wanted
   * @returns its address; the code stays until the process ends
   * @throws LlvmError with LLVM's message
   */
  compile(ir: string, name: string): number;
  /** The same on another thread. */
  compileAsync(ir: string, name: string): Promise<number>;
}

/** LLVM could not be loaded, or did not accept a module. */
export class LlvmError extends Error {
  override name = "LlvmError";
}

/** Flags of dlopen: RTLD_LAZY with RTLD_NODELETE. */
const PIN_FLAGS: Partial<Record<NodeJS.Platform, number>> = { linux: 0x1001, darwin: 0x81 };
/** LLVM's level of optimisation of code generation: all of it. */
const AGGRESSIVE = 3;

const loaded = new Map<string, Jit>();

/**
 * Loads the library; the same file with the same options is loaded once.
 * @throws LlvmError if it cannot be loaded, or the processor is not known to it
 */
export function openJit(file: string, options: JitOptions = {}): Jit {
  const key = JSON.stringify([file, options.like, options.matrixUnit ?? false]);
  let jit = loaded.get(key);
  if (!jit) {
    jit = load(file, options);
    loaded.set(key, jit);
  }
  return jit;
}

function load(file: string, options: JitOptions): Jit {
  try {
    return bind(file, options, createRequire(import.meta.url)("koffi"));
  } catch (error) {
    if (error instanceof LlvmError) throw error;
    throw new LlvmError(`${file}: ${(error as Error).message}`);
  }
}

const ADDRESS = "uint64_t";
const TEXT = "const char *";
const BUFFER = "void *";

function bind(file: string, { like, matrixUnit = false }: JitOptions, koffi: typeof import("koffi")): Jit {
  const system = koffi.load(null);
  const library = koffi.load(file, { lazy: true });
  // compiled code must outlive koffi's handle of the library
  system.func("dlopen", ADDRESS, [TEXT, "int"])(file, PIN_FLAGS[process.platform]);
  const c = (name: string, result: string, parameters: string[]) => library.func(name, result, parameters);
  const api = {
    initializeTarget: c("LLVMPY_InitializeNativeTarget", "void", []),
    initializePrinter: c("LLVMPY_InitializeNativeAsmPrinter", "void", []),
    context: c("LLVMPY_ContextCreate", ADDRESS, []),
    triple: c("LLVMPY_GetProcessTriple", "void", [BUFFER]),
    cpu: c("LLVMPY_GetHostCPUName", "void", [BUFFER]),
    features: c("LLVMPY_GetHostCPUFeatures", "int", [BUFFER]),
    disposeString: c("LLVMPY_DisposeString", "void", [ADDRESS]),
    target: c("LLVMPY_GetTargetFromTriple", ADDRESS, [TEXT, BUFFER]),
    machine: c("LLVMPY_CreateTargetMachine", ADDRESS, [
      ADDRESS,
      TEXT,
      TEXT,
      TEXT,
      "int",
      TEXT,
      TEXT,
      "int",
      "int",
      TEXT,
    ]),
    parse: c("LLVMPY_ParseAssembly", ADDRESS, [ADDRESS, TEXT, BUFFER]),
    verify: c("LLVMPY_VerifyModule", "bool", [ADDRESS, BUFFER]),
    engine: c("LLVMPY_CreateMCJITCompiler", ADDRESS, [ADDRESS, ADDRESS, "bool", BUFFER]),
    finalize: c("LLVMPY_FinalizeObject", "void", [ADDRESS]),
    address: c("LLVMPY_GetFunctionAddress", ADDRESS, [ADDRESS, TEXT]),
  };
  const strlen = system.func("strlen", "size_t", [ADDRESS]);
  const copy = system.func("memcpy", ADDRESS, [BUFFER, ADDRESS, "size_t"]);
  /** calls `fn` with the place of a C string and reads it; LLVM's copy is released */
  const text = (fn: (place: BigUint64Array) => void): string => {
    const place = new BigUint64Array(new ArrayBuffer(8));
    fn(place);
    const at = Number(place[0]);
    if (at === 0) return "";
    const bytes = new Uint8Array(new ArrayBuffer(Number(strlen(at))));
    if (bytes.length > 0) copy(bytes, at, bytes.length);
    api.disposeString(at);
    return new TextDecoder().decode(bytes);
  };

  api.initializeTarget();
  api.initializePrinter();
  const triple = text((place) => api.triple(place));
  const cpu = text((place) => api.cpu(place));
  const host = text((place) => api.features(place)).split(",");
  const features = (like === "avx2" ? withoutAvx512(host) : host).join();
  const vectors = machineTarget(cpu, features.split(","), like === "neon" ? "arm64" : process.arch);
  const asked = matrixUnit && like === undefined && offersMatrixUnit(host);
  const target = { ...vectors, matrixUnit: asked && allowMatrixUnit(system) };
  let known = 0;
  const unknown = text((place) => {
    known = api.target(triple, place);
  });
  if (!known) throw new LlvmError(`${file}: no code for ${triple}: ${unknown}`);
  // a machine belongs to the engine it is given to
  const machine = () => api.machine(known, triple, cpu, features, AGGRESSIVE, "default", "jitdefault", 0, 1, "");

  /** an engine with the module; nothing is compiled yet */
  const prepare = (ir: string, name: string): number => {
    let module = 0;
    const fault = text((place) => {
      // a context of its own, since modules of one context may not be compiled side by side
      module = api.parse(api.context(), ir, place);
    });
    if (!module) throw new LlvmError(`${name}: ${fault}`);
    let broken = false;
    const reason = text((place) => {
      broken = api.verify(module, place);
    });
    if (broken) throw new LlvmError(`${name}: ${reason}`);
    let engine = 0;
    const refused = text((place) => {
      engine = api.engine(module, machine(), process.arch === "arm64", place);
    });
    if (!engine) throw new LlvmError(`${name}: ${refused}`);
    return engine;
  };
  const find = (engine: number, name: string): number => {
    const address = api.address(engine, name);
    if (!address) throw new LlvmError(`${name}: the module has no such function`);
    return address;
  };

  return {
    file,
    target,
    compile(ir, name) {
      const engine = prepare(ir, name);
      api.finalize(engine);
      return find(engine, name);
    },
    async compileAsync(ir, name) {
      const engine = prepare(ir, name);
      await new Promise<void>((resolve, reject) => {
        api.finalize.async(engine, (error: Error | null) => (error ? reject(error) : resolve()));
      });
      return find(engine, name);
    },
  };
}

/** Switched off one by one, since the name of the processor implies them. */
export const withoutAvx512 = (features: readonly string[]): string[] =>
  features.map((feature) => feature.replace(/^\+(?=avx512|avx10)/, "-"));

const offersMatrixUnit = (features: readonly string[]): boolean =>
  process.platform === "linux" &&
  process.arch === "x64" &&
  ["+avx512f", "+avx512bw", "+amx-tile", "+amx-bf16"].every((feature) => features.includes(feature));

/** Numbers of arch_prctl(2) on x86-64, of its request for a state of the processor, and of the tiles among these. */
const [ARCH_PRCTL, REQUEST_STATE, TILES] = [158, 0x1023, 18];

/** Linux lets a process use the matrix unit once it has asked, since saving its state takes 8 KiB more of each thread. */
function allowMatrixUnit(system: ReturnType<typeof import("koffi")["load"]>): boolean {
  return Number(system.func("syscall", "long", ["long", "long", "long"])(ARCH_PRCTL, REQUEST_STATE, TILES)) === 0;
}

/** Width and number of vector registers by what the processor has. */
export function machineTarget(
  cpu: string,
  features: readonly string[],
  arch: string = process.arch,
): Omit<Target, "matrixUnit"> {
  const has = (name: string) => features.includes(`+${name}`);
  if (arch === "arm64") return { cpu, lanes: 4, registers: 32 };
  if (has("avx512f") && has("avx512vl")) return { cpu, lanes: 16, registers: 32 };
  if (has("avx2") && has("fma")) return { cpu, lanes: 8, registers: 16 };
  throw new LlvmError(`${cpu}: kernels need AVX2 and FMA`);
}
