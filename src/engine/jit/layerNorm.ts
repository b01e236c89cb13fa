/** Layer normalisation of rows, forward and backward in one pass over memory each. */
import { type Body, FLOAT, float, Module, type Value } from "../llvm/ir.js";
import type { Target } from "../llvm/jit.js";
import { along, spread, sums } from "./elements.js";
import { addresses, KERNEL, numbers } from "./kernel.js";
import { each } from "./rows.js";

function sizesOf(body: Body, parameters: Value) {
  const [rows, d] = numbers(body, parameters, 2);
  return { rows, d, share: body.fdiv(float(1), body.convert("sitofp", d, FLOAT)) };
}

/** LLVM assembly of the kernel `x [R, d], (gamma, beta [d]) -> y [R, d], mean [R], scale [R]`; parameters: R, d. */
export function layerNormKernel(target: Target, name: string, affine: boolean, epsilon: number): string {
  const module = new Module(target.lanes);
  module.define(name, KERNEL, (body, [inputs, outputs, parameters]) => {
    const [x, gamma, beta] = addresses(body, inputs, affine ? 3 : 1);
    const [y, means, scales] = addresses(body, outputs, 3);
    const { rows, d, share } = sizesOf(body, parameters);
    each(body, 0, rows, (row) => {
      const start = body.mul(row, d);
      const [from, to] = [body.at(x, start), body.at(y, start)];
      const [total] = sums(body, d, 1, (i, type, [sum]) => [body.fadd(sum, body.load(type, body.at(from, i)))]);
      const mean = body.fmul(total, share);
      const [squares] = sums(body, d, 1, (i, type, [sum]) => {
        const centred = body.fsub(body.load(type, body.at(from, i)), spread(body, type, mean));
        return [body.fma(centred, centred, sum)];
      });
      const variance = body.fma(squares, share, float(epsilon));
      const scale = body.fdiv(float(1), body.sqrt(variance));
      along(body, d, (i, type) => {
        const centred = body.fsub(body.load(type, body.at(from, i)), spread(body, type, mean));
        const normal = body.fmul(centred, spread(body, type, scale));
        const weight = (list: Value) => body.load(type, body.at(list, i));
        body.store(affine ? body.fma(normal, weight(gamma), weight(beta)) : normal, body.at(to, i));
      });
      body.store(mean, body.at(means, row));
      body.store(scale, body.at(scales, row));
    });
  });
  return module.text;
}

/**
 * LLVM assembly of the kernel `x, mean, scale, dy, (gamma) -> dx, (dgamma, dbeta [d])`; parameters: R, d.
 */
export function layerNormGradKernel(target: Target, name: string, affine: boolean): string {
  const module = new Module(target.lanes);
  module.define(name, KERNEL, (body, [inputs, outputs, parameters]) => {
    const [x, means, scales, dy, gamma] = addresses(body, inputs, affine ? 5 : 4);
    const [dx, dGamma, dBeta] = addresses(body, outputs, affine ? 3 : 1);
    const { rows, d, share } = sizesOf(body, parameters);
    if (affine) {
      along(body, d, (i, type) => {
        for (const list of [dGamma, dBeta]) body.store(spread(body, type, float(0)), body.at(list, i));
      });
    }
    each(body, 0, rows, (row) => {
      const start = body.mul(row, d);
      const [from, upstream, to] = [x, dy, dx].map((tensor) => body.at(tensor, start));
      const [mean, scale] = [means, scales].map((list) => body.load(FLOAT, body.at(list, row)));
      const normalAt = (i: Value, type: string) => {
        const centred = body.fsub(body.load(type, body.at(from, i)), spread(body, type, mean));
        return body.fmul(centred, spread(body, type, scale));
      };
      const gradientAt = (i: Value, type: string) => {
        const given = body.load(type, body.at(upstream, i));
        return affine ? body.fmul(given, body.load(type, body.at(gamma, i))) : given;
      };
      const [total, product] = sums(body, d, 2, (i, type, [total, product]) => {
        const [normal, gradient] = [normalAt(i, type), gradientAt(i, type)];
        if (affine) {
          const given = body.load(type, body.at(upstream, i));
          const [toGamma, toBeta] = [body.at(dGamma, i), body.at(dBeta, i)];
          body.store(body.fma(given, normal, body.load(type, toGamma)), toGamma);
          body.store(body.fadd(given, body.load(type, toBeta)), toBeta);
        }
        return [body.fadd(total, gradient), body.fma(gradient, normal, product)];
      });
      const [average, slope] = [total, product].map((sum) => body.fmul(sum, share));
      along(body, d, (i, type) => {
        const [normal, gradient] = [normalAt(i, type), gradientAt(i, type)];
        const parallel = body.fmul(normal, spread(body, type, slope));
        const rest = body.fsub(body.fsub(gradient, spread(body, type, average)), parallel);
        body.store(body.fmul(rest, spread(body, type, scale)), body.at(to, i));
      });
    });
  });
  return module.text;
}
