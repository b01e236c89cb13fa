/** Unfinished work whose own files changed on the disk: nothing that is built depends on the changed bytes. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { filesOf } from "../../support/filesOf.js";
import { runCli } from "../../support/inProcess.js";
import { tempDir } from "../../support/tempDir.js";
import { writeNetcdf3 } from "../importFixtures.js";

const range = (n: number, of: (i: number) => number) => Array.from({ length: n }, (_, i) => of(i));

/** An import in two parts of which all is done, and the same in one call. */
async function work() {
  const dir = tempDir();
  const file = writeNetcdf3(join(dir, "in.nc"), {
    dims: { time: 40, latitude: 3, longitude: 4 },
    variables: [
      {
        name: "time",
        dims: ["time"],
        type: "double",
        values: range(40, (t) => 24 * t),
        attrs: { units: "hours since 2020-01-01" },
      },
      { name: "latitude", dims: ["latitude"], type: "double", values: [60, 45, 30], attrs: { units: "degrees_north" } },
      {
        name: "longitude",
        dims: ["longitude"],
        type: "double",
        values: [0, 15, 30, 45],
        attrs: { units: "degrees_east" },
      },
      {
        name: "msl",
        dims: ["time", "latitude", "longitude"],
        type: "float",
        values: range(480, (i) => 1e5 + 7 * i),
        attrs: { units: "Pa" },
      },
    ],
  });
  const out = join(dir, "parts.zarr");
  const args = (to: string, ...more: string[]) => ["data", "import", file, "--out", to, ...more];
  for (const part of ["1/2", "2/2"]) expect((await runCli(...args(out, "--part", part))).code).toBe(0);
  expect((await runCli(...args(join(dir, "whole.zarr")))).code).toBe(0);
  return { out, folder: `${out}.unfinished`, whole: filesOf(join(dir, "whole.zarr")), args };
}

function change(path: string, pattern: RegExp, to: string): void {
  const text = readFileSync(path, "utf8");
  expect(text).toMatch(pattern);
  writeFileSync(path, text.replace(pattern, to));
}

test("a line of a journal that changed counts for nothing: its part is asked for, and done again", async () => {
  const { out, folder, whole, args } = await work();
  const journal = readdirSync(folder).find((name) => name.endsWith("1-of-2.jsonl")) as string;
  change(join(folder, journal), /"mean":1/, '"mean":2');
  const early = await runCli("data", "finalise", out);
  expect(early.code).toBe(2);
  expect(early.stderr).toMatch(/not all parts are done; found part 1\/2 lacks 1 units/);
  expect((await runCli(...args(out, "--part", "1/2"))).code).toBe(0);
  expect((await runCli("data", "finalise", out)).code).toBe(0);
  expect(filesOf(out)).toEqual(whole);
});

test.each([
  ["a number", /"lats":\[30/, '"lats":[31'],
  ["the number of parts", /"parts":2/, '"parts":9007199254740993'],
  ["its end", /\}$/, ""],
])("a request of which %s changed is refused, and --restart begins anew", async (_, pattern, to) => {
  const { out, folder, whole, args } = await work();
  change(join(folder, "request.json"), pattern, to);
  for (const words of [["data", "finalise", out], args(out, "--part", "1/2")]) {
    const { code, stderr } = await runCli(...words);
    expect(code).toBe(2);
    expect(stderr).toMatch(/request\.json: what was begun here cannot be told: the file is damaged.*--restart/);
  }
  expect((await runCli(...args(out, "--restart"))).code).toBe(0);
  expect(filesOf(out)).toEqual(whole);
});
