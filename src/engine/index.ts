/** Choosing the library that computes. TensorFlow.js is loaded here, on the first call, and nowhere else at start-up. */
import { AtmorepError } from "../errors.js";
import type { Engine } from "./types.js";

export type { Engine, EngineName } from "./types.js";

/**
 * Makes an engine the current one: every tensor operation afterwards runs on it.
 *
 * @param name `auto` takes the fastest engine that is there
 * @throws AtmorepError `failed` if the engine asked for is not there
 */
export async function openEngine(name: "auto" | "native" | "wasm"): Promise<Engine> {
  if (name === "native") {
    throw new AtmorepError("failed", "the native engine is not there yet", {
      where: "--engine native",
      fix: "Use --engine wasm.",
    });
  }
  const { openWasm } = await import("./wasm/open.js");
  return openWasm();
}
