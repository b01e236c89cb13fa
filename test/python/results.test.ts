/** Our result stores in Python's zarr and xarray. */
import { join } from "node:path";
import { expect, test } from "vitest";
import type { RunConfig } from "../../src/config/types.js";
import { ZarrZipWriter } from "../../src/formats/zarrZip.js";
import { writeGoldenResults } from "../results/goldenResults.js";
import { GOLDEN_DIR } from "../support/golden.js";
import { tempDir } from "../support/tempDir.js";
import { PYTHON, PYTHON_ZARR3, pythonOf } from "./python.js";

const PYTHONS = [...new Set([PYTHON, PYTHON_ZARR3])];

const DESCRIBE = `
import sys, json, zarr
S = getattr(zarr.storage, "ZipStore")
def walk(g, prefix=""):
    out = []
    for name in sorted(g.group_keys()): out += [[prefix + name, None, None]] + walk(g[name], prefix + name + "/")
    for name in sorted(g.array_keys()):
        a = g[name]
        v = a[...] if a.shape else a[()]
        out.append([prefix + name, list(a.shape), str(a.dtype), v.view("i8").ravel().tolist() if a.dtype.kind == "M" else v.ravel().tolist()])
    return out
print(json.dumps(walk(zarr.open_group(S(sys.argv[1], mode="r"), mode="r"))))`;

test.each(PYTHONS)("scalars, datetimes, empty arrays and attributes: %s", async (program) => {
  const path = join(tempDir(), "s.zarr");
  const store = await ZarrZipWriter.create(path, { title: "x" });
  const times = BigInt64Array.of(0n, 1_640_995_200_000_000_000n);
  await store.array("f/sample=00000/datetime", { shape: [2], dtype: "<M8[ns]", data: times, dimensions: ["datetime"] });
  await store.array("f/sample=00000/ml", { shape: [], dtype: "<i8", data: BigInt64Array.of(96n), dimensions: [] });
  await store.array("f/empty", { shape: [0, 3], dtype: "<f4", data: new Float32Array(0), dimensions: ["a", "b"] });
  await store.close();
  expect(pythonOf(program, DESCRIBE, path)).toEqual([
    ["f", null, null],
    ["f/sample=00000", null, null],
    ["f/sample=00000/datetime", [2], "datetime64[ns]", [0, 1_640_995_200_000_000_000]],
    ["f/sample=00000/ml", [], "int64", [96]],
    ["f/empty", [0, 3], "float32", []],
  ]);
});

test.each(["run_bert", "run_forecast", "run_temporal"])("%s: zarr sees the original's arrays", async (name) => {
  const { paths, theirs } = await writeGoldenResults(join(GOLDEN_DIR, name), tempDir());
  for (const [i, path] of paths.entries()) {
    const ours = pythonOf(PYTHON_ZARR3, DESCRIBE, path) as [string, number[] | null, string | null, number[]?][];
    const original = pythonOf(PYTHON, DESCRIBE, theirs[i]) as typeof ours;
    // Longitudes and local forecasts are checked by verify, with the departures.
    const comparable = (rows: typeof ours) => rows.map((row) => (row[0].endsWith("/lon") ? row.slice(0, 3) : row));
    expect(comparable(ours)).toEqual(comparable(original));
  }
});

test("xarray opens a sample with its coordinates", async () => {
  const { paths, config } = await writeGoldenResults(join(GOLDEN_DIR, "run_forecast"), tempDir());
  const opened = pythonOf(
    PYTHON_ZARR3,
    `
import sys, json, xarray, zarr
ds = xarray.open_zarr(zarr.storage.ZipStore(sys.argv[1], mode="r"), group=sys.argv[2], consolidated=False)
print(json.dumps({"dims": dict(ds["data"].sizes), "coords": sorted(ds.coords), "time": str(ds.datetime.values[0])}))`,
    paths[3],
    "velocity_v/sample=00001",
  );
  const members = (config as RunConfig).net_tail_num_nets;
  expect(opened).toMatchObject({
    dims: { member: members, ml: 2, datetime: 6, lat: 6, lon: 12 },
    coords: ["datetime", "lat", "lon", "ml"],
    time: expect.stringMatching(/^2022-01-01T03:00/),
  });
});
