/** Statistics by calendar month against xarray's own, from the store's values alone. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { normalizeStore } from "../../src/data/normalization/normalize.js";
import { makeWaves } from "../../src/data/waves.js";
import { temporaryFolder } from "../support/tinyRun.js";
import { PYTHON, PYTHON_ZARR3, pythonOf } from "./python.js";

const dir = temporaryFolder();
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const COMPARE = `
import sys, json, numpy as np, xarray as xr, zarr
g = zarr.open_group(sys.argv[1], mode="r")
first, last = [np.datetime64(t) for t in dict(g.attrs)["normalization_period"]]
time = g["time"][:].astype("M8[ns]")
years = (int(time[-1].astype("M8[Y]").astype(int)) - int(time[0].astype("M8[Y]").astype(int))) + 1
worst = 0.0
for suffix, lead in (("", 2), ("_sfc", 1)):
    dims = ["time"] + [f"c{i}" for i in range(lead)] + ["lat", "lon"]
    data = xr.DataArray(g["data" + suffix][:].astype("f8"), dims=dims, coords={"time": time}).sel(time=slice(first, last))
    by = data.groupby("time.month")
    point = by.mean("time").values, by.std("time").values
    whole = by.mean(("time", "lat", "lon")).values, by.std(("time", "lat", "lon")).values
    # a point that hardly varies is raised to a hundredth of the field's deviation
    point = point[0], np.maximum(point[1], 0.01 * whole[1][..., None, None])
    for name, (mean, std) in (("norm", point), ("global_norm", whole)):
        ours = g["normalization/" + name + suffix][:].astype("f8")
        assert ours.shape[0] == 12 * years, ours.shape
        for month in range(12 * years):
            # relative to the deviation: means near 0 have no other scale
            worst = max(worst, np.abs((ours[month, 0] - mean[month % 12]) / std[month % 12]).max())
            worst = max(worst, np.abs(ours[month, 1] / std[month % 12] - 1).max())
print(json.dumps({"worst": worst, "years": years, "attrs": dict(g["normalization"].attrs)}))`;

test("means and deviations of every point and of the grid are xarray's, in every year of the store", async () => {
  const path = join(dir, "waves.zarr");
  await makeWaves(path, {
    fields: ["velocity_u", "specific_humidity"],
    fieldsSfc: ["total_precip"],
    levels: [96, 137],
    res: [30, 30],
    start: "2019-06-01",
    days: 1000,
    stepHours: 12,
  });
  await normalizeStore(path, ["2019-06-01", "2021-05-31"], "calendar-month");
  for (const program of new Set([PYTHON, PYTHON_ZARR3])) {
    const { worst, years, attrs } = pythonOf(program, COMPARE, path) as { worst: number; years: number; attrs: object };
    expect(years).toBe(4);
    expect(attrs).toEqual({
      by: "calendar-month",
      period: ["2019-06-01T00:00", "2021-05-31T12:00"],
      years: [2019, 2020, 2021],
    });
    expect(worst).toBeLessThan(1e-5);
  }
});
