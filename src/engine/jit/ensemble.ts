/** Mean, spread and squared errors of an ensemble, each in one pass over its members. */
import { type Body, FLOAT, float, Module, type Value } from "../llvm/ir.js";
import type { Target } from "../llvm/jit.js";
import { along, spread, sums } from "./elements.js";
import { addresses, KERNEL, numbers } from "./kernel.js";
import { each } from "./rows.js";

function sizesOf(body: Body, parameters: Value) {
  const [rows, members, width] = numbers(body, parameters, 3);
  const asFloat = (value: Value) => body.convert("sitofp", value, FLOAT);
  return { rows, members, width, count: asFloat(members), others: asFloat(body.sub(members, 1)) };
}

/** Where row `row` begins in tensors [M, D] and [M, E, D]. */
const starts = (body: Body, { members, width }: { members: Value; width: Value }, row: Value) => {
  const narrow = body.mul(row, width);
  return { narrow, wide: body.mul(narrow, members) };
};

/** The sum over the members of `term(element)`, from zero. */
function overMembers(body: Body, members: Value, type: string, term: (member: Value) => Value): Value {
  return body.loop(0, members, 1, [spread(body, type, float(0))], (member, [sum]) => [body.fadd(sum, term(member))])[0];
}

/** LLVM assembly of the kernel `ens [M, E, D] -> moments [2, M, D]`, mean and unbiased spread; parameters: M, E, D. */
export function momentsKernel(target: Target, name: string): string {
  const module = new Module(target.lanes);
  module.define(name, KERNEL, (body, [inputs, outputs, parameters]) => {
    const [ens] = addresses(body, inputs, 1);
    const [means] = addresses(body, outputs, 1);
    const sizes = sizesOf(body, parameters);
    const { rows, members, width, count, others } = sizes;
    const spreads = body.at(means, body.mul(rows, width));
    each(body, 0, rows, (row) => {
      const { narrow, wide } = starts(body, sizes, row);
      along(body, width, (i, type, of) => {
        const at = (member: Value) => body.at(ens, body.add(wide, body.add(body.mul(member, width), i)));
        const load = (member: Value) => body.load(type, at(member));
        const mean = body.fdiv(overMembers(body, members, type, load), of(count));
        const squares = overMembers(body, members, type, (member) => {
          const centred = body.fsub(load(member), mean);
          return body.fmul(centred, centred);
        });
        const to = body.add(narrow, i);
        body.store(mean, body.at(means, to));
        body.store(body.sqrt(body.fdiv(squares, of(others))), body.at(spreads, to));
      });
    });
  });
  return module.text;
}

/** LLVM assembly of the kernel `ens, moments, dmoments -> dens`; where all members agree that of the spread is 0. */
export function momentsGradKernel(target: Target, name: string): string {
  const module = new Module(target.lanes);
  module.define(name, KERNEL, (body, [inputs, outputs, parameters]) => {
    const [ens, means, dMeans] = addresses(body, inputs, 3);
    const [dEns] = addresses(body, outputs, 1);
    const sizes = sizesOf(body, parameters);
    const { rows, members, width, count, others } = sizes;
    const [spreads, dSpreads] = [means, dMeans].map((list) => body.at(list, body.mul(rows, width)));
    each(body, 0, rows, (row) => {
      const { narrow, wide } = starts(body, sizes, row);
      along(body, width, (i, type, of) => {
        const load = (list: Value) => body.load(type, body.at(list, body.add(narrow, i)));
        const [mean, spread, dMean, dSpread] = [means, spreads, dMeans, dSpreads].map(load);
        const none = body.compare("oeq", spread, of(float(0)));
        const safe = body.select(none, of(float(1)), spread);
        const slope = body.fdiv(dSpread, body.fmul(safe, of(others)));
        const share = body.fdiv(dMean, of(count));
        each(body, 0, members, (member) => {
          const at = body.add(wide, body.add(body.mul(member, width), i));
          const centred = body.fsub(body.load(type, body.at(ens, at)), mean);
          body.store(body.fma(centred, slope, share), body.at(dEns, at));
        });
      });
    });
  });
  return module.text;
}

/**
 * LLVM assembly of the kernel `ens [M, E, D], target, weights [M, D] -> sums [M]` of weight (e - t)^2; parameters: M, E,
 * D.
 */
export function squaresKernel(target: Target, name: string): string {
  const module = new Module(target.lanes);
  module.define(name, KERNEL, (body, [inputs, outputs, parameters]) => {
    const [ens, targets, weights] = addresses(body, inputs, 3);
    const [totals] = addresses(body, outputs, 1);
    const sizes = sizesOf(body, parameters);
    const { rows, members, width } = sizes;
    each(body, 0, rows, (row) => {
      const { narrow, wide } = starts(body, sizes, row);
      const [total] = sums(body, width, 1, (i, type, [sum]) => {
        const at = body.add(narrow, i);
        const wanted = body.load(type, body.at(targets, at));
        const squares = overMembers(body, members, type, (member) => {
          const found = body.load(type, body.at(ens, body.add(wide, body.add(body.mul(member, width), i))));
          const difference = body.fsub(found, wanted);
          return body.fmul(difference, difference);
        });
        return [body.fma(squares, body.load(type, body.at(weights, at)), sum)];
      });
      body.store(total, body.at(totals, row));
    });
  });
  return module.text;
}

/** LLVM assembly of the kernel `ens, target, weights, dy [] -> dens`: 2 weight dy (e - t). */
export function squaresGradKernel(target: Target, name: string): string {
  const module = new Module(target.lanes);
  module.define(name, KERNEL, (body, [inputs, outputs, parameters]) => {
    const [ens, targets, weights, upstream] = addresses(body, inputs, 4);
    const [dEns] = addresses(body, outputs, 1);
    const sizes = sizesOf(body, parameters);
    const { rows, members, width } = sizes;
    const twice = body.fmul(body.load(FLOAT, upstream), float(2));
    each(body, 0, rows, (row) => {
      const { narrow, wide } = starts(body, sizes, row);
      along(body, width, (i, type, of) => {
        const at = body.add(narrow, i);
        const wanted = body.load(type, body.at(targets, at));
        const factor = body.fmul(body.load(type, body.at(weights, at)), of(twice));
        each(body, 0, members, (member) => {
          const place = body.add(wide, body.add(body.mul(member, width), i));
          const difference = body.fsub(body.load(type, body.at(ens, place)), wanted);
          body.store(body.fmul(difference, factor), body.at(dEns, place));
        });
      });
    });
  });
  return module.text;
}
