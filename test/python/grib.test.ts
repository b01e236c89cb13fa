/**
 * GRIB beside ecCodes' own Python and cfgrib: every packing, bitmap, scanning mode, kind of level and time, the names of
 * parameters, and what is refused. Needs a Python with eccodes and cfgrib (ATMOREP_TEST_PYTHON_ZARR3), whose library is
 * used unless ATMOREP_ECCODES names another.
 */
import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { EDITION_1, EDITION_2 } from "../../src/data/import/grib/parameters.js";
import { openInput } from "../../src/data/import/open.js";
import type { InputFile, InputVariable } from "../../src/data/import/types.js";
import { formatTime, parseTime } from "../../src/data/time.js";
import { atmorep } from "../support/cli.js";
import { PYTHON_ZARR3, pythonOf } from "./python.js";

const SCRIPT = fileURLToPath(new URL("grib/make.py", import.meta.url));
const ERA5 = resolve(process.env.ATMOREP_SHARED ?? "../shared", "data", "raw", "era5-2mt-2019-03-uk.grib");
const [ROWS, COLUMNS] = [13, 24];

interface Message {
  shortName: string;
  cfVarName: string;
  units: string;
  typeOfLevel: string;
  level: number;
  validityDate: number;
  validityTime: number;
  packingType: string;
}
type Made = Record<string, Message[]> & { cfgrib: { names: string[]; levels: number[]; times: string[]; sum: number } };

const folder = mkdtempSync(join(tmpdir(), "atmorep-grib-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const output = execFileSync(PYTHON_ZARR3, ["-W", "ignore", SCRIPT, folder], {
  encoding: "utf8",
  stdio: ["ignore", "pipe", "ignore"],
});
const { cfgrib, ...made } = JSON.parse(output) as Made;
const forms = Object.entries(made);

beforeAll(async () => {
  if (!process.env.ATMOREP_ECCODES) {
    const where =
      "import json, os, eccodeslib; print(json.dumps(os.path.dirname(os.path.dirname(eccodeslib.__file__))))";
    vi.stubEnv("ATMOREP_ECCODES", String(pythonOf(PYTHON_ZARR3, where)));
  }
  // The process of ecCodes runs the program as it is built.
  expect((await atmorep(["--version"])).code).toBe(0);
});

const wantedOf = (name: string): Float64Array => {
  const bytes = readFileSync(join(folder, `${name}.f64`));
  return new Float64Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
};

/** A plane from North to South and from West to East, as the script writes it. */
async function planeOf(variable: InputVariable, time: bigint, level: number): Promise<Float64Array> {
  const { lats, lons, levels, times } = variable;
  const plane = await variable.readPlane(times.indexOf(time), levels ? levels.indexOf(level) : 0);
  const order = (axis: Float64Array, sign: number) => [...axis.keys()].sort((a, b) => sign * (axis[a] - axis[b]));
  const columns = order(
    lons.map((lon) => ((lon % 360) + 360) % 360),
    1,
  );
  return Float64Array.from(
    order(lats, -1).flatMap((row) => columns.map((column) => plane[row * lons.length + column])),
  );
}

const timeOf = ({ validityDate, validityTime }: Message) =>
  parseTime(
    `${validityDate}${String(validityTime).padStart(4, "0")}`.replace(/(....)(..)(..)(..)(..)/, "$1-$2-$3T$4:$5"),
  ) as bigint;

const levelOf = ({ typeOfLevel, level }: Message) => (typeOfLevel === "isobaricInPa" ? level / 100 : level);

async function withFile<T>(name: string, use: (file: InputFile) => Promise<T> | T): Promise<T> {
  const file = await openInput(join(folder, `${name}.grib`));
  try {
    return await use(file);
  } finally {
    await file.close();
  }
}

describe("the same values, names, levels and times as ecCodes", () => {
  it.each(forms.filter(([name]) => !name.startsWith("members")))("%s", async (name, messages) => {
    await withFile(name, async (file) => {
      expect(file.skipped).toEqual([]);
      expect(new Set(file.variables.map((variable) => variable.name))).toEqual(
        new Set(messages.map((message) => message.cfVarName)),
      );
      const wanted = wantedOf(name);
      const size = ROWS * COLUMNS;
      expect(wanted.length).toBe(messages.length * size);
      expect(wanted.filter(Number.isNaN).length).toBe(name.includes("missing") ? 19 : 0);
      for (const [i, message] of messages.entries()) {
        const variable = file.variables.find((one) => one.name === message.cfVarName) as InputVariable;
        expect([variable.alias, variable.units]).toEqual([message.shortName, message.units]);
        expect(variable.levels === null).toBe(!/isobaric|hybrid/.test(message.typeOfLevel));
        const plane = await planeOf(variable, timeOf(message), levelOf(message));
        expect(plane).toEqual(wanted.subarray(i * size, (i + 1) * size));
      }
    });
  });

  it("knows as much of files as cfgrib", async () => {
    for (const name of ["levels_2", "ccsds_levels_2"]) {
      await withFile(name, async ({ variables: [variable] }) => {
        expect(cfgrib.names).toEqual([variable.name]);
        expect(cfgrib.levels).toEqual(variable.levels);
        expect(cfgrib.times).toEqual([...variable.times].map(formatTime));
        let sum = 0;
        for (const t of [0, 1])
          for (const l of [0, 1]) sum += (await variable.readPlane(t, l)).reduce((a, b) => a + b, 0);
        expect(sum / cfgrib.sum).toBeCloseTo(1, 6);
      });
    }
  });

  it.skipIf(!existsSync(ERA5))("in the 744 messages of a real file, bit for bit", async () => {
    const script = `
import json, sys, eccodes as ec
found = []
with open(sys.argv[1], "rb") as file, open(sys.argv[2], "wb") as out:
    while (handle := ec.codes_grib_new_from_file(file)) is not None:
        out.write(ec.codes_get_values(handle).tobytes())
        found.append(ec.codes_get(handle, "validityDate") * 10000 + ec.codes_get(handle, "validityTime"))
        ec.codes_release(handle)
print(json.dumps(found))`;
    const times = pythonOf(PYTHON_ZARR3, script, ERA5, join(folder, "era5.f64")) as number[];
    const wanted = wantedOf("era5");
    const file = await openInput(ERA5);
    const [variable] = file.variables;
    expect([...variable.times].map((time) => Number(formatTime(time).replace(/[-T:]/g, "")))).toEqual(times);
    const size = variable.lats.length * variable.lons.length;
    for (let t = 0; t < 744; t++) {
      expect(await variable.readPlane(t, 0)).toEqual(wanted.subarray(t * size, (t + 1) * size));
    }
    await file.close();
  });

  it("in a message of several fields, the bitmap said once", async () => {
    const bytes = readFileSync(join(folder, "grid_ccsds_missing_2.grib"));
    const sections: Buffer[] = [];
    for (let at = 16; at < bytes.length - 4; at += bytes.readUInt32BE(at)) {
      sections.push(Buffer.from(bytes.subarray(at, at + bytes.readUInt32BE(at))));
    }
    const second = sections.filter((section) => section[4] >= 4).map((section) => Buffer.from(section));
    second[0].writeUInt32BE(70_000, 24);
    second[2] = Buffer.from([0, 0, 0, 6, 6, 254]);
    const message = Buffer.concat([bytes.subarray(0, 16), ...sections, ...second, Buffer.from("7777")]);
    message.writeBigUInt64BE(BigInt(message.length), 8);
    writeFileSync(join(folder, "several.grib"), message);
    await withFile("several", async ({ variables: [variable] }) => {
      expect(variable.levels).toEqual([500, 700]);
      for (const level of [500, 700]) {
        expect(await planeOf(variable, variable.times[0], level)).toEqual(wantedOf("grid_ccsds_missing_2"));
      }
    });
  });

  it("in the names of parameters", () => {
    const script = `
import json, sys, eccodes as ec
found = {}
for edition, text in ((1, sys.argv[1]), (2, sys.argv[2])):
    for row in text.strip().replace("|", "\\n").split("\\n"):
        key = row.split(" ")[0]
        handle = ec.codes_grib_new_from_samples(f"regular_ll_sfc_grib{edition}")
        if edition == 1:
            values = {"centre": 98, "table2Version": 128, "indicatorOfParameter": int(key)}
        else:
            rest, _, statistic = key.partition("~")
            rest, _, place = rest.partition("@")
            discipline, category, number = map(int, rest.split("."))
            # of NCEP
            values = {"centre": 7 if rest == "0.1.8" else 98}
            if max(discipline, category, number) >= 192:
                values["localTablesVersion"] = 1
            if statistic:
                values |= {"productDefinitionTemplateNumber": 8, "typeOfStatisticalProcessing": int(statistic)}
            values |= {"discipline": discipline, "parameterCategory": category, "parameterNumber": number}
            kind, _, level = place.partition(":")
            if kind:
                values |= {"typeOfFirstFixedSurface": int(kind)}
            if kind == "10":
                values |= {"typeOfFirstFixedSurface": 1, "typeOfSecondFixedSurface": 8}
            if level:
                values |= {"scaleFactorOfFirstFixedSurface": 0, "scaledValueOfFirstFixedSurface": int(level)}
        for name, value in values.items():
            ec.codes_set(handle, name, value)
        units = {"~": "", "Numeric": "1"}.get(ec.codes_get(handle, "units"), ec.codes_get(handle, "units"))
        found[key] = " ".join([key, ec.codes_get(handle, "cfVarName"), ec.codes_get(handle, "shortName"), units]).rstrip()
print(json.dumps(found))`;
    const found = pythonOf(PYTHON_ZARR3, script, EDITION_1, EDITION_2) as Record<string, string>;
    const rows = `${EDITION_1}${EDITION_2}`.trim().split(/[|\n]+/);
    expect(rows.length).toBeGreaterThan(300);
    expect(
      rows.filter((row) => found[row.split(" ")[0]] !== row).map((row) => [row, found[row.split(" ")[0]]]),
    ).toEqual([]);
  });
});

describe("what is told and not read", () => {
  it.each([
    ["members_1", /3 members of an ensemble \(0, 1, 2\); .*grib_copy -w number=0/],
    ["members_2", /3 members of an ensemble \(0, 1, 2\)/],
    ["reduced_gg", /a reduced Gaussian grid; bring it to a regular grid .*cdo/],
    ["reduced_gg_1", /a Gaussian grid|a reduced grid/],
    ["layer", /layers between two levels/],
    ["gaussian", /a Gaussian grid; bring it to a regular grid/],
    ["spectral", /spherical harmonics; .*sp2gpl/],
    ["spectral_1", /spherical harmonics/],
  ])("%s", async (name, why) => {
    await withFile(name, ({ variables, skipped }) => {
      expect(variables).toEqual([]);
      expect(skipped[0].why).toMatch(why);
    });
  });

  it("a packing without ecCodes, with how to get it", async () => {
    const before = process.env.ATMOREP_ECCODES;
    process.env.ATMOREP_ECCODES = "none";
    try {
      await withFile("grid_ccsds_2", ({ skipped }) =>
        expect(skipped).toEqual([{ name: "t", why: expect.stringMatching(/CCSDS.*engine install --only eccodes/) }]),
      );
      await withFile("grid_simple_2", ({ skipped }) => expect(skipped).toEqual([]));
    } finally {
      process.env.ATMOREP_ECCODES = before;
    }
  });
});
