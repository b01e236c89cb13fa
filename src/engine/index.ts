/** Choosing the library that computes. TensorFlow.js is loaded here, on the first call, and nowhere else at start-up. */
import type { Engine } from "./types.js";

export type { Engine, EngineName } from "./types.js";

/**
 * Makes an engine the current one: every tensor operation afterwards runs on it.
 *
 * @param name `auto` takes native if its library is found, else wasm
 * @throws AtmorepError `failed` if the engine asked for is not there
 */
export async function openEngine(name: "auto" | "native" | "wasm"): Promise<Engine> {
  if (name !== "wasm") {
    const { findNative, openNative } = await import("./native.js");
    if (name === "native" || findNative().found) return openNative();
  }
  const { openWasm } = await import("./wasm/open.js");
  return openWasm();
}
