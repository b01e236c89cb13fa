/** Work that does not end. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { limited, NeverEnding } from "../../src/data/import/limited.js";
import { openNetcdf4 } from "../../src/data/import/netcdf4.js";
import { writeNetcdf4 } from "./importFixtures.js";

const folder = mkdtempSync(join(tmpdir(), "atmorep-limited-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("gives what the work gives, and throws what it throws", () => {
  expect(limited(() => limited(() => 3, 5) + 1, 5)).toBe(4);
  class Own extends Error {}
  const work = () => {
    throw new Own("why");
  };
  expect(() => limited(work, 5)).toThrow(Own);
  expect(() => limited(() => undefined, 5)).not.toThrow();
});

it("ends a loop", () => {
  const work = () => {
    for (;;);
  };
  expect(() => limited(work, 0.1)).toThrow(NeverEnding);
  expect(limited(() => 1, 5)).toBe(1);
});

it("NetCDF-4 that HDF5 never ends to read is refused, and so is what comes after", { timeout: 60_000 }, async () => {
  const attrs = { units: "degrees_north" };
  const whole = await writeNetcdf4(join(folder, "whole.nc"), {
    dims: { lat: 3 },
    variables: [{ name: "lat", dims: ["lat"], type: "float", values: [2, 1, 0], attrs }],
  });
  const before = await openNetcdf4(whole);
  expect(before.variables.get("lat")!.attrs).toEqual(attrs);
  await before.close();
  const bytes = readFileSync(whole);
  const at = bytes.indexOf("GCOL");
  const damaged = join(folder, "damaged.nc");
  writeFileSync(damaged, bytes.fill(0, at + 16, at + 32));
  await expect(openNetcdf4(damaged)).rejects.toThrow(
    /variable lat cannot be described; .*damaged\.nc|damaged\.nc: .*variable lat/,
  );
  await expect(openNetcdf4(whole)).rejects.toThrow(/whole\.nc: NetCDF-4 files cannot be read any more.*damaged\.nc/);
});
