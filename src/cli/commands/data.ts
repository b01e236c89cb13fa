/** `atmorep data sample|info|normalize|import`. */
import { type Command, Option } from "commander";
import type { NormalizeBy } from "../../data/normalization/normalize.js";
import type { WavesOptions } from "../../data/waves.js";
import { AtmorepError } from "../../errors.js";
import { note, print, printJson, withExamples } from "../output.js";
import { registerImport } from "./dataImport.js";
import { registerInfo } from "./dataInfo.js";
import { BOTH_INCLUSIVE, dates, list, number, numbers } from "./dataOptions.js";
import { registerRechunk } from "./dataRechunk.js";
import { partLine, type WorkFlags, withWork, worked } from "./dataWork.js";

export function registerData(program: Command): void {
  const data = program.command("data").description("make, describe and normalise input stores");
  withExamples(data, ["data info store.zarr", "data sample waves.zarr"]);

  const sample = data
    .command("sample")
    .argument("<dir>", "folder of the new store, or a file that ends in .zip")
    .description('makes the synthetic "waves" store: travelling waves, a diurnal cycle and noise; not weather')
    .option("--fields <names>", "upper-air fields, separated by commas", list)
    .option("--surface <names>", 'surface fields, separated by commas ("" for none)', list)
    .option("--levels <numbers>", "levels, separated by commas", (text) => list(text).map(number))
    .option("--res <degrees>", "grid step: latitude, longitude (or one number for both)", numbers)
    .option("--region <N,W,S,E>", "geographic degrees; without it the globe", numbers)
    .option("--start <time>", "first time, ISO")
    .option("--days <n>", "length", number)
    .option("--step-hours <n>", "hours between steps", number)
    .option("--time-chunk <n>", "time steps a chunk", number)
    .option("--seed <n>", "seed", number)
    .option("--compress", "zlib chunks instead of uncompressed ones")
    .option("--json", "machine-readable output")
    .action(async (dir: string, options: SampleOptions) => {
      const { makeWaves } = await import("../../data/waves.js");
      const summary = await makeWaves(dir, wavesOptions(options));
      if (options.json) return printJson(summary);
      print(`${summary.path}: ${summary.megabytes.toFixed(1)} MB of values`);
      if (summary.data) print(`  data      [time, field, level, lat, lon] = [${summary.data.join(", ")}]`);
      if (summary.dataSfc) print(`  data_sfc  [time, field_sfc, lat, lon] = [${summary.dataSfc.join(", ")}]`);
      note(`made, not weather: never quote skill on it. Next: npx atmorep data info ${dir}`);
    });
  withExamples(sample, [
    "data sample waves.zarr --days 30",
    "data sample small.zarr.zip --res 5 --levels 96,137 --seed 7",
  ]);

  registerInfo(data);

  const normalize = data
    .command("normalize")
    .argument("<store>", "folder of a store; with --out any source")
    .description("computes the normalisation arrays from the store's own values and writes them into it, or beside it")
    .option("--dates <A..B>", `use these times only, ${BOTH_INCLUSIVE}: keep validation times out`, dates)
    .addOption(
      new Option(
        "--by <months>",
        "each month of its own (default), or each calendar month over all years, for later years too",
      ).choices(["month", "calendar-month"]),
    )
    .option(
      "--out <file>",
      "write them by calendar month to a folder or .zip of their own: the key statistics names it",
    )
    .option("--json", "machine-readable output")
    .action(async (location: string, options: NormalizeOptions) => {
      if (options.out !== undefined) return normalizeBeside(location, options.out, options);
      const { normalizeStore } = await import("../../data/normalization/normalize.js");
      const summary = await worked("data normalize", options, (work) =>
        normalizeStore(location, options.dates ?? null, options.by ?? "month", work),
      );
      if (summary === null) return;
      if (options.json) return printJson(summary);
      if (summary.unfinished !== null && options.part) {
        return note(partLine(options.part, summary.unfinished, location));
      }
      const calendar = summary.by === "calendar-month";
      const months = calendar ? `calendar months, ${summary.years.join(" ")}` : "months";
      print(`${location}: ${summary.arrays.join(", ")} from ${summary.steps} steps of ${summary.months} ${months}`);
      print(`normalization_period ${summary.period.join(" to ")}`);
      if (summary.missingMonths.length > 0) {
        note(`no step lies in month ${summary.missingMonths.join(", ")}: there is no normalisation for it in any year`);
      }
    });
  withExamples(withWork(normalize), [
    "data normalize my.zarr --dates 1996-01-05..1996-01-15T18:00",
    "data normalize my.zarr --dates 1979-01-01..2017-12-31 --by calendar-month",
    "data normalize 'era5/*.nc' --dates 1979-01-01..2017-12-31 --out era5-statistics.zarr",
  ]);

  registerImport(data);
  registerRechunk(data);

  const finalise = data
    .command("finalise")
    .argument("<store>", "the --out of the parts; of data normalize the store")
    .description(
      "ends work that was done with --part: checks that all parts are there and puts the result in its place",
    )
    .option("--json", "machine-readable output")
    .action(async (out: string, options: { json?: boolean }) => {
      const { finalise: end } = await import("../../data/building/finalise.js");
      const done = await end(out);
      if (options.json) return printJson(done);
      print(`${done.path}: ${done.command}, ${done.parts} parts`);
    });
  withExamples(finalise, ["data finalise era5.zarr"]);
}

interface NormalizeOptions extends WorkFlags {
  dates?: [string, string];
  by?: NormalizeBy;
  out?: string;
  json?: boolean;
}

async function normalizeBeside(location: string, out: string, options: NormalizeOptions): Promise<void> {
  const { dates: period, by, json, part } = options;
  const [{ normalizeTo }, { resolveStorePath }] = await Promise.all([
    import("../../data/normalization/normalize.js"),
    import("../../config/resolve.js"),
  ]);
  const summary = await worked("data normalize", options, async (work) => {
    if (by !== "month") return normalizeTo(resolveStorePath(location), out, period ?? null, work);
    throw new AtmorepError("usage", "a normalisation beside its source is by calendar month", {
      where: "--by month",
      fix: "Leave out --by, or --out",
    });
  });
  if (summary === null) return;
  if (json) return printJson(summary);
  if (summary.unfinished !== null && part) return note(partLine(part, summary.unfinished, out));
  print(`${out}: by calendar month from ${summary.steps} steps, ${summary.period.join(" to ")}`);
  if (summary.missingMonths.length > 0) {
    note(`no step lies in month ${summary.missingMonths.join(", ")}: there is no normalisation for it in any year`);
  }
  note(`use it with --set statistics=${out}`);
}

interface SampleOptions {
  fields?: string[];
  surface?: string[];
  levels?: number[];
  res?: number[];
  region?: number[];
  start?: string;
  days?: number;
  stepHours?: number;
  timeChunk?: number;
  seed?: number;
  compress?: boolean;
  json?: boolean;
}

function wavesOptions(o: SampleOptions): Partial<WavesOptions> {
  const options: Partial<WavesOptions> = {
    fields: o.fields,
    fieldsSfc: o.surface,
    levels: o.levels,
    start: o.start,
    days: o.days,
    stepHours: o.stepHours,
    timeChunk: o.timeChunk,
    seed: o.seed,
    compressor: o.compress ? "zlib" : undefined,
  };
  if (o.res) options.res = [o.res[0], o.res[1] ?? o.res[0]];
  if (o.region) {
    if (o.region.length !== 4) {
      throw new AtmorepError("usage", "a region has four sides", {
        where: "--region",
        found: o.region.join(),
        expected: "N,W,S,E",
      });
    }
    const [north, west, south, east] = o.region;
    options.region = { north, west, south, east };
  }
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
