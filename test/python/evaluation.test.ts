/**
 * The reference's own checks on its result stores, made on ours by Python from the files alone: times and values of the
 * target are those of the input data (relative 1e-4), target, prediction and members share their coordinates, and these
 * are geographic. With zarr 2 and zarr 3, and through xarray (which no longer opens stores with zarr 2 itself: there its
 * arrays are made from the dimensions that the file names).
 */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { evaluate } from "../../src/evaluation/evaluate.js";
import { globeConfig, globeStore } from "../evaluation/globe.js";
import { ROOT } from "../support/cli.js";
import { runAll, temporaryFolder, tinyConfig } from "../support/tinyRun.js";
import { PYTHON, PYTHON_ZARR3, pythonOf } from "./python.js";

const PYTHONS = [...new Set([PYTHON, PYTHON_ZARR3])];
const out = temporaryFolder();
const STORM = join(ROOT, "assets", "storm_199601.zarr");

const OPEN = `
import sys, json, glob, numpy as np, xarray as xr, zarr

def open_dataset(path, group):
    store = zarr.storage.ZipStore(path, mode="r")
    if not zarr.__version__.startswith("2."):
        return xr.open_zarr(store, group=group, consolidated=False)
    arrays = {k: xr.Variable(a.attrs["_ARRAY_DIMENSIONS"], a[...]) for k, a in zarr.open_group(store, mode="r")[group].arrays()}
    return xr.Dataset(arrays).set_coords([k for k in arrays if k != "data"])
`;

const CHECKS = `${OPEN}
results, data = sys.argv[1:]
raw = zarr.open_group(data, mode="r")
axes = {"time": raw["time"][:].astype("M8[ns]").astype("i8"), "lat": 90 - raw["lats"][:], "lon": raw["lons"][:]}

def places(axis, values):
    """Indices of the values on an axis of the input, all of which must be there."""
    axis = np.asarray(axes[axis], dtype="f8")
    at = np.abs(axis[:, None] - np.asarray(values, dtype="f8").ravel()[None]).argmin(axis=0)
    assert np.allclose(axis[at], np.asarray(values, dtype="f8").ravel(), rtol=0, atol=1e-4)
    return at.reshape(np.shape(values))

def truth(field, level, times, lats, lons):
    t, y, x = places("time", times), places("lat", lats), places("lon", lons)
    if level == 0:
        array = raw["data_sfc"][:, list(raw.attrs["fields_sfc"]).index(field)]
    else:
        array = raw["data"][:, list(raw.attrs["fields"]).index(field), list(raw.attrs["levels"]).index(level)]
    return array[np.ix_(t, y, x)]

def open_store(kind):
    [path] = glob.glob(f"{results}/results_id*_epoch*[0-9]_{kind}.zarr")
    return path, zarr.open_group(zarr.storage.ZipStore(path, mode="r"), mode="r")

def groups(g, prefix=""):
    if "data" in set(g.array_keys()): yield prefix, g
    for name in sorted(g.group_keys()): yield from groups(g[name], f"{prefix}/{name}" if prefix else name)

def geographic(lat, lon):
    assert (np.abs(lat) <= 90).all() and (lon >= 0).all() and (lon < 360).all()
    assert (np.diff(lat, axis=-1) < 0).all()

count, worst, values = 0, 0.0, 0
(_, target), (_, pred), (path, ens) = open_store("target"), open_store("pred"), open_store("ens")
for name, t in groups(target):
    field, p, e = name.split("/")[0], pred[name], ens[name]
    for key in ("datetime", "lat", "lon", "ml"):
        assert np.array_equal(t[key][...], p[key][...]) and np.array_equal(t[key][...], e[key][...]), key
    lat, lon, time = t["lat"][...], t["lon"][...], t["datetime"][...].astype("M8[ns]").astype("i8")
    geographic(lat, lon)
    axis = 1 if lat.ndim == 2 else 0
    mean = e["data"][...].mean(axis=axis)
    assert p["data"].shape == t["data"].shape == mean.shape
    assert np.allclose(mean, p["data"][...], rtol=1e-4, atol=1e-4 * np.abs(p["data"][...]).max())
    if lat.ndim == 2:
        wanted = np.stack([truth(field, int(t["ml"][()]), time[m], lat[m], lon[m]) for m in range(len(time))])
    else:
        wanted = np.stack([truth(field, int(level), time, lat, lon) for level in t["ml"][...]])
    assert np.allclose(t["data"][...], wanted, rtol=1e-4, atol=1e-4 * np.abs(wanted).max()), name
    worst = max(worst, float(np.abs(t["data"][...] - wanted).max() / np.abs(wanted).max()))
    count, values = count + 1, values + wanted.size

_, source = open_store("source")
sources = 0
for name, s in groups(source):
    geographic(s["lat"][...], s["lon"][...])
    places("time", s["datetime"][...].astype("M8[ns]").astype("i8"))
    sources += 1

first = next(groups(ens))[0]
ds = open_dataset(path, first)
print(json.dumps({"groups": count, "values": values, "worst": worst, "sources": sources,
  "dims": list(ds["data"].dims), "kind": str(ds["datetime"].dtype), "mean": float(ds["data"].mean("member").mean())}))`;

const GLOBAL = `${OPEN}results, data, group = sys.argv[1:]
raw = zarr.open_group(data, mode="r")
[path] = glob.glob(f"{results}/*_global_target.zarr")
ds = open_dataset(path, group)
level = int(group.split("=")[-1])
array = raw["data"][:, 0, list(raw.attrs["levels"]).index(level)]
at = [int(np.flatnonzero(raw["time"][:].astype("M8[ns]") == t)[0]) for t in ds["datetime"].values.astype("M8[ns]")]
worst = float(np.abs(ds["data"].values - array[at]).max() / np.abs(array[at]).max())
north = float(ds["data"].sel(lat=90).std())
print(json.dumps({"dims": dict(ds["data"].sizes), "worst": worst, "lat": ds.lat.values.tolist()[::18], "north": north}))`;

interface Checked {
  groups: number;
  values: number;
  worst: number;
  sources: number;
  dims: string[];
  kind: string;
  mean: number;
}

const dirs: Record<string, string> = {};
let globe: string;

beforeAll(async () => {
  const fields = [
    ["mean_sea_level_pressure", [1, 24, [], 0], [0], [4, 3, 3], [3, 6, 6], [0.5, 0.9, 0.4, 0.3]],
    ["velocity_v", [1, 24, [], 0], [500], [4, 3, 3], [3, 6, 6], [0.5, 0.9, 0.4, 0.3]],
  ];
  const fields_prediction = fields.map(([name]) => [name, 1]);
  await runAll(tinyConfig({ fields, fields_prediction, num_epochs: 1 }), { out, runId: "stormrun", maxSteps: 1 });
  for (const mode of ["BERT", "forecast", "temporal_interpolation"]) {
    dirs[mode] = (await evaluate({ run: "stormrun", out, mode })).resultsDir;
  }
  globe = await globeStore(out);
  await runAll(globeConfig(globe), { out, runId: "globerun", maxSteps: 1 });
  const set = ["dates=[[2022,1,14,18]]", "token_overlap=[1,1]"];
  dirs.global_forecast = (await evaluate({ run: "globerun", out, mode: "global_forecast", set })).resultsDir;
}, 180_000);

afterAll(() => rmSync(out, { recursive: true, force: true }));

describe.each(PYTHONS)("read by %s", (program) => {
  test.each([
    ["BERT", 8, ["token", "member", "step", "row", "column"]],
    ["forecast", 8, ["member", "ml", "datetime", "lat", "lon"]],
    ["temporal_interpolation", 8, ["token", "member", "step", "row", "column"]],
    ["global_forecast", 30, ["member", "ml", "datetime", "lat", "lon"]],
  ])("%s passes the reference's checks", (mode, sources, dims) => {
    const told = pythonOf(program, CHECKS, dirs[mode], mode === "global_forecast" ? globe : STORM) as Checked;
    expect(told).toMatchObject({ sources, dims, kind: "datetime64[ns]" });
    expect(told.groups).toBe(sources);
    expect(told.values).toBeGreaterThan(1000);
    expect(told.worst).toBeLessThan(1e-5);
    expect(Number.isFinite(told.mean)).toBe(true);
  });

  test("the blended globe is the input's grid", () => {
    const group = "a/date=2022-01-14T18/ml=00002";
    const told = pythonOf(program, GLOBAL, dirs.global_forecast, globe, group) as Record<string, number>;
    expect(told).toMatchObject({ dims: { datetime: 3, lat: 19, lon: 36 }, lat: [90, -90] });
    expect(told.worst).toBeLessThan(1e-5);
    // at the pole the wave has no amplitude
    expect(told.north).toBeLessThan(1e-3);
  });
});
