/** The native engine: TensorFlow's C library as TensorFlow.js's backend. */
import * as tf from "@tensorflow/tfjs-core";
import { AtmorepError } from "../errors.js";
import { INSTALL_FOLDER } from "./folder.js";
import { registerGradients } from "./gradients.js";
import { registerJitKernels } from "./jit/register.js";
import { openKernelCompiler, withoutKernels } from "./kernelCompiler.js";
import { LlvmError } from "./llvm/jit.js";
import { askedProducts, noSuchProducts } from "./products.js";
import {
  BACKEND,
  openTensorflow,
  type Search,
  type SearchOptions,
  searchLibrary,
  type Tensorflow,
  TensorflowError,
} from "./tensorflow/index.js";
import { askedThreads } from "./threads.js";
import type { Engine, OwnKernels } from "./types.js";

let opened: Promise<Tensorflow> | null = null;
let current: Tensorflow | null = null;
let kernels: OwnKernels = withoutKernels("not open yet");

/** Where the library is looked for: `ATMOREP_TENSORFLOW` alone if it is set. */
export function nativeSearch(env: Readonly<Record<string, string | undefined>> = process.env): SearchOptions {
  const path = env.ATMOREP_TENSORFLOW;
  return { installed: INSTALL_FOLDER, env, ...(path && { asked: { path, source: "ATMOREP_TENSORFLOW" } }) };
}

/** The search for the library, without loading it. */
export const findNative = (): Search => searchLibrary(nativeSearch());

/**
 * Loads the library once, and makes it the current backend.
 * @throws AtmorepError `failed` if there is no library, or it cannot be loaded; `usage` for what `ATMOREP_PRODUCTS` asks
 */
export async function openNative(): Promise<Engine> {
  opened ??= openTensorflow({ ...nativeSearch(), threads: askedThreads() });
  const native = await opened.catch((error: unknown) => {
    opened = null;
    throw asAtmorepError(error);
  });
  if (current !== native) kernels = openKernels(native);
  current = native;
  registerGradients();
  if (tf.getBackend() !== BACKEND) await tf.setBackend(BACKEND);
  const { version, threads, context, library } = native;
  const { type } = context.device;
  return {
    name: "native",
    description: `TensorFlow ${version} on the ${type}, ${threads} thread${threads === 1 ? "" : "s"} (${library.source}); ${kernels.text}`,
    threads,
    memory: () => {
      const { numTensors, numBytes } = tf.memory();
      return { numTensors, bytes: numBytes };
    },
    kernels,
    instead: null,
  };
}

/**
 * Kernels of our own, where LLVM is there to compile them; without them the engine is slower, not unusable.
 * @throws AtmorepError `usage` if products of another precision are asked for and cannot be had
 */
function openKernels(native: Tensorflow): OwnKernels {
  const { jit, kernels: found } = openKernelCompiler(native.context.device.type);
  if (!jit) return found;
  const asked = askedProducts();
  try {
    registerJitKernels(native, jit, asked?.parts ?? null);
    return found;
  } catch (error) {
    if (!(error instanceof LlvmError || error instanceof TensorflowError)) throw error;
    if (asked) throw noSuchProducts(asked, error.message);
    return withoutKernels(error.message);
  }
}

/**
 * The library that runs whole functions as one call, or null: another engine is current, or `ATMOREP_COMPILE` is 0,
 * which runs operation by operation.
 */
export function compiler(): Tensorflow | null {
  return process.env.ATMOREP_COMPILE !== "0" && tf.getBackend() === BACKEND ? current : null;
}

function asAtmorepError(error: unknown): unknown {
  if (!(error instanceof TensorflowError)) return error;
  return new AtmorepError("failed", "the native engine cannot be used here", {
    where: "--engine native",
    found: error.message,
    fix: "Fetch the library with: atmorep engine install. Or set ATMOREP_TENSORFLOW to its folder, or use --engine wasm.",
  });
}
