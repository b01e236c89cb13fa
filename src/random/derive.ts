import { defaultRng, type Generator } from "./generator.js";

/** FNV-1a of a name's UTF-8 bytes, 32 bits. */
function hash32(name: string): number {
  let hash = 0x811c9dc5;
  for (const byte of new TextEncoder().encode(name)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

/** The seed list of the stream `names` under a root seed; names are hashed, numbers kept. */
export function derivedSeed(seed: number, ...names: (string | number)[]): number[] {
  return [seed, ...names.map((name) => (typeof name === "number" ? name : hash32(name)))];
}

/** An independent generator for a named purpose, e.g. `derive(seed, "noise", level)`. */
export function derive(seed: number, ...names: (string | number)[]): Generator {
  return defaultRng(derivedSeed(seed, ...names));
}
