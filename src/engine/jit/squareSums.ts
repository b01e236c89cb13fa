/** Sums of squares of blocks of numbers, wherever they lie in memory. */
import { FLOAT, I64, Module, PTR } from "../llvm/ir.js";
import type { Target } from "../llvm/jit.js";
import { sums } from "./elements.js";
import { addresses, KERNEL } from "./kernel.js";
import { each } from "./rows.js";

const WORDS = 2;

/** Parameters of the kernel. @param blocks addresses and lengths */
export const squareParameters = (blocks: readonly { address: number; elements: number }[]): number[] => [
  blocks.length,
  ...blocks.flatMap(({ address, elements }) => [address, elements]),
];

/** LLVM assembly of the kernel `-> [blocks]`. */
export function squaresKernel(target: Target, name: string): string {
  const module = new Module(target.lanes);
  module.define(name, KERNEL, (body, [, outputs, parameters]) => {
    const [to] = addresses(body, outputs, 1);
    const count = body.load(I64, body.at(parameters, 0, I64));
    each(body, 0, count, (block) => {
      const word = body.at(parameters, body.add(body.mul(block, WORDS), 1), I64);
      const from = body.load(PTR, word);
      const elements = body.load(I64, body.at(word, 1, I64));
      const [total] = sums(body, elements, 1, (i, type, [sum]) => {
        const value = body.load(type, body.at(from, i));
        return [body.fadd(sum, body.fmul(value, value))];
      });
      body.store({ ...total, type: FLOAT }, body.at(to, block));
    });
  });
  return module.text;
}
