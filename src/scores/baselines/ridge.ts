/**
 * Ridge regression on neighbouring grid points and times: the strongest simple baseline for a small regional store.
 * One linear map a lead, the same at every grid point, from a square of points at each visible time to the point itself.
 */
import { AtmorepError } from "../../errors.js";

export interface FieldSeries {
  /** [T, H, W] normalised */
  values: ArrayLike<number>;
  shape: [T: number, H: number, W: number];
  /** steps that were filled in time; no pair that touches one is used */
  filledSteps?: readonly number[];
}

export interface RidgeTask {
  /** interpolation sees one step on either side of the gap, forecast the last `visibleSteps` before it */
  strategy: "temporal_interpolation" | "forecast";
  /** hidden steps, leads 1 to this; default 3 */
  hiddenSteps?: number;
  /** of a forecast; default 2 */
  visibleSteps?: number;
  /** the square has 2*radius + 1 points a side; default 2 */
  radius?: number;
  /** weight of the squared coefficients against the sum of squared errors; default: chosen by `chooseLambda` */
  lambda?: number;
  /** [first, end) steps; every step used lies within */
  train: readonly [number, number];
  validate: readonly [number, number];
}

/** Root mean square errors on the same points, normalised. */
export interface RidgeScores {
  /** 1 to hiddenSteps, or "all" */
  lead: number | "all";
  points: number;
  climatology: number;
  persistence: number;
  dampedPersistence: number;
  /** null for a forecast */
  linear: number | null;
  ridge: number;
  /** the weight that was used */
  lambda: number;
}

export interface RidgeModel {
  intercept: number;
  coefficients: Float64Array;
}

/**
 * Solves A x = b for a symmetric positive definite A [n, n] by Cholesky's factors.
 * @throws {AtmorepError} `failed` when A is not positive definite
 */
export function solveSymmetric(A: Float64Array, b: Float64Array): Float64Array {
  const n = b.length;
  const factor = Float64Array.from(A);
  for (let i = 0; i < n; i++) {
    for (let j = 0; j <= i; j++) {
      let sum = A[i * n + j];
      for (let k = 0; k < j; k++) sum -= factor[i * n + k] * factor[j * n + k];
      if (i !== j) factor[i * n + j] = sum / factor[j * n + j];
      else if (sum > 0) factor[i * n + i] = Math.sqrt(sum);
      else {
        throw new AtmorepError("failed", "the regression has no single solution", {
          where: "ridge regression",
          found: `pivot ${sum} at ${i}`,
          fix: "Use a larger lambda or more training steps.",
        });
      }
    }
  }
  const x = Float64Array.from(b);
  for (let i = 0; i < n; i++) {
    for (let k = 0; k < i; k++) x[i] -= factor[i * n + k] * x[k];
    x[i] /= factor[i * n + i];
  }
  for (let i = n - 1; i >= 0; i--) {
    for (let k = i + 1; k < n; k++) x[i] -= factor[k * n + i] * x[k];
    x[i] /= factor[i * n + i];
  }
  return x;
}

/** Sums over samples: all that a fit needs to know of them. */
export interface Moments {
  count: number;
  /** [p] */
  inputs: Float64Array;
  /** [p, p], the lower triangle */
  gram: Float64Array;
  /** [p] */
  cross: Float64Array;
  targets: number;
  /** sum of squared targets */
  squares: number;
}

export const emptyMoments = (p: number): Moments => ({
  count: 0,
  inputs: new Float64Array(p),
  gram: new Float64Array(p * p),
  cross: new Float64Array(p),
  targets: 0,
  squares: 0,
});

/** Adds one sample, inputs [p]. */
export function addSample(moments: Moments, x: Float64Array, y: number): void {
  const { inputs, gram, cross } = moments;
  const p = inputs.length;
  moments.count++;
  moments.targets += y;
  moments.squares += y * y;
  for (let i = 0; i < p; i++) {
    inputs[i] += x[i];
    cross[i] += x[i] * y;
    for (let j = 0; j <= i; j++) gram[i * p + j] += x[i] * x[j];
  }
}

function momentsOf(samples: Iterable<[inputs: Float64Array, target: number]>): Moments {
  let moments = emptyMoments(0);
  for (const [x, y] of samples) {
    if (moments.count === 0) moments = emptyMoments(x.length);
    addSample(moments, x, y);
  }
  return moments;
}

export function solveRidge({ count, inputs, gram, cross, targets }: Moments, lambda: number): RidgeModel {
  if (count === 0) {
    throw new AtmorepError("failed", "no training sample is left", {
      where: "ridge regression",
      fix: "Use a longer training period or fewer hidden steps.",
    });
  }
  const p = inputs.length;
  const A = new Float64Array(p * p);
  const b = new Float64Array(p);
  for (let i = 0; i < p; i++) {
    b[i] = cross[i] - (inputs[i] * targets) / count;
    for (let j = 0; j <= i; j++) {
      A[i * p + j] = gram[i * p + j] - (inputs[i] * inputs[j]) / count;
      A[j * p + i] = A[i * p + j];
    }
    A[i * p + i] += lambda;
  }
  const coefficients = solveSymmetric(A, b);
  const intercept = (targets - inputs.reduce((sum, x, i) => sum + x * coefficients[i], 0)) / count;
  return { intercept, coefficients };
}

/**
 * Least squares with lambda * |coefficients|^2; the intercept is not penalised.
 * @param samples yields [p] inputs and the value to predict; the inputs may be one array that is written anew
 */
export function fitRidge(samples: Iterable<[inputs: Float64Array, target: number]>, lambda: number): RidgeModel {
  return solveRidge(momentsOf(samples), lambda);
}

export function applyRidge({ intercept, coefficients }: RidgeModel, inputs: ArrayLike<number>): number {
  let value = intercept;
  for (let i = 0; i < coefficients.length; i++) value += coefficients[i] * inputs[i];
  return value;
}

interface Sample {
  /** [visible times * (2*radius+1)^2], overwritten by the next sample */
  inputs: Float64Array;
  target: number;
  /** value at the point itself in the last visible step before, and in the first after (NaN for a forecast) */
  before: number;
  after: number;
}

/** Offsets in time from the target to the visible steps, nearest before first. */
function visibleOffsets(task: CompleteTask, lead: number): number[] {
  if (task.strategy === "temporal_interpolation") return [-lead, task.hiddenSteps + 1 - lead];
  return Array.from({ length: task.visibleSteps }, (_, i) => -lead - i);
}

function* samplesOf(
  { values, shape, filledSteps = [] }: FieldSeries,
  task: CompleteTask,
  lead: number,
  [first, end]: readonly [number, number],
): Generator<Sample> {
  const [, H, W] = shape;
  const { radius } = task;
  const offsets = visibleOffsets(task, lead);
  const side = 2 * radius + 1;
  const inputs = new Float64Array(offsets.length * side * side);
  for (let t = first; t < end; t++) {
    const steps = offsets.map((o) => t + o);
    if (steps.some((s) => s < first || s >= end)) continue;
    if ([t, ...steps].some((s) => filledSteps.includes(s))) continue;
    for (let y = radius; y < H - radius; y++) {
      for (let x = radius; x < W - radius; x++) {
        let i = 0;
        for (const s of steps) {
          for (let dy = -radius; dy <= radius; dy++) {
            for (let dx = -radius; dx <= radius; dx++) inputs[i++] = values[(s * H + y + dy) * W + x + dx];
          }
        }
        const at = (s: number) => values[(s * H + y) * W + x];
        const after = task.strategy === "forecast" ? Number.NaN : at(steps[1]);
        yield { inputs, target: at(t), before: at(steps[0]), after };
      }
    }
  }
}

/** Weights that `chooseLambda` tries: two a decade. */
export const LAMBDAS = [1, 3, 10, 30, 100, 300, 1000, 3000, 10_000, 30_000, 100_000] as const;
const BLOCKS = 4;

/**
 * The weight of the penalty that predicts best within the training period: it is cut into four blocks of time; each is
 * predicted by the map that is fitted to the samples before it and to those after it, all steps of a sample on one
 * side. Neighbouring steps are alike, hence blocks and not single steps. Steps of the validation are not looked at.
 * @returns the one of 1, 3, 10, ... 100000 with the least squared error, summed over blocks and leads
 * @throws {AtmorepError} `failed` when no block has a usable sample
 */
export function chooseLambda(series: FieldSeries, options: RidgeTask): number {
  const task = complete(options);
  const [first, end] = task.train;
  const errors = new Float64Array(LAMBDAS.length);
  let points = 0;
  for (let block = 0; block < BLOCKS; block++) {
    const [from, to] = [block, block + 1].map((k) => first + Math.round(((end - first) * k) / BLOCKS));
    for (let lead = 1; lead <= task.hiddenSteps; lead++) {
      const around = function* (): Generator<[Float64Array, number]> {
        for (const piece of [[first, from] as const, [to, end] as const]) {
          for (const { inputs, target } of samplesOf(series, task, lead, piece)) yield [inputs, target];
        }
      };
      const moments = momentsOf(around());
      if (moments.count === 0) continue;
      const models = LAMBDAS.map((lambda) => solveRidge(moments, lambda));
      for (const { inputs, target } of samplesOf(series, task, lead, [from, to])) {
        models.forEach((model, i) => {
          const error = applyRidge(model, inputs) - target;
          errors[i] += error * error;
        });
        points++;
      }
    }
  }
  if (points === 0) {
    throw new AtmorepError("failed", "the training period is too short to choose lambda", {
      where: "ridge regression",
      found: [...task.train],
      fix: "Give lambda, or use a longer training period.",
    });
  }
  return LAMBDAS[errors.indexOf(Math.min(...errors))];
}

type CompleteTask = Required<Omit<RidgeTask, "lambda">>;

const complete = ({ lambda: _lambda, ...options }: RidgeTask): CompleteTask => ({
  hiddenSteps: 3,
  visibleSteps: 2,
  radius: 2,
  ...options,
});

const NAMES = ["climatology", "persistence", "dampedPersistence", "linear", "ridge"] as const;

function scoresOf(lead: number | "all", points: number, squares: Float64Array, lambda: number): RidgeScores {
  const [climatology, persistence, dampedPersistence, linear, ridge] = squares.map((s) => Math.sqrt(s / points));
  return {
    lead,
    points,
    climatology,
    persistence,
    dampedPersistence,
    linear: Number.isNaN(linear) ? null : linear,
    ridge,
    lambda,
  };
}

/**
 * Fits the regression (its penalty chosen within the training steps) and the damping of each lead on the training steps and scores it, climatology, persistence and
 * linear interpolation on the validation steps, all on the same points: those with a whole square around them.
 *
 * @returns one row a lead, then all leads together
 * @throws {AtmorepError} `failed` when a period has no usable sample
 */
export function ridgeBaseline(series: FieldSeries, options: RidgeTask): RidgeScores[] {
  const task = complete(options);
  const lambda = options.lambda ?? chooseLambda(series, options);
  const rows: RidgeScores[] = [];
  const allSquares = new Float64Array(NAMES.length);
  let allPoints = 0;
  for (let lead = 1; lead <= task.hiddenSteps; lead++) {
    let [product, square] = [0, 0];
    const training = function* (): Generator<[Float64Array, number]> {
      for (const { inputs, target, before } of samplesOf(series, task, lead, task.train)) {
        product += target * before;
        square += before * before;
        yield [inputs, target];
      }
    };
    const model = fitRidge(training(), lambda);
    const damping = square > 0 ? Math.min(1, Math.max(0, product / square)) : 0;
    const squares = new Float64Array(NAMES.length);
    const w = lead / (task.hiddenSteps + 1);
    let points = 0;
    for (const { inputs, target, before, after } of samplesOf(series, task, lead, task.validate)) {
      const guesses = [0, before, damping * before, (1 - w) * before + w * after, applyRidge(model, inputs)];
      guesses.forEach((guess, i) => {
        squares[i] += (guess - target) * (guess - target);
      });
      points++;
    }
    if (points === 0) {
      throw new AtmorepError("failed", "no validation sample is left", {
        where: "ridge regression",
        found: [...task.validate],
        fix: "Use a longer validation period or fewer hidden steps.",
      });
    }
    rows.push(scoresOf(lead, points, squares, lambda));
    squares.forEach((s, i) => {
      allSquares[i] += s;
    });
    allPoints += points;
  }
  return [...rows, scoresOf("all", allPoints, allSquares, lambda)];
}
