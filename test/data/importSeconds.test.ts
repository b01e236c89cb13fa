/** Times with a fraction of a second. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { importStore } from "../../src/data/import/index.js";
import { writeNetcdf3 } from "./importFixtures.js";

const folder = mkdtempSync(join(tmpdir(), "atmorep-seconds-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("are refused with the file's name", async () => {
  const units = "hours since 1970-01-01";
  const path = writeNetcdf3(join(folder, "odd.nc"), {
    dims: { time: 2, lat: 2, lon: 2 },
    variables: [
      { name: "time", dims: ["time"], type: "double", values: [0, 1 + 0.5 / 3600], attrs: { units } },
      { name: "lat", dims: ["lat"], type: "float", values: [1, 0], attrs: { units: "degrees_north" } },
      { name: "lon", dims: ["lon"], type: "float", values: [0, 1], attrs: { units: "degrees_east" } },
      { name: "t2m", dims: ["time", "lat", "lon"], type: "float", values: Array(8).fill(280), attrs: { units: "K" } },
    ],
  });
  await expect(importStore([path], join(folder, "out.zarr"))).rejects.toThrow(
    /odd\.nc: time\[1\]: a time has a fraction/,
  );
});
