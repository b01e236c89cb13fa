/**
 * Ensemble model output statistics (Gneiting, Raftery, Westveld and Goldman, Monthly Weather Review 133 (2005)): the
 * normal distribution N(a + b mean, c + d variance) of an ensemble's mean and variance, its four numbers fitted by
 * least CRPS.
 */
import { AtmorepError } from "../../errors.js";
import { normalCdf, normalPdf } from "../../math/index.js";

export interface EmosParameters {
  /** in units of the values; the other of the mean has none */
  a: number;
  b: number;
  /** in squared units of the values; not negative, as d is not */
  c: number;
  d: number;
}

export interface EmosFit extends EmosParameters {
  /** mean CRPS of the fitted distributions on what they were fitted to */
  crps: number;
  points: number;
}

export interface EmosPoints {
  /** [M] each, in the same unit (variances in its square) */
  target: ArrayLike<number>;
  mean: ArrayLike<number>;
  /** unbiased; zeros for one member, and d is then 0 */
  variance: ArrayLike<number>;
  /** such as the area of points; default 1 each */
  weights?: ArrayLike<number>;
}

/** The distribution that parameters make of an ensemble's mean and variance. */
export function emosDistribution(
  { a, b, c, d }: EmosParameters,
  mean: number,
  variance: number,
): { mean: number; std: number } {
  return { mean: a + b * mean, std: Math.sqrt(c + d * variance) };
}

const ONE_OVER_SQRT_PI = 0.5641895835477563;
const MOST_STEPS = 300;

/**
 * Fits the four numbers: quasi-Newton steps (BFGS) from the least squares line, over the roots of c and d as the paper
 * has it, so that neither gets negative.
 * @throws {AtmorepError} `usage` for fewer than four points or values that are not finite
 */
export function emosFit(points: EmosPoints): EmosFit {
  const M = points.target.length;
  const { scale, centre, normalized } = normalize(points);
  if (M < 4 || !Number.isFinite(scale)) {
    throw new AtmorepError("usage", "the points cannot be fitted", {
      where: "emosFit",
      found: M < 4 ? `${M} points` : "values that are not finite",
      expected: "four or more points with finite values",
    });
  }
  let x = firstGuess(normalized);
  let { value, gradient } = objective(normalized, x);
  let inverse = identity();
  for (let step = 0; step < MOST_STEPS && norm(gradient) > 1e-10; step++) {
    let direction = inverse.map((row) => -dot(row, gradient));
    if (!(dot(direction, gradient) < 0)) {
      inverse = identity();
      direction = gradient.map((g) => -g);
    }
    const slope = dot(direction, gradient);
    let length = 1;
    let next = objective(normalized, along(x, direction, length));
    while (!(next.value <= value + 1e-4 * length * slope) && length > 1e-9) {
      length /= 2;
      next = objective(normalized, along(x, direction, length));
    }
    // rounding is all that is left to gain
    if (!(value - next.value > 1e-15 * value)) break;
    const moved = direction.map((d) => length * d);
    const turned = next.gradient.map((g, k) => g - gradient[k]);
    inverse = updated(inverse, moved, turned);
    x = along(x, direction, length);
    ({ value, gradient } = next);
  }
  const [level, b, root, share] = x;
  // about the centre: a + b mean = centre + scale (level + b (mean - centre) / scale)
  return {
    a: centre * (1 - b) + level * scale,
    b,
    c: root * root * scale * scale,
    d: share * share,
    crps: value * scale,
    points: M,
  };
}

interface Normalized {
  target: Float64Array;
  mean: Float64Array;
  variance: Float64Array;
  /** sum 1 */
  weights: Float64Array;
}

/** About the mean of the ensemble, in units of the target's distance from it: steps then depend on no unit and no offset. */
function normalize({ target, mean, variance, weights }: EmosPoints): {
  scale: number;
  centre: number;
  normalized: Normalized;
} {
  const own = Float64Array.from(target, (_, i) => weights?.[i] ?? 1);
  const total = own.reduce((a, b) => a + b, 0);
  let [centre, squares, width] = [0, 0, 0];
  for (let i = 0; i < own.length; i++) centre += (own[i] / total) * mean[i];
  for (let i = 0; i < own.length; i++) {
    squares += (own[i] / total) * (target[i] - centre) * (target[i] - centre);
    width += variance[i];
  }
  const scale = squares === 0 ? 1 : Math.sqrt(squares);
  return {
    scale: Number.isFinite(width) ? scale : Number.NaN,
    centre,
    normalized: {
      target: Float64Array.from(target, (x) => (x - centre) / scale),
      mean: Float64Array.from(mean, (x) => (x - centre) / scale),
      variance: Float64Array.from(variance, (x) => x / scale / scale),
      weights: own.map((w) => w / total),
    },
  };
}

/** The line of least squares, and half of its errors' variance from each term. */
function firstGuess({ target, mean, variance, weights }: Normalized): number[] {
  const meanOf = (f: (i: number) => number) => weights.reduce((sum, w, i) => sum + w * f(i), 0);
  const [x, y] = [meanOf((i) => mean[i]), meanOf((i) => target[i])];
  const spread = meanOf((i) => (mean[i] - x) * (mean[i] - x));
  const b = spread > 0 ? meanOf((i) => (mean[i] - x) * (target[i] - y)) / spread : 0;
  const a = y - b * x;
  const errors = meanOf((i) => (target[i] - a - b * mean[i]) * (target[i] - a - b * mean[i]));
  const width = meanOf((i) => variance[i]);
  const half = Math.max(errors / 2, 1e-12);
  return [a, b, Math.sqrt(half), width > 0 ? Math.sqrt(half / width) : 0];
}

/** Mean CRPS and its derivatives by a, b and the roots of c and d. */
function objective({ target, mean, variance, weights }: Normalized, [a, b, root, share]: readonly number[]) {
  const gradient = [0, 0, 0, 0];
  let value = 0;
  for (let i = 0; i < target.length; i++) {
    const centre = a + b * mean[i];
    const std = Math.sqrt(root * root + share * share * variance[i]);
    const w = weights[i];
    const error = target[i] - centre;
    if (!(std > 0)) {
      value += w * Math.abs(error);
      gradient[0] -= w * Math.sign(error);
      gradient[1] -= w * Math.sign(error) * mean[i];
      continue;
    }
    // as `crpsGaussian`, whose parts the derivatives are made of
    const z = error / std;
    const inner = 2 * normalCdf(z) - 1;
    const slope = 2 * normalPdf(z) - ONE_OVER_SQRT_PI;
    value += w * std * (z * inner + slope);
    gradient[0] -= w * inner;
    gradient[1] -= w * inner * mean[i];
    const byStd = (w * slope) / std;
    gradient[2] += byStd * root;
    gradient[3] += byStd * share * variance[i];
  }
  return { value, gradient };
}

const dot = (a: readonly number[], b: readonly number[]) => a.reduce((sum, x, i) => sum + x * b[i], 0);
const norm = (a: readonly number[]) => Math.sqrt(dot(a, a));
const along = (x: readonly number[], direction: readonly number[], length: number) =>
  x.map((value, k) => value + length * direction[k]);
const identity = (): number[][] => [0, 1, 2, 3].map((i) => [0, 1, 2, 3].map((j) => (i === j ? 1 : 0)));

/** The inverse Hessian after a step (Nocedal and Wright 2006, Eq. 6.17); as it was where the curvature is not positive. */
function updated(inverse: number[][], moved: number[], turned: number[]): number[][] {
  const curvature = dot(moved, turned);
  if (!(curvature > 1e-18)) return inverse;
  const product = inverse.map((row) => dot(row, turned));
  const factor = (1 + dot(turned, product) / curvature) / curvature;
  return inverse.map((row, i) =>
    row.map((h, j) => h + factor * moved[i] * moved[j] - (product[i] * moved[j] + moved[i] * product[j]) / curvature),
  );
}
