/**
 * Scores of probabilities, quantiles and tails, and spectra of windows, against Python packages on random numbers:
 *
 * brierEnsemble            scores.probability.brier_score_for_ensemble(fair_correction=False)
 * brierEnsemble, fair      scores.probability.brier_score_for_ensemble(fair_correction=True)
 * quantileScore            scores.continuous.quantile_score
 * ensembleQuantile         numpy.quantile
 * crpsTail, above          scores.probability.tail_tw_crps_for_ensemble(tail="upper", method="ecdf")
 * crpsTail, below, fair    scores.probability.tail_tw_crps_for_ensemble(tail="lower", method="fair")
 * cosineTransform          scipy.fft.dctn(norm="ortho")
 * windowPowerSpectrum      scipy.fft.dctn, variances put into bands as its docstring says
 * benjaminiHochberg        scipy.stats.false_discovery_control(method="bh")
 * emosFit                  scipy.optimize.minimize of properscoring.crps_gaussian
 *
 * Needs properscoring and scores in the Python that ATMOREP_TEST_PYTHON names (default python3).
 */
import { describe, expect, it } from "vitest";
import { defaultRng } from "../../src/random/index.js";
import {
  benjaminiHochberg,
  brierEnsemble,
  cosineTransform,
  crpsTail,
  emosFit,
  ensembleQuantile,
  quantileScore,
  windowPowerSpectrum,
} from "../../src/scores/index.js";
import { agreesWithPython } from "./agree.js";

const PROGRAM = `
import json, sys, warnings
warnings.simplefilter("ignore")
import numpy as np, xarray as xr
import scipy.fft, scipy.optimize, scipy.stats
import properscoring as ps
import scores.probability as sp, scores.continuous as sc

a = {k: np.array(v, dtype="float64") for k, v in json.load(sys.stdin).items()}
members = xr.DataArray(a["members"], dims=["x", "member"])
target = xr.DataArray(a["target"], dims=["x"])
brier = lambda fair: sp.brier_score_for_ensemble(members, target, "member", 0.5, preserve_dims="x", fair_correction=fair).values.ravel()
quantile = np.quantile(a["members"], 0.9, axis=1)
power = lambda f: scipy.fft.dctn(f, norm="ortho") ** 2 / f.size
def bands(f):
    H, W = f.shape
    least = min(H, W)
    m, n = np.meshgrid(np.arange(H), np.arange(W), indexing="ij")
    band = np.clip(np.floor(np.hypot(m / H, n / W) * least + 1e-9), 1, least - 1)
    p = power(f)
    p[0, 0] = 0
    return [p[band == k].sum() for k in range(1, least)]
def crps(x):
    return ps.crps_gaussian(a["target"], x[0] + x[1] * a["mean"], np.sqrt(x[2] ** 2 + x[3] ** 2 * a["variance"])).mean()
fit = scipy.optimize.minimize(crps, [0, 1, 0.7, 0.7], method="Nelder-Mead", options=dict(xatol=1e-10, fatol=1e-15, maxiter=20000, maxfev=20000)).x
out = {
    "brierEnsemble": brier(False),
    "brierEnsemble, fair": brier(True),
    "ensembleQuantile": quantile,
    "quantileScore": sc.quantile_score(xr.DataArray(quantile, dims=["x"]), target, 0.9, preserve_dims=["x"]).values,
    "crpsTail, above": sp.tail_tw_crps_for_ensemble(members, target, "member", 0.5, tail="upper", method="ecdf", preserve_dims="x").values,
    "crpsTail, below, fair": sp.tail_tw_crps_for_ensemble(members, target, "member", 0.5, tail="lower", method="fair", preserve_dims="x").values,
    "cosineTransform": scipy.fft.dctn(a["window"], norm="ortho").ravel(),
    "windowPowerSpectrum": bands(a["window"]),
    "benjaminiHochberg": scipy.stats.false_discovery_control(a["pValues"], method="bh"),
    "emosFit": [fit[0], fit[1], fit[2] ** 2, fit[3] ** 2, crps(fit)],
}
json.dump({k: np.asarray(v, dtype="float64").tolist() for k, v in out.items()}, sys.stdout)
`;

const rng = defaultRng(31);
const [M, E, H, W] = [400, 7, 9, 13];
// rounded, so that some members equal the threshold and each other
const members = Array.from(rng.standardNormal(M * E), (x) => Math.round(8 * x) / 8);
const target = Array.from(rng.standardNormal(M), (x) => Math.round(8 * x) / 8);
const window = Array.from(rng.standardNormal(H * W));
const pValues = Array.from(rng.standardNormal(40), (x) => Math.min(1, x * x * x * x));
const of = (i: number) => members.slice(i * E, (i + 1) * E);
const nested = (values: number[], width: number) =>
  Array.from({ length: values.length / width }, (_, i) => values.slice(i * width, (i + 1) * width));
const mean = target.map((_, i) => of(i).reduce((a, b) => a + b, 0) / E);
const variance = target.map((_, i) => of(i).reduce((sum, x) => sum + (x - mean[i]) ** 2, 0) / (E - 1));
const spectrum = windowPowerSpectrum(window, H, W);
const fit = emosFit({ target, mean, variance });

const OURS: Record<string, ArrayLike<number>> = {
  brierEnsemble: target.map((t, i) => brierEnsemble(of(i), t, 0.5)),
  "brierEnsemble, fair": target.map((t, i) => brierEnsemble(of(i), t, 0.5, { fair: true })),
  ensembleQuantile: target.map((_, i) => ensembleQuantile(of(i), 0.9)),
  quantileScore: target.map((t, i) => quantileScore(ensembleQuantile(of(i), 0.9), t, 0.9)),
  "crpsTail, above": target.map((t, i) => crpsTail(of(i), t, 0.5, "above")),
  "crpsTail, below, fair": target.map((t, i) => crpsTail(of(i), t, 0.5, "below", { fair: true })),
  cosineTransform: cosineTransform(window, H, W),
  windowPowerSpectrum: "power" in spectrum ? spectrum.power : [],
  benjaminiHochberg: benjaminiHochberg(pValues),
};

describe("scores of probabilities agree with Python's packages", () => {
  const input = { members: nested(members, E), window: nested(window, W), ...{ target, pValues, mean, variance } };
  const theirs = agreesWithPython(OURS, PROGRAM, input);

  it("emosFit: the least CRPS, and the parameters where they are determined", () => {
    const [a, b, c, d, crps] = theirs().emosFit;
    expect(fit.crps - crps).toBeLessThan(1e-9);
    expect(fit.crps - crps).toBeGreaterThan(-1e-7);
    for (const [ours, expected] of [
      [fit.a, a],
      [fit.b, b],
      [fit.c, c],
      [fit.d, d],
    ])
      expect(Math.abs(ours - expected)).toBeLessThan(1e-4);
  });
});
