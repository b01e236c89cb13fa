/** Which engine a run would use here, its library's version and device. */
import { createRequire } from "node:module";
import {
  builtForGpu,
  type Device,
  EagerContext,
  loadNative,
  nativeSearch,
  openKernelCompiler,
  searchLibrary,
} from "../engine/machine.js";
import { isAtmorepError } from "../errors.js";
import type { Outcome } from "./check.js";
import type { Host } from "./host.js";

/** Part of every JavaScript engine here, but declared only in the browser's types. */
declare const WebAssembly: { validate(bytes: Uint8Array): boolean };

/** A module with one SIMD instruction (v128.const, drop): valid only where SIMD is supported. */
const SIMD_MODULE = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 10, 23, 1, 21, 0, 253, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  0, 0, 0, 0, 0, 0, 26, 11,
]);

/** The native engine if its library is found and can be loaded, else WASM. */
export async function engineCheck(host: Pick<Host, "env" | "cwd" | "readText">): Promise<Outcome> {
  const { found } = searchLibrary({ ...nativeSearch(host.env), cwd: host.cwd });
  if (!found) return wasmCheck();
  try {
    const { version, devices, forGpu } = await inspect(found.file);
    const device = devices.find(({ type }) => type === "GPU") ?? devices[0];
    const driver = (await host.readText("/proc/driver/nvidia/version")) !== null;
    const why = device.type === "GPU" ? null : noGpu(forGpu, driver, host.env);
    const { kernels } = openKernelCompiler(device.type, host.env, host.cwd);
    const name = device.name.replace(/^.*device:/, "");
    return {
      status: "ok",
      found: `native, TensorFlow ${version} (${found.source}) on ${name}; ${kernels.text}${why ? `; no GPU: ${why.reason}` : ""}`,
      fix: why?.fix ?? kernels.fix,
      values: { name: "native", version, file: found.file, source: found.source, devices, forGpu, driver, kernels },
    };
  } catch (error) {
    if (isAtmorepError(error)) {
      return { status: "problem", found: error.message, fix: error.details.fix, values: { name: "native" } };
    }
    return {
      status: "problem",
      found: `the native engine's library cannot be used: ${(error as Error).message}`,
      fix: "Runs use WASM meanwhile. Fetch it again: npx atmorep engine install",
      values: { name: "native", file: found.file, source: found.source },
    };
  }
}

/** Why no GPU is used, and what can be done; the driver is asked for first, since nothing helps without it. */
export function noGpu(forGpu: boolean, driver: boolean, env: Host["env"]): { reason: string; fix?: string } {
  if (!driver) return { reason: "no NVIDIA driver here" };
  if (!forGpu) return { reason: "this library has no GPU code", fix: "npx atmorep engine install --gpu" };
  const hidden = env.CUDA_VISIBLE_DEVICES;
  if (hidden !== undefined && /^(-1)?$/.test(hidden)) {
    return { reason: `hidden by CUDA_VISIBLE_DEVICES="${hidden}"`, fix: "Unset CUDA_VISIBLE_DEVICES." };
  }
  return {
    reason: "TensorFlow sees none: NVIDIA's libraries are missing or do not fit the driver",
    fix: "npx atmorep engine install --gpu; TF_CPP_MIN_LOG_LEVEL=0 npx atmorep doctor shows TensorFlow's own reasons.",
  };
}

async function inspect(file: string): Promise<{ version: string; devices: Device[]; forGpu: boolean }> {
  const native = loadNative(file);
  const context = new EagerContext(native);
  const { devices } = context;
  await context.close();
  return { version: native.version, devices, forGpu: builtForGpu(native) };
}

/** TensorFlow.js's version and whether the fast SIMD build can run. */
function wasmCheck(): Outcome {
  const { version } = createRequire(import.meta.url)("@tensorflow/tfjs-backend-wasm/package.json") as {
    version: string;
  };
  const simd = WebAssembly.validate(SIMD_MODULE);
  return {
    status: simd ? "ok" : "problem",
    found: `wasm, TensorFlow.js ${version}${simd ? " with SIMD" : " without SIMD: several times slower"}`,
    fix: simd
      ? "The native engine is several times faster: npx atmorep engine install"
      : "Use a processor and a Node with WebAssembly SIMD.",
    values: { name: "wasm", version, simd },
  };
}
