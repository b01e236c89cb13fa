/**
 * Many normal numbers of a generator: the same as it would give one by one, with its bits drawn ahead by a loop of
 * WebAssembly, whose products of 64 bits take a fifth of the time.
 */
import {
  advance,
  assemble,
  type Code,
  countDown,
  get,
  I64,
  i32,
  i64,
  set,
  type WasmFunction,
} from "../formats/wasm.js";
import type { Generator } from "../random/index.js";
import { doubleOf, MULTIPLIER } from "../random/pcg64.js";
import { type Bits, nextNormal } from "../random/ziggurat.js";

/** Outputs drawn at once. */
const BLOCK = 4096;

/** In the loop's memory, in bytes: the state, the increment, the multiplier (16 each), and the outputs. */
const [STATE, INCREMENT, FACTOR, OUT] = [0, 16, 32, 64];

/** The part that is used; TypeScript has the types with those of browsers alone. */
declare const WebAssembly: {
  Memory: new (limits: { initial: number }) => { buffer: ArrayBuffer };
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: object) => { exports: Record<string, unknown> };
};

/** `draw(out, count)`: PCG64's next `count` outputs of 64 bits, above 0, from and into the state in memory. */
function drawLoop(): WasmFunction {
  const [out, count] = [0, 1];
  const [s0, s1, p01, p10, low, middle] = [2, 3, 4, 5, 6, 7];
  const at = (place: number): Code => i64.load(i32(0), place);
  const high = (x: Code): Code => i64.shiftRight(x, 32);
  const [m0, m1] = [i64.low(at(FACTOR)), high(at(FACTOR))];
  const sum = (...terms: Code[]): Code => terms.reduce(i64.add);
  const step: Code = [
    // the upper half of s0 times the multiplier's lower half, from products of 32 bits
    ...set(p01, i64.mul(i64.low(get(s0)), m1)),
    ...set(p10, i64.mul(high(get(s0)), m0)),
    ...set(middle, sum(high(i64.mul(i64.low(get(s0)), m0)), i64.low(get(p01)), i64.low(get(p10)))),
    ...set(low, i64.add(i64.mul(get(s0), at(FACTOR)), at(INCREMENT))),
    ...set(
      s1,
      sum(
        ...[i64.mul(high(get(s0)), m1), high(get(p01)), high(get(p10)), high(get(middle))],
        ...[i64.mul(get(s0), at(FACTOR + 8)), i64.mul(get(s1), at(FACTOR)), at(INCREMENT + 8)],
        i64.less(get(low), at(INCREMENT)),
      ),
    ),
    ...set(s0, get(low)),
  ];
  const output = i64.rotateRight(i64.xor(get(s0), get(s1)), i64.shiftRight(get(s1), 58));
  const body = [
    ...set(s0, at(STATE)),
    ...set(s1, at(STATE + 8)),
    ...countDown(count, [...step, ...i64.store(get(out), output), ...advance(out, i32(8))]),
    ...i64.store(i32(0), get(s0), STATE),
    ...i64.store(i32(0), get(s1), STATE + 8),
  ];
  return { name: "draw", params: 2, locals: Array(6).fill(I64), body };
}

/** Bits drawn ahead, never more than `missing` says will be used. */
class DrawnAhead implements Bits {
  readonly output: Uint32Array = new Uint32Array(2);
  /** numbers that are not there yet: each takes one output or more */
  missing = 0;
  private readonly words: Uint32Array;
  private readonly draw: (out: number, count: number) => void;
  private next = OUT / 4;
  private end = OUT / 4;

  constructor() {
    const memory = new WebAssembly.Memory({ initial: 1 });
    const module = new WebAssembly.Module(assemble([drawLoop()]));
    this.draw = new WebAssembly.Instance(module, { env: { memory } }).exports.draw as DrawnAhead["draw"];
    this.words = new Uint32Array(memory.buffer);
    this.words.set(MULTIPLIER, FACTOR / 4);
  }

  start(state: readonly number[], increment: readonly number[]): void {
    this.words.set(state, STATE / 4);
    this.words.set(increment, INCREMENT / 4);
    this.next = this.end;
  }

  state(): number[] {
    return [...this.words.subarray(STATE / 4, STATE / 4 + 4)];
  }

  next64(): void {
    if (this.next === this.end) {
      const count = Math.min(BLOCK, this.missing);
      this.draw(OUT, count);
      this.next = OUT / 4;
      this.end = this.next + 2 * count;
    }
    this.output[0] = this.words[this.next];
    this.output[1] = this.words[this.next + 1];
    this.next += 2;
  }

  nextDouble(): number {
    this.next64();
    return doubleOf(this.output);
  }
}

let ahead: DrawnAhead | null = null;

/** Fills `values` with what `generator.standardNormal` would give; the generator moves on as far. */
export function fillNormals(generator: Generator, values: Float32Array): Float32Array {
  ahead ??= new DrawnAhead();
  const { state, increment, buffered } = generator.getState();
  ahead.start(state, increment);
  for (let i = 0; i < values.length; i++) {
    ahead.missing = values.length - i;
    values[i] = nextNormal(ahead);
  }
  generator.setState({ state: ahead.state(), increment, buffered });
  return values;
}
