/** Which engine a run would use here, and its library's version. */
import { createRequire } from "node:module";
import type { Check } from "./index.js";

/** Part of every JavaScript engine here, but declared only in the browser's types. */
declare const WebAssembly: { validate(bytes: Uint8Array): boolean };

/** A module with one SIMD instruction (v128.const, drop): valid only where SIMD is supported. */
const SIMD_MODULE = new Uint8Array([
  0, 97, 115, 109, 1, 0, 0, 0, 1, 4, 1, 96, 0, 0, 3, 2, 1, 0, 10, 23, 1, 21, 0, 253, 12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
  0, 0, 0, 0, 0, 0, 26, 11,
]);

/** The WASM engine: TensorFlow.js's version and whether the fast SIMD build can run. */
export async function engineCheck(): Promise<Omit<Check, "name">> {
  const { version } = createRequire(import.meta.url)("@tensorflow/tfjs-backend-wasm/package.json") as {
    version: string;
  };
  const simd = WebAssembly.validate(SIMD_MODULE);
  return {
    status: simd ? "ok" : "problem",
    found: `wasm, TensorFlow.js ${version}${simd ? " with SIMD" : " without SIMD: several times slower"}`,
    fix: simd ? undefined : "Use a processor and a Node with WebAssembly SIMD.",
    values: { name: "wasm", version, simd },
  };
}
