/**
 * NumPy's SeedSequence: any integers in, well-mixed words out
 * (O'Neill, "Developing a seed_seq alternative", 2015; NumPy's `SeedSequence`, pool of 4 words, no spawn key).
 */
import { AtmorepError } from "../errors.js";

/** A seed as `numpy.random.default_rng` takes it: a non-negative integer of any size, or a list of them. */
export type Seed = number | bigint | readonly (number | bigint)[];

const POOL_SIZE = 4;

/** Little-endian 32-bit words of a non-negative integer; 0 gives one word. */
function toWords(value: number | bigint): number[] {
  if (typeof value === "number" ? !Number.isSafeInteger(value) || value < 0 : value < 0n) {
    throw new AtmorepError("config", "a seed must be a non-negative integer", { where: "seed", found: String(value) });
  }
  if (typeof value === "number") {
    return value < 2 ** 32 ? [value] : [value >>> 0, Math.floor(value / 2 ** 32)];
  }
  const words: number[] = [];
  let rest = value;
  do {
    words.push(Number(rest & 0xffffffffn));
    rest >>= 32n;
  } while (rest > 0n);
  return words;
}

/** Mixes one word with the running hash constant. */
class Hash {
  private constant = 0x43b0d7e5;

  next(value: number): number {
    const mixed = value ^ this.constant;
    this.constant = Math.imul(this.constant, 0x931e8875);
    const product = Math.imul(mixed, this.constant);
    return product ^ (product >>> 16);
  }
}

function mix(a: number, b: number): number {
  const result = Math.imul(0xca01f9dd, a) - Math.imul(0x4973f715, b);
  return result ^ (result >>> 16);
}

/** The pool of 4 words that `seed` gives. */
function mixEntropy(words: readonly number[]): Uint32Array {
  const hash = new Hash();
  const pool = new Uint32Array(POOL_SIZE);
  for (let i = 0; i < POOL_SIZE; i++) pool[i] = hash.next(words[i] ?? 0);
  for (let from = 0; from < POOL_SIZE; from++) {
    for (let to = 0; to < POOL_SIZE; to++) if (from !== to) pool[to] = mix(pool[to], hash.next(pool[from]));
  }
  for (let from = POOL_SIZE; from < words.length; from++) {
    for (let to = 0; to < POOL_SIZE; to++) pool[to] = mix(pool[to], hash.next(words[from]));
  }
  return pool;
}

/**
 * `count` 32-bit words from `seed`: `SeedSequence(seed).generate_state(count)`.
 * Two consecutive words, low first, are one of the 64-bit words of `generate_state(n, uint64)`.
 * @throws AtmorepError `config` if a seed is negative or not an integer
 */
export function seedWords(seed: Seed, count: number): Uint32Array {
  const list = typeof seed === "object" ? seed : [seed];
  const pool = mixEntropy(list.flatMap(toWords));
  const words = new Uint32Array(count);
  let constant = 0x8b51f9dd;
  for (let i = 0; i < count; i++) {
    const mixed = pool[i % POOL_SIZE] ^ constant;
    constant = Math.imul(constant, 0x58f38ded);
    const product = Math.imul(mixed, constant);
    words[i] = product ^ (product >>> 16);
  }
  return words;
}
