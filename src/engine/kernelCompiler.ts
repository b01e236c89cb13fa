/** LLVM to compile kernels of our own with, or why there are none. */
import { resolve } from "node:path";
import type { OwnKernels } from "./engine.js";
import { INSTALL_FOLDER } from "./folder.js";
import { type Jit, LlvmError, openJit } from "./llvm/jit.js";
import { type FoundLlvm, findLlvm } from "./llvm/library.js";
import { type AskedProducts, askedProducts, noSuchProducts } from "./products.js";

type Env = Readonly<Record<string, string | undefined>>;

const FIX_PATH = "Set ATMOREP_LLVM to llvmlite's library or its folder, or unset it.";

export interface KernelCompiler {
  /** null: TensorFlow's operations alone */
  jit: Jit | null;
  kernels: OwnKernels;
}

/** Where LLVM is looked for: `ATMOREP_LLVM` alone if it is set. */
export function findKernelCompiler(env: Env = process.env, cwd: string = process.cwd()): FoundLlvm | null {
  const path = env.ATMOREP_LLVM;
  const asked = path ? { asked: { path: resolve(cwd, path), source: "ATMOREP_LLVM" } } : {};
  return findLlvm({ installed: INSTALL_FOLDER, env, cwd, ...asked });
}

/**
 * Loads LLVM where kernels of our own can run; for want of it alone it does not throw.
 * @param device type of the device that computes, such as `CPU`
 * @throws AtmorepError `usage` if `ATMOREP_PRODUCTS` asks for what does not exist, or cannot be had here
 */
export function openKernelCompiler(device: string, env: Env = process.env, cwd?: string): KernelCompiler {
  const asked = askedProducts(env);
  const opened = open(device, asked, env, cwd);
  if (!asked) return opened;
  const { jit, kernels } = opened;
  if (!jit) throw noSuchProducts(asked, kernels.text);
  if (!jit.target.matrixUnit) throw noSuchProducts(asked, `${jit.target.cpu}, or a system that keeps it from us`);
  return opened;
}

function open(device: string, asked: AskedProducts | null, env: Env, cwd?: string): KernelCompiler {
  const none = (...given: Parameters<typeof withoutKernels>) => ({ jit: null, kernels: withoutKernels(...given) });
  if (device !== "CPU") return none("they are written for processors");
  if (env.ATMOREP_KERNELS === "0") return none("ATMOREP_KERNELS=0");
  const found = findKernelCompiler(env, cwd);
  if (!found && env.ATMOREP_LLVM) {
    return none(`ATMOREP_LLVM names no library (${env.ATMOREP_LLVM})`, { fix: FIX_PATH });
  }
  if (!found) return none("LLVM was not found", { fix: "Steps are faster with it: npx atmorep engine install" });
  const { file, source } = found;
  try {
    const jit = openJit(file, { matrixUnit: asked !== null });
    const { cpu } = jit.target;
    const products = asked ? `, products in ${asked.name}` : "";
    return { jit, kernels: { used: true, text: `own kernels for ${cpu}${products} (LLVM: ${source})`, file } };
  } catch (error) {
    if (!(error instanceof LlvmError)) throw error;
    // a message without the file is about the processor
    const fix = env.ATMOREP_LLVM ? FIX_PATH : "Fetch llvmlite's library again: npx atmorep engine install";
    return none(error.message, error.message.startsWith(file) ? { file, fix } : { file });
  }
}

/** No kernels of our own, with a reason of which the first line is shown. */
export function withoutKernels(why: string, rest: Pick<OwnKernels, "fix" | "file"> = {}): OwnKernels {
  return { used: false, text: `no own kernels: ${why.split("\n")[0]}`, ...rest };
}
