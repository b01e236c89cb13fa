/**
 * Every kind of store that this program writes, read by the original's own sampler. Where no checkout of it is named
 * (`ATMOREP_SRC`), its statements on times and normalisation are made here by the same libraries.
 */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { FieldEntry } from "../../src/config/types.js";
import { readCube } from "../../src/data/cube.js";
import { importStore, parseFieldRequest } from "../../src/data/import/index.js";
import { normalizeStore } from "../../src/data/normalization/normalize.js";
import { openStore } from "../../src/data/store.js";
import { parseTime } from "../../src/data/time.js";
import { makeWaves } from "../../src/data/waves.js";
import { writeNetcdf3 } from "../data/importFixtures.js";
import { STORM, tinyStore } from "../data/support.js";
import { temporaryFolder } from "../support/tinyRun.js";
import { python } from "./python.js";

const dir = temporaryFolder();
afterAll(() => rmSync(dir, { recursive: true, force: true }));

interface Kind {
  path: string;
  /** token [2, 2, 3], 2 tokens a side */
  field: FieldEntry;
  res: [lat: number, lon: number];
  /** last times of the two cubes, and their centre: latitude, longitude */
  dates: string[];
  centre: [number, number];
}

const field = (name: string, level: number, normalization: "global" | "local" = "global"): FieldEntry => [
  name,
  [1, 8, [], 0],
  [level],
  [2, 2, 2],
  [2, 2, 3],
  [0, 0, 0, 0],
  normalization,
];

const KINDS: Record<string, Kind> = {
  waves: {
    path: join(dir, "waves.zarr"),
    field: field("velocity_u", 137),
    res: [15, 15],
    dates: ["2021-01-31T18:00", "2021-02-02T06:00"],
    centre: [15, 120],
  },
  "waves by calendar month, in a year after the period, at each point": {
    path: join(dir, "years.zarr"),
    field: field("velocity_u", 137, "local"),
    res: [30, 30],
    dates: ["2022-01-31T12:00", "2022-03-02T00:00"],
    centre: [30, 180],
  },
  "the shipped storm": {
    path: STORM,
    field: field("velocity_v", 500),
    res: [1.25, 2.5],
    dates: ["1996-01-10T06:00", "1996-01-20T18:00"],
    centre: [42.5, 265],
  },
  "an import": {
    path: join(dir, "import.zarr"),
    field: field("mean_sea_level_pressure", 0),
    res: [1, 1],
    dates: ["2020-02-29T04:00", "2020-02-29T05:00"],
    centre: [48, 6],
  },
};

beforeAll(async () => {
  await makeWaves(KINDS.waves.path, { levels: [137], res: [15, 15], days: 40 });
  const { path } = KINDS["waves by calendar month, in a year after the period, at each point"];
  await makeWaves(path, { levels: [137], res: [30, 30], days: 440, stepHours: 12 });
  await normalizeStore(path, ["2021-01-01", "2021-12-31"], "calendar-month");
  const [T, Y, X] = [6, 6, 12];
  const wavy = (offset: number) => Array.from({ length: T * Y * X }, (_, i) => offset + 10 * Math.sin(0.7 * i));
  const input = writeNetcdf3(join(dir, "input.nc"), {
    dims: { time: T, latitude: Y, longitude: X },
    variables: [
      {
        name: "time",
        dims: ["time"],
        type: "double",
        values: [0, 1, 2, 3, 4, 5],
        attrs: { units: "hours since 2020-02-29" },
      },
      { name: "latitude", dims: ["latitude"], type: "float", values: [50, 49, 48, 47, 46, 45] },
      { name: "longitude", dims: ["longitude"], type: "float", values: Array.from({ length: X }, (_, i) => i) },
      { name: "u", dims: ["time", "latitude", "longitude"], type: "float", values: wavy(5) },
      { name: "msl", dims: ["time", "latitude", "longitude"], type: "float", values: wavy(1e3) },
    ],
  });
  await importStore([input], KINDS["an import"].path, {
    fields: [parseFieldRequest("velocity_u:137=u", false)],
    fieldsSfc: [parseFieldRequest("mean_sea_level_pressure=msl", true)],
  });
});

/** The sampler's lines on times (year_base, idxs_years, sources_infos, token infos) and the normaliser's row of a date. */
const STATEMENTS = `
import sys, json, numpy as np, pandas as pd, zarr
from datetime import datetime
ds = zarr.open(sys.argv[1])
year_base = ds["time"][0].astype(datetime).year
times = pd.DatetimeIndex(ds["time"])
years = [int((times.year == y).sum()) for y in sorted(set(times.year))]
idxs_t = list(np.arange(0, ds["time"].shape[0], 1, dtype=np.int64))
dates = ds["time"][idxs_t].astype(datetime)
infos = [(d.year, d.timetuple().tm_yday - 1, d.hour) for d in dates]
rows = [12 * (d.year - year_base) + d.month - 1 for d in dates]
norm = ds["normalization/global_norm_sfc"].oindex[:, :, 0]
picked = np.array([norm[row] for row in rows])
print(json.dumps({"years": years, "infos": infos, "rows": rows, "finite": bool(np.isfinite(picked).all())}))`;

describe.each(Object.entries(KINDS))("%s", (_, kind) => {
  test("the original's statements on times and months give our calendar", async () => {
    const store = await openStore(kind.path);
    const { calendar } = store;
    const seen = python(STATEMENTS, kind.path) as {
      years: number[];
      infos: number[][];
      rows: number[];
      finite: boolean;
    };
    const years = [...new Set(calendar.year)];
    expect(seen.years).toEqual(years.map((year) => calendar.year.filter((own) => own === year).length));
    expect(seen.infos).toEqual(
      Array.from(store.times, (_t, i) => [calendar.year[i], calendar.dayOfYear[i], calendar.hour[i]]),
    );
    expect(seen.rows).toEqual([...calendar.month]);
    expect(seen.finite).toBe(true);
    await store.close();
  });

  test.skipIf(!process.env.ATMOREP_SRC)("the original's sampler gives our tokens and token infos", async () => {
    const { path, res, centre } = kind;
    const n_size: [number, number, number] = [4, 4 * res[0], 6 * res[1]];
    const input = JSON.stringify({ path, field: kind.field, n_size, dates: kind.dates, centre });
    const original = python(SAMPLER, input) as { tokens: number[]; infos: number[] }[];
    expect(original.length).toBe(kind.dates.length);
    const store = await openStore(path);
    const config = {
      fields: [kind.field],
      n_size,
      time_sampling: 1,
      missing_values: "error" as const,
      token_infos_transformation: null,
    };
    for (const [i, date] of kind.dates.entries()) {
      const timeIndex = store.times.indexOf(parseTime(date)!) + 1;
      const { fields } = await readCube(store, config, { timeIndex, places: [[90 - centre[0], centre[1]]] });
      expect([...fields[0].infos]).toEqual(original[i].infos);
      expect(fields[0].tokens.length).toBe(original[i].tokens.length);
      fields[0].tokens.forEach((value, o) => {
        expect(Math.abs(value - original[i].tokens[o])).toBeLessThan(1e-4 * Math.max(1, Math.abs(value)));
      });
    }
    await store.close();
  });
});

const SAMPLER = `
import sys, os, io, json, types, contextlib
sys.path.insert(0, os.environ["ATMOREP_SRC"])
sys.modules["wandb"] = types.ModuleType("wandb")
import numpy as np
with contextlib.redirect_stdout(io.StringIO()):
    from atmorep.datasets.multifield_data_sampler import MultifieldDataSampler
    o = json.loads(sys.argv[1])
    dates = [np.datetime64(d, "h").astype(object) for d in o["dates"]]
    years = sorted({d.year for d in dates})
    sampler = MultifieldDataSampler(o["path"], [o["field"]], years, 1, lambda sources, infos: (sources, infos, []), o["n_size"], 2)
    sampler.set_data([[d.year, d.month, d.day, d.hour, *o["centre"]] for d in dates])
    out = []
    for (tokens, infos, *_), *_ in sampler:
        out.append({"tokens": tokens[0].double().flatten().tolist(), "infos": infos[0].double().flatten().tolist()})
print(json.dumps(out))`;

test("nanoseconds are what the original's sampler dies on", async () => {
  const path = await tinyStore(join(dir, "plain.zarr"));
  const astype = `
import sys, json, zarr
from datetime import datetime
times = zarr.open(sys.argv[1])["time"][:]
def year(unit):
    try: return times.astype(f"M8[{unit}]")[0].astype(datetime).year
    except AttributeError as error: return str(error)
print(json.dumps([year(unit) for unit in ("h", "s", "us", "ns")]))`;
  expect(python(astype, path)).toEqual([2022, 2022, 2022, "'int' object has no attribute 'year'"]);
});
