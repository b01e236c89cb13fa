/**
 * Fitted baselines against NumPy, from the same series: what is compared with what is in PROGRAM.
 *
 * ridge                       normal equations solved by numpy.linalg.solve, blocks of the training period held out
 * diurnal_climatology         numpy.mean of the values of each hour and grid point
 * yesterday                   indexing
 * damped_persistence          numpy.dot
 * climatological_ensemble, dressed_persistence   numpy.quantile, properscoring.crps_ensemble
 */
import { spawnSync } from "node:child_process";
import { beforeAll, describe, expect, it } from "vitest";
import { defaultRng } from "../../src/random/index.js";
import {
  distributionsFit,
  dressedPredictions,
  PROBABLE,
  scatteredCrps,
} from "../../src/scores/baselines/distributions.js";
import { diurnalFit } from "../../src/scores/baselines/diurnal.js";
import { ridgeMapsFit } from "../../src/scores/baselines/ridgeMaps.js";
import { baselinePredictions, dampingFit } from "../../src/scores/index.js";
import { cubeOf, hideTimes, type Shape } from "../scores/support.js";
import { PYTHON } from "./python.js";

const PROGRAM = `
import json, sys
import numpy as np, properscoring as ps
a = json.load(sys.stdin)
T, H, W = a["shape"]
x = np.array(a["values"]).reshape(T, H, W)
S, hidden, near = a["steps"], a["hidden"], a["near"]          # steps of a cube; hidden ones; visible ones used
hour = np.array(a["hours"])
clip = lambda i, n: np.clip(i, 0, n - 1)
ys, xs = np.meshgrid(np.arange(H), np.arange(W), indexing="ij")
def inputs(t0, s):
    cols = [x[t0 + v, clip(ys + dy, H), clip(xs + dx, W)].ravel()
            for v in near for dy in range(-2, 3) for dx in range(-2, 3)]
    angle = 2 * np.pi * hour[t0 + s] / 24
    cols += [np.full(H * W, f(k * angle)) for k in (1, 2) for f in (np.sin, np.cos)]
    return np.stack(cols, 1)
def solve(X, y, lam):
    mx, my = X.mean(0), y.mean()
    w = np.linalg.solve((X - mx).T @ (X - mx) + lam * np.eye(X.shape[1]), (X - mx).T @ (y - my))
    return my - mx @ w, w
lams = [1, 3, 10, 30, 100, 300, 1000, 3000, 1e4, 3e4, 1e5]
first, last = a["starts"][0], a["starts"][-1] + S - 1
data = {s: [(inputs(t, s), x[t + s].ravel(), (4 * (t + s - first)) // (last - first + 1)) for t in a["starts"]] for s in hidden}
errors = np.zeros(len(lams))
for s in hidden:
    for k in range(4):
        held, rest = [d for d in data[s] if d[2] == k], [d for d in data[s] if d[2] != k]
        if not held: continue
        X, y = np.concatenate([d[0] for d in rest]), np.concatenate([d[1] for d in rest])
        Xh, yh = np.concatenate([d[0] for d in held]), np.concatenate([d[1] for d in held])
        for i, lam in enumerate(lams):
            c, w = solve(X, y, lam)
            errors[i] += ((c + Xh @ w - yh) ** 2).sum()
lam = lams[int(np.argmin(errors))]
t = a["test"]
ridge = []
for s in hidden:
    c, w = solve(np.concatenate([d[0] for d in data[s]]), np.concatenate([d[1] for d in data[s]]), lam)
    ridge.append(c + inputs(t, s) @ w)
index = [t0 + s for t0 in a["starts"] for s in range(S)]
mean = lambda h: np.mean([x[i] for i in index if hour[i] == h], axis=0)
diurnal = [mean(hour[t + s]).ravel() for s in hidden]
day, before = a["day"], near[0]
visible = [s for s in range(S) if s not in hidden]
back = lambda s: next((v for v in range(s - day, -1, -day) if v in visible), before)
yesterday = [x[t + back(s)].ravel() for s in hidden]
def factor(k):
    first_ = np.concatenate([x[t0 : t0 + S - k].ravel() for t0 in a["starts"]])
    later = np.concatenate([x[t0 + k : t0 + S].ravel() for t0 in a["starts"]])
    return min(1, max(0, np.dot(first_, later) / np.dot(first_, first_)))
damped = [factor(s - before) * x[t + before].ravel() for s in hidden]
q = (np.arange(51) + 0.5) / 51
residuals = np.quantile(np.concatenate([(x[t0 + s] - mean(hour[t0 + s])).ravel() for t0 in a["starts"] for s in hidden]), q)
climate, dressed = [], []
for i, s in enumerate(hidden):
    truth = x[t + s].ravel()
    climate.append(ps.crps_ensemble(truth, diurnal[i][:, None] + residuals))
    past = np.quantile(np.concatenate([(x[t0 + s] - x[t0 + before]).ravel() for t0 in a["starts"]]), q)
    dressed.append(ps.crps_ensemble(truth, x[t + before].ravel()[:, None] + past))
flat = lambda parts: np.concatenate(parts).tolist()
json.dump({"lambda": lam, "ridge": flat(ridge), "diurnal_climatology": flat(diurnal), "yesterday": flat(yesterday),
    "damped_persistence": flat(damped), "climatological_ensemble": flat(climate), "dressed_persistence": flat(dressed)}, sys.stdout)
`;

const [H, W, T] = [4, 6, 90];
const FIELD = "velocity_u";
/** 12 steps, of which one token of three is hidden */
const SHAPE: Shape = [1, 1, 4, 1, 1, 3, H, W];
const hours = Float64Array.from({ length: T }, (_, t) => (t * 3) % 24);

/** A wave that passes, a cycle of the day, memory and noise: `float32`, as cubes hold it. */
const series = (() => {
  const noise = defaultRng(11).standardNormal(T * H * W);
  const x = new Float32Array(T * H * W);
  for (let i = 0; i < x.length; i++) {
    const [t, y, c] = [Math.floor(i / (H * W)), Math.floor(i / W) % H, i % W];
    x[i] =
      Math.sin(0.35 * t - 0.5 * c + 0.2 * y) +
      0.5 * Math.cos((2 * Math.PI * hours[t]) / 24 + 0.3 * y) +
      (t > 0 ? 0.3 * x[i - H * W] : 0) +
      0.2 * noise[i];
  }
  return x;
})();

function cubeAt(start: number) {
  const cube = cubeOf(
    SHAPE,
    (_l, _b, step, row, column) => series[((start + step) * H + row) * W + column],
    start + 12,
  );
  const time = Int32Array.from({ length: 12 }, (_, s) => start + s);
  return { ...cube, windows: cube.windows.map((window) => ({ ...window, time })) };
}

describe.each([
  ["temporal_interpolation", 2, [5, 4, 9, 10]],
  ["forecast", 3, [8, 7]],
] as const)("%s", (strategy, token, near) => {
  const starts = Array.from({ length: 60 }, (_, i) => i);
  const hidden = [0, 1, 2].map((i) => 3 * token + i);
  const test = T - 13;
  let expected: Record<string, number[]> & { lambda: number };
  const cube = cubeAt(test);
  const masked = hideTimes(cube, [token]);
  const fits = {
    ridge: ridgeMapsFit({ hours, range: [0, 70], cubes: starts.length }),
    distributions: distributionsFit(starts.length, hours, W),
    damping: dampingFit(),
    diurnal: diurnalFit({ hours, columns: W, points: H * W })!,
  };
  for (const start of starts) {
    const training = cubeAt(start);
    const { fields } = hideTimes(training, [token]);
    fits.ridge.add(training, fields);
    fits.distributions.add(training, fields);
    fits.damping.add(training);
    fits.diurnal.add(training);
  }
  const ridge = fits.ridge.finish();
  const diurnal = fits.diurnal.finish();
  const found = baselinePredictions(strategy, cube, masked, FIELD, {
    ridge,
    diurnal,
    damping: fits.damping.finish(),
    stepsPerDay: 8,
  });

  beforeAll(() => {
    // steps that a forecast does not have after it are zeros, which change nothing
    const input = { shape: [T, H, W], values: Array.from(series), steps: 12, hidden, near, hours: Array.from(hours) };
    const { status, stdout, stderr } = spawnSync(PYTHON, ["-c", PROGRAM], {
      input: JSON.stringify({ ...input, starts, test, day: 8 }),
      encoding: "utf8",
      maxBuffer: 1 << 28,
    });
    if (status !== 0) throw new Error(stderr);
    expected = JSON.parse(stdout);
  }, 120_000);

  it("the penalty is the one that predicts held-out blocks best", () => {
    expect(ridge.lambdas[FIELD]).toEqual([expected.lambda]);
  });

  it.each(["ridge", "diurnal_climatology", "yesterday", "damped_persistence"])("%s", (name) => {
    expect(found[name].length).toBe(3 * H * W);
    for (const [i, value] of found[name].entries()) expect(value).toBeCloseTo(expected[name][i], 5);
  });

  it.each(PROBABLE)("the CRPS of %s", (name) => {
    const { centre, scatter } = dressedPredictions(
      cube.fields[0],
      masked.fields[0],
      cube.windows,
      fits.distributions.finish(diurnal),
      diurnal,
    )[name];
    for (const [i, target] of masked.fields[0].target.entries()) {
      expect(scatteredCrps(scatter(i)!, centre[i], target)[0]).toBeCloseTo(expected[name][i], 5);
    }
  });
});
