/** Loading the library, and the few helpers that every call needs. */
import { closeSync, openSync } from "node:fs";
import { createRequire } from "node:module";
import { C_TYPES, type CFunction, DECLARATIONS, type TensorflowApi } from "./declarations.js";
import { CODES, TensorflowError } from "./errors.js";
import { missingInstructions } from "./processor.js";
import { silently } from "./silence.js";
import { trimLibrary } from "./trim.js";

/** Flags of dlopen: RTLD_LAZY with RTLD_NODELETE. */
const PIN_FLAGS: Partial<Record<NodeJS.Platform, number>> = { linux: 0x1001, darwin: 0x81 };

/** Argument of flock, the same on Linux and macOS. */
const LOCK_EXCLUSIVE = 2;

/** Environment variables of the library, where the user has not set them. */
const SETTINGS = {
  /** no start-up messages */
  TF_CPP_MIN_LOG_LEVEL: "2",
  /** oneDNN's kernels, which TensorFlow takes by itself only on processors with AVX-512 VNNI */
  TF_ENABLE_ONEDNN_OPTS: "1",
} as const;

/** A loaded library. */
export interface Native {
  file: string;
  api: TensorflowApi;
  version: string;
  /** bytes of a JavaScript array to an address */
  copyIn: CFunction<[to: number, from: ArrayBufferView, bytes: number], number>;
  /** bytes at an address to a JavaScript array; of an array outside V8's heap if called with `async` */
  copyOut: CFunction<[to: ArrayBufferView, from: number, bytes: number], number>;
  /** address of an array's elements; they must lie on an ArrayBuffer of their own, for V8 moves those that do not */
  addressOf(values: ArrayBufferView): number;
  /** address of a C string that lives as long as the library */
  cstring(text: string): number;
  /** address of a function of the library; 0 if it has none of that name */
  symbol(name: string): number;
  /** runs `work` while no other thread of this process, or other process, does so with the same library */
  alone(work: () => void): void;
  /** a status for calls on this thread; `check` reads it */
  status: number;
  /** @throws TensorflowError if the last call that was given `status` (default: the shared one) failed */
  check(operation: string, detail?: () => string, status?: number): void;
}

/** Bytes of a TF_Buffer, which is deleted: an address, a length, and how to free them. */
export function takeBuffer({ api, copyOut }: Native, buffer: number): Uint8Array {
  const head = new Addresses(2);
  copyOut(head.buffer, buffer, 16);
  const bytes = offHeap(head.get(1));
  if (bytes.length > 0) copyOut(bytes, head.get(0), bytes.length);
  api.TF_DeleteBuffer(buffer);
  return bytes;
}

/** True if the library has kernels for GPUs; those of the wheel `tensorflow-cpu` have none. */
export function builtForGpu(native: Native): boolean {
  const kernels = native.api.TF_GetRegisteredKernelsForOp("MatMul", native.status);
  native.check("TF_GetRegisteredKernelsForOp");
  return Buffer.from(takeBuffer(native, kernels)).includes("GPU");
}

const loaded = new Map<string, Native>();

/**
 * Loads a library; the same file is loaded once.
 * @throws TensorflowError `NOT_LOADED` if koffi or the library cannot be loaded
 */
export function loadNative(file: string): Native {
  let native = loaded.get(file);
  if (!native) {
    native = load(file);
    loaded.set(file, native);
  }
  return native;
}

function load(file: string): Native {
  try {
    const missing = missingInstructions();
    if (missing) throw new TensorflowError("NOT_LOADED", file, missing);
    return bind(file, createRequire(import.meta.url)("koffi"));
  } catch (error) {
    if (error instanceof TensorflowError) throw error;
    throw new TensorflowError("NOT_LOADED", file, (error as Error).message);
  }
}

function bind(file: string, koffi: typeof import("koffi")): Native {
  const system = koffi.load(null);
  const types = { ...C_TYPES, output: koffi.struct({ oper: C_TYPES.address, index: C_TYPES.int }) };
  // the library reads these when it is loaded; process.env of a worker thread does not reach C
  const setenv = system.func("setenv", "int", [C_TYPES.string, C_TYPES.string, "int"]);
  for (const [name, value] of Object.entries(SETTINGS)) setenv(name, value, 0);
  const library = silently(system, () => koffi.load(file, { lazy: true }));
  // koffi closes a library when its JavaScript objects are collected; TensorFlow's threads would then run on unmapped
  // code, so one more reference is taken that is never given back.
  const pinned = system.func("dlopen", C_TYPES.address, [C_TYPES.string, "int"])(file, PIN_FLAGS[process.platform]);
  if (!pinned) throw new TensorflowError("NOT_LOADED", file, "the library cannot be kept in memory");
  trimLibrary(system, "libtensorflow");
  const api = Object.fromEntries(
    Object.entries(DECLARATIONS).map(([name, [result, ...parameters]]) => [
      name,
      library.func(
        name,
        types[result],
        parameters.map((type) => types[type]),
      ),
    ]),
  ) as unknown as TensorflowApi;
  const symbol = system.func("dlsym", C_TYPES.address, [C_TYPES.address, C_TYPES.string]);
  const flock = system.func("flock", "int", ["int", "int"]);
  const texts = new Map<string, { address: number; bytes: Uint8Array }>();
  const status = api.TF_NewStatus();
  return {
    file,
    api,
    version: api.TF_Version(),
    copyIn: system.func("memcpy", C_TYPES.address, [C_TYPES.address, C_TYPES.buffer, "size_t"]),
    copyOut: system.func("memcpy", C_TYPES.address, [C_TYPES.buffer, C_TYPES.address, "size_t"]),
    addressOf: (values) => Number(koffi.address(values)),
    cstring(text) {
      let entry = texts.get(text);
      if (!entry) {
        const bytes = offHeap(Buffer.byteLength(text) + 1);
        new TextEncoder().encodeInto(text, bytes);
        entry = { address: Number(koffi.address(bytes)), bytes };
        texts.set(text, entry);
      }
      return entry.address;
    },
    alone(work) {
      // threads of Node share no memory that could hold a lock; the library's file is there for all of them
      const lock = openSync(file, "r");
      flock(lock, LOCK_EXCLUSIVE);
      try {
        work();
      } finally {
        closeSync(lock);
      }
    },
    symbol: (name) => Number(symbol(pinned, name)),
    status,
    check(operation, detail, own = status) {
      const code = api.TF_GetCode(own);
      if (code === 0) return;
      const message = api.TF_Message(own);
      throw new TensorflowError(CODES[code] ?? "UNKNOWN", operation, detail ? `${detail()}: ${message}` : message);
    },
  };
}

/** Bytes whose address stays: V8 moves small typed arrays that lie on its heap. */
export const offHeap = (bytes: number): Uint8Array => new Uint8Array(new ArrayBuffer(bytes));

/** An array of addresses that C fills or reads. */
export class Addresses {
  readonly buffer: Uint32Array;

  constructor(readonly length: number) {
    this.buffer = new Uint32Array(new ArrayBuffer(8 * Math.max(1, length)));
  }

  get(i: number): number {
    return this.buffer[2 * i] + this.buffer[2 * i + 1] * 4294967296;
  }

  set(i: number, address: number): void {
    this.buffer[2 * i] = address % 4294967296;
    this.buffer[2 * i + 1] = Math.floor(address / 4294967296);
  }
}
