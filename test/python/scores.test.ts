/**
 * Scores against Python packages on random numbers. What was compared with what:
 *
 * crpsGaussian            properscoring.crps_gaussian
 * crpsEnsemble            properscoring.crps_ensemble
 * crpsFair                scores.probability.crps_for_ensemble(method="fair")
 * rankHistogram           scores.probability.rank_histogram (ties), xskillscore.rank_histogram (none)
 * rmse, mae               xskillscore.rmse, xskillscore.mae (weighted)
 * bias                    scores.continuous.mean_error (weighted)
 * acc, centred            xskillscore.pearson_r of the anomalies (weighted)
 * spread, spreadSkillRatio  xarray var(ddof=1), xskillscore.rmse
 * zonalPowerSpectrum      numpy.fft.rfft
 * latitudeWeights         scores.functions.create_latitude_weights, scaled
 *
 * Needs properscoring, scores and xskillscore in the Python that ATMOREP_TEST_PYTHON names (default python3).
 */
import { describe } from "vitest";
import { Pcg64 } from "../../src/random/pcg64.js";
import {
  acc,
  bias,
  crpsEnsemble,
  crpsFair,
  crpsGaussian,
  ensembleMap,
  latitudeWeights,
  mae,
  rankHistogram,
  rmse,
  type Scored,
  spread,
  spreadSkillRatio,
  zonalPowerSpectrum,
} from "../../src/scores/index.js";
import { agreesWithPython } from "./agree.js";

const PROGRAM = `
import json, sys, warnings
warnings.simplefilter("ignore")
import numpy as np, xarray as xr
import properscoring as ps
import scores, scores.functions, scores.probability, scores.continuous
import xskillscore as xs

a = {k: np.array(v, dtype="float64") for k, v in json.load(sys.stdin).items()}
E = a["members"].shape[1]
members = xr.DataArray(a["members"], dims=["x", "member"])
target, first, clim, weights = (xr.DataArray(a[k], dims=["x"]) for k in ("target", "first", "clim", "weights"))
tied, tied_target = xr.DataArray(a["tied"], dims=["x", "member"]), xr.DataArray(a["tiedTarget"], dims=["x"])
spread = np.sqrt(float(members.var("member", ddof=1).mean()))
power = np.abs(np.fft.rfft(a["rows"], axis=1)) ** 2 / a["rows"].shape[1] ** 2
power[:, 1 : (a["rows"].shape[1] + 1) // 2] *= 2
lat = scores.functions.create_latitude_weights(xr.DataArray(a["lats"])).values
out = {
    "crpsGaussian": ps.crps_gaussian(a["target"], mu=a["first"], sig=a["sigma"]),
    "crpsEnsemble": ps.crps_ensemble(a["target"], a["members"]),
    "crpsFair": scores.probability.crps_for_ensemble(members, target, "member", method="fair", preserve_dims="x").values,
    "rankHistogram": xs.rank_histogram(target, members, dim="x", member_dim="member").values,
    "rankHistogramTies": scores.probability.rank_histogram(tied, tied_target, "member").values * len(a["tiedTarget"]),
    "rmse": [float(xs.rmse(first, target, dim="x", weights=weights))],
    "mae": [float(xs.mae(first, target, dim="x", weights=weights))],
    "bias": [float(scores.continuous.mean_error(first, target, weights=weights))],
    "acc": [float(xs.pearson_r(first - clim, target - clim, dim="x", weights=weights))],
    "spread": [spread],
    "spreadSkillRatio": [np.sqrt((E + 1) / E) * spread / float(xs.rmse(members.mean("member"), target, dim="x"))],
    "zonalPowerSpectrum": power.mean(axis=0),
    "latitudeWeights": lat / lat.mean(),
}
json.dump({k: np.asarray(v, dtype="float64").tolist() for k, v in out.items()}, sys.stdout)
`;

const generator = new Pcg64(20);
const random = (n: number, scale = 4) => Array.from({ length: n }, () => scale * (generator.nextDouble() - 0.5));
const [M, E, H, W] = [200, 7, 5, 12];
const members = random(M * E);
const [target, first, clim] = [random(M), random(M), random(M)];
const weights = random(M).map((x) => Math.abs(x) + 0.1);
const sigma = random(M).map((x) => Math.abs(x) + 0.01);
const [tied, tiedTarget] = [random(M * 3), random(M)].map((xs) => xs.map(Math.round));
const rows = random(H * W);
const lats = [-60, -12.5, 0, 30, 75, 89];
const nested = (values: number[], width: number) =>
  Array.from({ length: values.length / width }, (_, i) => values.slice(i * width, (i + 1) * width));

const value = (scored: Scored): number[] => ("value" in scored ? [scored.value] : []);
const day = 86_400_000_000_000n;
const ensemble = { values: members, E };
const spectrum = zonalPowerSpectrum(
  rows,
  Array.from({ length: W }, (_, i) => (i * 360) / W),
);

const OURS: Record<string, ArrayLike<number>> = {
  crpsGaussian: target.map((t, i) => crpsGaussian(first[i], sigma[i], t)),
  crpsEnsemble: ensembleMap(crpsEnsemble, ensemble, target),
  crpsFair: ensembleMap(crpsFair, ensemble, target),
  rankHistogram: rankHistogram(ensemble, target),
  rankHistogramTies: rankHistogram({ values: tied, E: 3 }, tiedTarget),
  rmse: [rmse(first, target, weights)],
  mae: [mae(first, target, weights)],
  bias: [bias(first, target, weights)],
  acc: value(
    acc(first, target, clim, {
      climatologyPeriod: { from: 0n, to: 365n * day },
      evaluationPeriod: { from: 365n * day, to: 366n * day },
      weights,
      centred: true,
    }),
  ),
  spread: value(spread(ensemble)),
  spreadSkillRatio: value(spreadSkillRatio(ensemble, target)),
  zonalPowerSpectrum: "power" in spectrum ? spectrum.power : [],
  latitudeWeights: latitudeWeights(lats),
};

describe("scores agree with Python's packages", () => {
  const input = {
    members: nested(members, E),
    tied: nested(tied, 3),
    rows: nested(rows, W),
    ...{ tiedTarget, target, first, clim, weights, sigma, lats },
  };
  agreesWithPython(OURS, PROGRAM, input);
});
