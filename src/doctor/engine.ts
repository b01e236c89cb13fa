/** Which engine a run would use here, its library's version and device. */
import { createRequire } from "node:module";
import { nativeSearch } from "../engine/native.js";
import { type Device, EagerContext, loadNative, searchLibrary } from "../engine/tensorflow/index.js";
import type { Host } from "./host.js";
import type { Check } from "./index.js";

/** Part of every JavaScript engine here, but declared only in the browser's types. */
declare const WebAssembly: { validate(bytes: Uint8Array): boolean };

/** A module with one SIMD instruction (v128.const, drop): valid only where SIMD is supported. */
const SIMD_MODULE = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 10, 23, 1, 21, 0, 253, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  0, 0, 0, 0, 0, 0, 26, 11,
]);

type Outcome = Omit<Check, "name">;

/** The native engine if its library is found and can be loaded, else WASM. */
export async function engineCheck(host: Pick<Host, "env" | "cwd">): Promise<Outcome> {
  const { found } = searchLibrary({ ...nativeSearch(host.env), cwd: host.cwd });
  if (!found) return wasmCheck();
  try {
    const { version, devices } = await inspect(found.file);
    const device = devices.find(({ type }) => type === "GPU") ?? devices[0];
    return {
      status: "ok",
      found: `native, TensorFlow ${version} (${found.source}) on ${device.name.replace(/^.*device:/, "")}`,
      values: { name: "native", version, file: found.file, source: found.source, devices },
    };
  } catch (error) {
    return {
      status: "problem",
      found: `the native engine's library cannot be used: ${(error as Error).message}`,
      fix: "Fetch it again with atmorep engine install, or train with --engine wasm.",
      values: { name: "native", file: found.file, source: found.source },
    };
  }
}

async function inspect(file: string): Promise<{ version: string; devices: Device[] }> {
  const native = loadNative(file);
  const context = new EagerContext(native);
  const { devices } = context;
  await context.close();
  return { version: native.version, devices };
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
