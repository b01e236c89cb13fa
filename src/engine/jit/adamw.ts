/** AdamW and the moving average in place: each number is read and written once. */
import type { AdamwConstants } from "../adamw.js";
import { type Body, FLOAT, I64, Module, NULL, PTR, type Value } from "../llvm/ir.js";
import type { Target } from "../llvm/jit.js";
import { along } from "./elements.js";
import { addresses, floatBits, KERNEL } from "./kernel.js";
import { each } from "./rows.js";

/** One parameter, or a part of it, by addresses of float32 numbers. */
export interface Piece {
  p: number;
  m: number;
  v: number;
  gradient: number;
  /** 0: no moving average */
  average: number;
  elements: number;
}

const WORDS = 6;
/** constants before the pieces, as bits of float32 */
const CONSTANTS = 7;

export interface UpdateConstants extends Pick<AdamwConstants, "beta1" | "beta2" | "eps"> {
  /** null: no moving average */
  emaDecay: number | null;
}

/** Parameters of the kernel. */
export function updateParameters({ beta1, beta2, eps, emaDecay }: UpdateConstants, pieces: readonly Piece[]): number[] {
  const keep = emaDecay ?? 0;
  const constants = [beta1, 1 - beta1, beta2, 1 - beta2, eps, keep, 1 - keep].map(floatBits);
  const words = pieces.flatMap(({ p, m, v, gradient, average, elements }) => [p, m, v, gradient, average, elements]);
  return [pieces.length, ...constants, ...words];
}

/**
 * LLVM assembly of the kernel `scale [], rates [3] -> [1]` (its result says only that it is done), in the order of
 * operations of `composedAdamw` in `../eager/adamw.ts`.
 */
export function updateKernel(target: Target, name: string): string {
  const module = new Module(target.lanes);
  module.define(name, KERNEL, (body, [inputs, outputs, parameters]) => {
    const [scaleAt, rates] = addresses(body, inputs, 2);
    const [done] = addresses(body, outputs, 1);
    const scale = body.load(FLOAT, scaleAt);
    const [decay, step, root] = [0, 1, 2].map((i) => body.load(FLOAT, body.at(rates, i)));
    const word = (i: Value | number) => body.at(parameters, i, I64);
    const count = body.load(I64, word(0));
    const [beta1, rest1, beta2, rest2, eps, keep, take] = Array.from({ length: CONSTANTS }, (_, i) =>
      body.convert("bitcast", body.convert("trunc", body.load(I64, word(1 + i)), "i32"), FLOAT),
    );
    each(body, 0, count, (piece) => {
      const start = body.add(body.mul(piece, WORDS), 1 + CONSTANTS);
      const [p, m, v, gradient, average] = [0, 1, 2, 3, 4].map((i) => body.load(PTR, word(body.add(start, i))));
      const elements = body.load(I64, word(body.add(start, 5)));
      along(body, elements, (i, type, of) => {
        const at = (list: Value) => body.at(list, i);
        const g = body.fmul(body.load(type, at(gradient)), of(scale));
        const first = mixed(body, body.load(type, at(m)), of(beta1), g, of(rest1));
        const second = mixed(body, body.load(type, at(v)), of(beta2), body.fmul(g, g), of(rest2));
        const spread = body.fadd(body.fdiv(body.sqrt(second), of(root)), of(eps));
        const move = body.fmul(body.fdiv(first, spread), of(step));
        const former = body.load(type, at(p));
        const next = body.fsub(body.fsub(former, body.fmul(former, of(decay))), move);
        body.store(first, at(m));
        body.store(second, at(v));
        body.store(next, at(p));
      });
      body.when(body.compare("ne", average, NULL), () => {
        along(body, elements, (i, type, of) => {
          const [to, from] = [body.at(average, i), body.at(p, i)];
          body.store(mixed(body, body.load(type, to), of(keep), body.load(type, from), of(take)), to);
        });
      });
    });
    body.store(scale, done);
  });
  return module.text;
}

/** a * x + b * y */
const mixed = (body: Body, a: Value, x: Value, b: Value, y: Value): Value =>
  body.fadd(body.fmul(a, x), body.fmul(b, y));
