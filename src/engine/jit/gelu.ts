/** GELU in its exact form, forward and backward in one pass each. */
import { type Body, Module, type Value } from "../llvm/ir.js";
import type { Target } from "../llvm/jit.js";
import { elementwise } from "./elements.js";
import { erf, exp2UpToZero } from "./functions.js";
import { addresses, KERNEL, numbers } from "./kernel.js";

const INVERSE_SQRT_TWO_PI = 0.3989422804014327;
/** Beyond it the slope is 0 or 1. */
const FAR = 20;

/** Phi(x), the normal distribution function */
const phi = (body: Body, x: Value): Value =>
  body.fma(erf(body, body.fmul(x, body.constant(Math.SQRT1_2))), body.constant(0.5), body.constant(0.5));

/** LLVM assembly of the kernel `x -> x Phi(x)`; parameter: elements. */
export const geluKernel = (target: Target, name: string): string =>
  kernel(target, name, 1, (body, [x]) => body.fmul(x, phi(body, x)));

/** LLVM assembly of the kernel `x, dy -> dy (Phi(x) + x phi(x))`; parameter: elements. */
export const geluGradKernel = (target: Target, name: string): string =>
  kernel(target, name, 2, (body, [given, dy]) => {
    const x = body.min(body.constant(FAR), body.max(body.constant(-FAR), given));
    const density = exp2UpToZero(body, body.fmul(body.fmul(x, x), body.constant(-Math.LOG2E / 2)));
    const slope = body.fma(x, body.fmul(density, body.constant(INVERSE_SQRT_TWO_PI)), phi(body, x));
    return body.fmul(dy, slope);
  });

function kernel(target: Target, name: string, inputs: number, fn: (body: Body, given: Value[]) => Value): string {
  const module = new Module(target.lanes);
  module.define(name, KERNEL, (body, [given, results, parameters]) => {
    const tensors = { inputs: addresses(body, given, inputs), outputs: addresses(body, results, 1) };
    const [count] = numbers(body, parameters, 1);
    elementwise(body, count, tensors, (_, vectors) => [
      [
        fn(
          body,
          vectors.map(([vector]) => vector),
        ),
      ],
    ]);
  });
  return module.text;
}
