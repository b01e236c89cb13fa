/** Choosing the library that computes. TensorFlow.js is loaded here, on the first call, and nowhere else at start-up. */
import { AtmorepError } from "../errors.js";
import type { Engine, EngineName, Instead } from "./engine.js";

export type { Engine, EngineName, Instead, OwnKernels } from "./engine.js";
export { ownCores } from "./threads.js";

/** How each engine is opened; its code and its libraries are loaded then. */
const ENGINES: Readonly<Record<EngineName, (share?: number) => Promise<Engine>>> = {
  native: async (share) => (await import("./native.js")).openNative(share),
  wasm: async (share) => (await import("./wasm/open.js")).openWasm(share),
};

/**
 * Makes an engine the current one: every tensor operation afterwards runs on it.
 *
 * @param name `auto` takes native if its library is found and can be loaded, else wasm, and tells why in `instead`
 * @param share threads, where several processes share a machine; default all cores of this process
 * @throws AtmorepError `failed` if the engine asked for is not there, `usage` for another name, and for
 *   precisions (`ATMOREP_PRODUCTS`) or numbers of threads (`ATMOREP_THREADS`) that cannot be had
 */
export async function openEngine(name: "auto" | EngineName, share?: number): Promise<Engine> {
  if (name !== "auto") {
    if (Object.hasOwn(ENGINES, name)) return ENGINES[name](share);
    throw new AtmorepError("usage", "unknown engine", {
      where: "engine",
      found: name,
      expected: ["auto", ...Object.keys(ENGINES)].join(", "),
      fix: "Choose one of these.",
    });
  }
  const opened = await tryNative(share);
  return "name" in opened ? opened : { ...(await ENGINES.wasm(share)), instead: opened };
}

/** The native engine, or why it is not used. */
async function tryNative(share?: number): Promise<Engine | Instead> {
  const { findNative, openNative } = await import("./native.js");
  const { found, tried, unsupported } = findNative();
  if (unsupported) return { reason: "unsupported", text: unsupported };
  const asked = process.env.ATMOREP_TENSORFLOW;
  if (!found && asked) {
    return { reason: "unusable", text: `ATMOREP_TENSORFLOW names no library (${tried.join(", ")}); WASM is used` };
  }
  if (!found)
    return { reason: "absent", text: "the native engine is several times faster: npx atmorep engine install" };
  try {
    return await openNative(share);
  } catch (error) {
    // what was asked for in so many words is not replaced by something else
    if (!(error instanceof AtmorepError) || error.code === "usage") throw error;
    const why = String(error.details.found ?? error.message).split("\n")[0];
    return { reason: "unusable", text: `the native engine cannot be used, WASM is: ${why}` };
  }
}
