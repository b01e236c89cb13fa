/** The native engine: TensorFlow's C library as TensorFlow.js's backend. */
import * as tf from "@tensorflow/tfjs-core";
import { AtmorepError } from "../errors.js";
import { compiling } from "./compile/index.js";
import { eager } from "./eager/index.js";
import type { Engine, OwnKernels } from "./engine.js";
import { INSTALL_FOLDER } from "./folder.js";
import { registerGradients } from "./gradients/index.js";
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

/** The library once it is loaded, with its two ways of running a function. */
interface Opened {
  native: Tensorflow;
  compiled: Engine;
  eager: Engine;
}

let loading: Promise<Tensorflow> | null = null;
let opened: Opened | null = null;

/** Where the library is looked for: `ATMOREP_TENSORFLOW` alone if it is set. */
export function nativeSearch(env: Readonly<Record<string, string | undefined>> = process.env): SearchOptions {
  const path = env.ATMOREP_TENSORFLOW;
  return { installed: INSTALL_FOLDER, env, ...(path && { asked: { path, source: "ATMOREP_TENSORFLOW" } }) };
}

/** The search for the library, without loading it. */
export const findNative = (): Search => searchLibrary(nativeSearch());

/**
 * Loads the library once, and makes it the current backend. It compiles, unless `ATMOREP_COMPILE` is 0.
 * @throws AtmorepError `failed` if there is no library, or it cannot be loaded; `usage` for what `ATMOREP_PRODUCTS` asks
 */
export async function openNative(share?: number): Promise<Engine> {
  loading ??= openTensorflow({ ...nativeSearch(), threads: askedThreads(process.env, share) });
  const native = await loading.catch((error: unknown) => {
    loading = null;
    throw asAtmorepError(error);
  });
  opened ??= enginesOf(native);
  if (tf.getBackend() !== BACKEND) await tf.setBackend(BACKEND);
  return process.env.ATMOREP_COMPILE === "0" ? opened.eager : opened.compiled;
}

/** The library behind the engine, for the rooms of the native engine and their tests; null: it was never opened. */
export const openedTensorflow = (): Tensorflow | null => opened?.native ?? null;

function enginesOf(native: Tensorflow): Opened {
  const kernels = openKernels(native);
  registerGradients();
  const { version, threads, context, library } = native;
  const { type } = context.device;
  const own = {
    name: "native",
    description: `TensorFlow ${version} on the ${type}, ${threads} thread${threads === 1 ? "" : "s"} (${library.source}); ${kernels.text}`,
    threads,
    kernels,
    instead: null,
    close: () => native.close(),
  } as const;
  return { native, eager: { ...eager, ...own }, compiled: { ...eager, ...compiling(native), ...own } };
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

function asAtmorepError(error: unknown): unknown {
  if (!(error instanceof TensorflowError)) return error;
  return new AtmorepError("failed", "the native engine cannot be used here", {
    where: "--engine native",
    found: error.message,
    fix: "Fetch the library with: atmorep engine install. Or set ATMOREP_TENSORFLOW to its folder, or use --engine wasm.",
  });
}
