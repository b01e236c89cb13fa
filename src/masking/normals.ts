/**
 * Many normal numbers of a generator: the same as it would give one by one. A loop of WebAssembly draws those that lie
 * safely below the curve, 98.8 of a hundred; what the rest needs of logarithms and exponentials stays in TypeScript.
 */
import { assemble } from "../formats/wasm.js";
import { compile, instantiate, ownMemory } from "../formats/wasmHost.js";
import type { Generator } from "../random/index.js";
import { doubleOf, MULTIPLIER } from "../random/pcg64.js";
import { type Bits, nextNormal } from "../random/ziggurat.js";
import { LAYER_RATIO, LAYER_WIDTH } from "../random/zigguratTables.js";
import {
  drawNormals,
  drawOne,
  FACTOR,
  INCREMENT,
  LEFT,
  NUMBERS,
  OUTPUT,
  RATIOS,
  STATE,
  WIDTHS,
} from "./normalsLoop.js";

/** Numbers drawn at once. */
const BLOCK = 8192;

/** Bits drawn one by one by the loop's memory, after the one that the loop ended at. */
class Rest implements Bits {
  readonly output: Uint32Array = new Uint32Array(2);
  /** true: the loop's last output has not been looked at */
  waiting = false;

  constructor(
    private readonly words: Uint32Array,
    private readonly draw: () => void,
  ) {}

  next64(): void {
    if (!this.waiting) this.draw();
    this.waiting = false;
    this.output[0] = this.words[OUTPUT / 4];
    this.output[1] = this.words[OUTPUT / 4 + 1];
  }

  nextDouble(): number {
    this.next64();
    return doubleOf(this.output);
  }
}

class NormalDrawer {
  private readonly words: Uint32Array;
  private readonly numbers: Float32Array;
  private readonly normals: (out: number, count: number) => void;
  private readonly rest: Rest;

  constructor() {
    const memory = ownMemory(1);
    const exports = instantiate<Record<string, unknown>>(compile(assemble([drawNormals(), drawOne()])), memory);
    this.normals = exports.normals as NormalDrawer["normals"];
    this.words = new Uint32Array(memory.buffer);
    this.words.set(MULTIPLIER, FACTOR / 4);
    new Float64Array(memory.buffer, WIDTHS).set(LAYER_WIDTH);
    new Float64Array(memory.buffer, RATIOS).set(LAYER_RATIO);
    this.numbers = new Float32Array(memory.buffer, NUMBERS, BLOCK);
    this.rest = new Rest(this.words, exports.draw as () => void);
  }

  fill(generator: Generator, values: Float32Array): void {
    const { state, increment, buffered } = generator.getState();
    this.words.set(state, STATE / 4);
    this.words.set(increment, INCREMENT / 4);
    for (let done = 0; done < values.length; done += BLOCK) {
      const count = Math.min(BLOCK, values.length - done);
      this.block(count);
      values.set(count === BLOCK ? this.numbers : this.numbers.subarray(0, count), done);
    }
    generator.setState({ state: [...this.words.subarray(STATE / 4, STATE / 4 + 4)], increment, buffered });
  }

  private block(count: number): void {
    for (let left = count; left > 0; ) {
      this.normals(NUMBERS + 4 * (count - left), left);
      left = this.words[LEFT / 4];
      if (left === 0) return;
      this.rest.waiting = true;
      this.numbers[count - left] = nextNormal(this.rest);
      left -= 1;
    }
  }
}

let drawer: NormalDrawer | null = null;

/** Fills `values` with what `generator.standardNormal` would give; the generator moves on as far. */
export function fillNormals(generator: Generator, values: Float32Array): Float32Array {
  drawer ??= new NormalDrawer();
  drawer.fill(generator, values);
  return values;
}
