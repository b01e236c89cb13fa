/** One loss on plain numbers: to draw it, to check it by hand, to compare it with a formula. */
import { type Scalar, tensor2d, tensor3d, tidy, valueAndGrad } from "@tensorflow/tfjs-core";
import { ensembleMean, ensembleStd } from "../engine/kernels/index.js";
import { AtmorepError } from "../errors.js";
import { getLoss } from "./table.js";

export interface LossPoints {
  /** what is to be predicted, a value a point [P] */
  target: ArrayLike<number>;
  /** the members' predictions [E][P] */
  members: readonly ArrayLike<number>[];
  /** cosine of latitude of each point [P], for losses that read it; default 1 */
  area?: ArrayLike<number>;
}

export interface LossValue {
  /** the loss over all points, float32 */
  value: number;
  /** its derivative by each member's prediction [E][P], float32 */
  gradient: Float32Array[];
}

/**
 * Value and gradient of a loss, built in or registered, computed as a train step computes them: mean and spread are
 * the members'. An engine must be open.
 * @throws AtmorepError (config) for an unknown loss or too few members; (usage) for arrays of different lengths
 */
export function evaluateLoss(name: string, { target, members, area }: LossPoints): LossValue {
  const { fn, members: least } = getLoss(name);
  const [E, P] = [members.length, target.length];
  if (E < least) {
    const expected = `at least ${least}`;
    throw new AtmorepError("config", "too few members", { where: `losses: ${name}`, found: E, expected });
  }
  for (const [what, { length }] of [
    ...members.map((member) => ["members", member] as const),
    ["area", area ?? target] as const,
  ]) {
    if (length === P && P > 0) continue;
    throw new AtmorepError("usage", "arrays of different lengths", { where: what, found: length, expected: String(P) });
  }
  return tidy(() => {
    // each point is a token of one grid point
    const column = (values: ArrayLike<number>) => tensor2d(Float32Array.from(values), [P, 1]);
    const flat = Float32Array.from({ length: P * E }, (_, i) => members[i % E][Math.floor(i / E)]);
    const inputs = { target: column(target), area: area ? column(area) : column(new Float32Array(P).fill(1)) };
    const loss = valueAndGrad(
      (ens) => fn({ ...inputs, ens, mean: ensembleMean(ens), std: ensembleStd(ens) }) as Scalar,
    );
    const { value, grad } = loss(tensor3d(flat, [P, E, 1]));
    const derivative = grad.dataSync();
    return {
      value: value.dataSync()[0],
      gradient: members.map((_, e) => Float32Array.from({ length: P }, (_, p) => derivative[p * E + e])),
    };
  });
}
