import { describe, expect, it } from "vitest";
import { adamwConstants, adamwRates } from "../../../src/engine/adamw.js";
import { type UpdateConstants, updateKernel, updateParameters } from "../../../src/engine/jit/adamw.js";
import { type Lists, reference, single, startLists } from "../../engine/adamwReference.js";
import { normal } from "../../engine/support.js";
import { compileKernel, MACHINES } from "./machines.js";

const SETTINGS = { learningRate: 1e-3, weightDecay: 0.05 };
const SCALE = Math.fround(0.37);
/** the fifth is empty, the second is one number, some end within a vector */
const LENGTHS = [40, 1, 16, 3, 0, 1000, 17];
const SHAPES = LENGTHS.map((n) => [n]);

const numbers = (seed: number): Float32Array[] => LENGTHS.map((n, i) => normal(100 * seed + i, [n]).data);
const first = (): Lists => startLists(SHAPES, true);
const gradients = (t: number): Float32Array[] => numbers(10 + t);

/** Operation by operation, each rounded to float32. */
const composed = (lists: Lists, t: number, emaDecay: number | null): Lists => {
  const next = reference(single, lists, gradients(t), t, SCALE, { ...SETTINGS, emaDecay: emaDecay ?? 0 });
  return emaDecay === null ? { ...next, ema: lists.ema } : next;
};

describe.each(MACHINES)("AdamW in place, %s", (_, jit) => {
  const kernel = compileKernel(jit, (name) => updateKernel(jit.target, name));

  function inPlace({ p, m, v, ema }: Lists, t: number, emaDecay: number | null): Lists {
    const { beta1, beta2, eps } = adamwConstants(SETTINGS);
    const constants: UpdateConstants = { beta1, beta2, eps, emaDecay };
    const count = p.length;
    const [done, ...lists] = kernel({
      inputs: [Float32Array.of(SCALE), Float32Array.from(adamwRates(SETTINGS.learningRate, t, SETTINGS))],
      outputs: [1],
      inPlace: [...p, ...m, ...v, ...gradients(t), ...ema],
      parameters: (at) => {
        const piece = (i: number) => ({
          ...{ p: at[i], m: at[count + i], v: at[2 * count + i], gradient: at[3 * count + i] },
          ...{ average: emaDecay === null ? 0 : at[4 * count + i], elements: LENGTHS[i] },
        });
        return updateParameters(
          constants,
          p.map((_, i) => piece(i)),
        );
      },
    });
    expect(done[0]).toBe(SCALE);
    const group = (k: number) => lists.slice(k * count, (k + 1) * count);
    expect(group(3)).toEqual(gradients(t));
    return { p: group(0), m: group(1), v: group(2), ema: group(4) };
  }

  it.each([
    ["a moving average", 0.99],
    ["an average that does not move", 1],
    ["an average that is the parameters", 0],
    ["no moving average", null],
  ])("with %s: the bits of single operations, over five updates", (_, decay) => {
    let [expected, actual] = [first(), first()];
    for (let t = 1; t <= 5; t++) {
      [expected, actual] = [composed(expected, t, decay), inPlace(actual, t, decay)];
      expect(actual).toEqual(expected);
    }
  });

  it("what is not a number stays one, where it is", () => {
    const state = first();
    const clean = inPlace(state, 1, 0.9);
    for (const kind of ["p", "m", "v"] as const) {
      const bad = inPlace({ ...state, [kind]: state[kind].with(5, state[kind][5].with(999, Number.NaN)) }, 1, 0.9);
      const changed = clean.p[5].with(999, Number.NaN);
      expect(bad.p).toEqual(clean.p.with(5, changed));
      expect(bad.ema[5][999]).toBeNaN();
    }
  });
});
