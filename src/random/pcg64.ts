/**
 * PCG64, NumPy's default bit generator: a 128-bit linear congruential generator with XSL-RR output
 * (O'Neill, "PCG: a family of simple fast space-efficient statistically good algorithms", 2014).
 */
import { type Seed, seedWords } from "./seedSequence.js";

/** State of a PCG64, JSON-serialisable: 128-bit numbers as four 32-bit words, lowest first. */
export interface Pcg64State {
  state: number[];
  increment: number[];
  /** the 32-bit half that a 32-bit draw has left, or null */
  buffered: number | null;
}

/** The multiplier 0x2360ed051fc65da44385df649fccf645 in 16-bit limbs, lowest first. */
const M0 = 0xf645;
const M1 = 0x9fcc;
const M2 = 0xdf64;
const M3 = 0x4385;
const M4 = 0x5da4;
const M5 = 0x1fc6;
const M6 = 0xed05;
const M7 = 0x2360;

const BASE = 65536;
const INVERSE = 1 / BASE;
const INVERSE_WORD = 1 / (BASE * BASE);

/** A double in [0, 1) of the upper 53 of 64 bits, given as low and high word. */
export const doubleOf = (output: Uint32Array): number => (output[1] * 2097152 + (output[0] >>> 11)) / 9007199254740992;

/** The multiplier as 32-bit words, lowest first. */
export const MULTIPLIER = [M1 * 65536 + M0, M3 * 65536 + M2, M5 * 65536 + M4, M7 * 65536 + M6];

export class Pcg64 {
  private readonly state = new Uint32Array(4);
  private readonly increment = new Uint32Array(4);
  private hasHalf = false;
  private readonly half = new Uint32Array(1);
  /** low and high word of the last 64-bit output */
  readonly output: Uint32Array = new Uint32Array(2);

  constructor(seed: Seed) {
    const words = seedWords(seed, 8);
    // 64-bit words come high half first: [state high, state low, sequence high, sequence low]
    const sequence = [words[6], words[7], words[4], words[5]];
    for (let i = 0; i < 4; i++) {
      this.increment[i] = (sequence[i] << 1) | (i === 0 ? 1 : sequence[i - 1] >>> 31);
    }
    this.step();
    const start = [words[2], words[3], words[0], words[1]];
    let carry = 0;
    for (let i = 0; i < 4; i++) {
      const sum = this.state[i] + start[i] + carry;
      this.state[i] = sum;
      carry = sum >= 2 ** 32 ? 1 : 0;
    }
    this.step();
  }

  /**
   * state = state * multiplier + increment, modulo 2^128. Columns of 16 bits keep every sum exact below 2^53; they are
   * joined two by two before carrying, so that three carries wait for each other and not seven.
   */
  private step(): void {
    const s = this.state;
    const inc = this.increment;
    const s0 = s[0];
    const s1 = s[1];
    const s2 = s[2];
    const s3 = s[3];
    const c1 = s0 * M1;
    const c3 = s0 * M3 + s1 * M1;
    const c5 = s0 * M5 + s1 * M3 + s2 * M1;
    const c7 = s0 * M7 + s1 * M5 + s2 * M3 + s3 * M1;
    const h1 = Math.floor(c1 * INVERSE);
    const h3 = Math.floor(c3 * INVERSE);
    const h5 = Math.floor(c5 * INVERSE);
    const h7 = Math.floor(c7 * INVERSE);
    const w0 = s0 * M0 + inc[0] + (c1 - h1 * BASE) * BASE;
    const w1 = s0 * M2 + s1 * M0 + inc[1] + (c3 - h3 * BASE) * BASE + h1 + Math.floor(w0 * INVERSE_WORD);
    const w2 = s0 * M4 + s1 * M2 + s2 * M0 + inc[2] + (c5 - h5 * BASE) * BASE + h3 + Math.floor(w1 * INVERSE_WORD);
    const even = s0 * M6 + s1 * M4 + s2 * M2 + s3 * M0 + inc[3];
    const w3 = even + (c7 - h7 * BASE) * BASE + h5 + Math.floor(w2 * INVERSE_WORD);
    // the array keeps the lowest 32 bits
    s[0] = w0;
    s[1] = w1;
    s[2] = w2;
    s[3] = w3;
  }

  /** Draws 64 bits into `output`. */
  next64(): void {
    this.step();
    const s = this.state;
    const low = s[0] ^ s[2];
    const high = s[1] ^ s[3];
    const rotation = s[3] >>> 26;
    const r = rotation & 31;
    const a = rotation < 32 ? low : high;
    const b = rotation < 32 ? high : low;
    this.output[0] = r === 0 ? a : (a >>> r) | (b << (32 - r));
    this.output[1] = r === 0 ? b : (b >>> r) | (a << (32 - r));
  }

  /** 32 bits: the low half of a 64-bit draw, then its high half. */
  next32(): number {
    if (this.hasHalf) {
      this.hasHalf = false;
      return this.half[0];
    }
    this.next64();
    this.hasHalf = true;
    this.half[0] = this.output[1];
    return this.output[0];
  }

  /** A double in [0, 1) with 53 random bits. */
  nextDouble(): number {
    this.next64();
    return doubleOf(this.output);
  }

  getState(): Pcg64State {
    return { state: [...this.state], increment: [...this.increment], buffered: this.hasHalf ? this.half[0] : null };
  }

  setState({ state, increment, buffered }: Pcg64State): void {
    this.state.set(state);
    this.increment.set(increment);
    this.hasHalf = buffered !== null;
    this.half[0] = buffered ?? 0;
  }
}
