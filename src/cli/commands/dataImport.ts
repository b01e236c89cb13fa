/** `atmorep data import`. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { endTime } from "../../config/times.js";
import type { Box, ImportOptions, ImportSummary } from "../../data/import/index.js";
import { COMPRESSORS, type Compressor } from "../../data/zarr/encode.js";
import { AtmorepError } from "../../errors.js";
import { withOffline } from "../offline.js";
import { collect, note, parseCount, print, printJson, withExamples } from "../output.js";
import { type ChunkFlags, chosenChunks } from "./dataChunks.js";
import { BOTH_INCLUSIVE, dates, numbers } from "./dataOptions.js";
import { partLine, type WorkFlags, withWork, worked } from "./dataWork.js";

interface Flags extends WorkFlags, ChunkFlags {
  out: string;
  field: string[];
  fieldSfc: string[];
  levels?: number[];
  box?: Box;
  dates?: [string, string];
  fillTime?: number | true;
  normUntil?: string;
  timeChunk?: number;
  compressor?: Compressor;
  missing?: "keep" | "refuse";
  combine?: "first" | "last";
  unit: string[];
  attr: string[];
  overwrite?: boolean;
  json?: boolean;
}

export function registerImport(data: Command): void {
  const command = data
    .command("import")
    .argument(
      "[file...]",
      "NetCDF or GRIB files, zip files of them, or Zarr groups of another layout (folder, zip file, http address)",
    )
    .requiredOption("--out <store>", "the store to build: a folder, or a file that ends in .zip")
    .description("builds a store with its normalisation from NetCDF, GRIB or another Zarr layout")
    .option("--field <NAME[:LEVEL]=VAR[@FILE]>", "an upper-air field and its source (repeatable)", collect, [])
    .option("--field-sfc <NAME=VAR[@FILE]>", "a surface field and its source (repeatable)", collect, [])
    .option("--levels <numbers>", "levels to keep, in this order, separated by commas", numbers)
    .option("--box <N,W,S,E>", "cut: geographic degrees; may cross the Greenwich meridian (60,350,50,2)", box)
    .option("--dates <A..B>", `times to take, ${BOTH_INCLUSIVE}`, dates)
    .option("--fill-time [steps]", "fill up to so many missing steps in a row (default 1) linearly in time", parseCount)
    .option("--norm-until <time>", "normalisation from the steps before this time only: the training times")
    .option("--time-chunk <n>", "time steps a chunk (default 1)", parseCount)
    .option(
      "--chunks <shape>",
      "extents of a chunk, such as time=4,field=1,level=1 (also lat, lon); auto lays the store out for --config",
    )
    .option("--config <file>", "configuration or preset that --chunks auto is for")
    .addOption(
      new Option(
        "--compressor <name>",
        "compression of the values (default none; blosc with --chunks). blosc and zstd carry checksums",
      ).choices(COMPRESSORS),
    )
    .addOption(
      new Option("--missing <what>", "missing values: kept as NaN (default), or refused").choices(["keep", "refuse"]),
    )
    .addOption(
      new Option(
        "--combine <which>",
        "where a field has a time twice, take the first or last file named; without it the values must be equal",
      ).choices(["first", "last"]),
    )
    .option(
      "--unit <FIELD=UNIT>",
      "unit of a field's values in the files, instead of their attribute (repeatable)",
      collect,
      [],
    )
    .option("--attr <KEY=TEXT>", "a root attribute, such as source or licence (repeatable)", collect, [])
    .option("--overwrite", "replace the store at --out")
    .option("--json", "machine-readable output")
    .action(async (files: string[], flags: Flags) => {
      const summary = await worked("data import", flags, async (work) => {
        const { importStore } = await import("../../data/import/index.js");
        return importStore(files, flags.out, { ...(await optionsOf(flags, work.note)), ...work });
      });
      if (summary === null) return;
      if (flags.json) return printJson(summary);
      if (summary.unfinished !== null && flags.part) {
        return note(partLine(flags.part, summary.unfinished, flags.out));
      }
      for (const line of summaryLines(summary)) print(line);
      note(`next: npx atmorep data info ${flags.out}`);
    });
  withExamples(withOffline(withWork(command)), [
    "data import u.nc v.nc --out my.zarr",
    "data import u.nc sp.nc --out my.zarr --field velocity_u=u --field-sfc surface_pressure=sp --levels 105,123,137",
    "data import U500storm.cdf --out storm.zarr --field velocity_u:500=u --box 60,235,25,292.5 --fill-time",
    "data import era5/*.nc --out era5.zarr --chunks auto --config my.json --jobs 8 --memory 6GiB --part 1/4",
    "data import t2m.grib --out t2m.zarr --time-chunk 24 --compressor zlib --norm-until 2019-03-23",
  ]);
}

/** @param note is told which chunks were chosen */
async function optionsOf(flags: Flags, note: (line: string) => void): Promise<Partial<ImportOptions>> {
  if (flags.timeChunk !== undefined && flags.chunks !== undefined) {
    throw new AtmorepError("usage", "two options say how long a chunk is", {
      where: "--time-chunk with --chunks",
      fix: `Leave one out: --chunks time=${flags.timeChunk},...`,
    });
  }
  const { parseFieldRequest } = await import("../../data/import/index.js");
  const { parseTime } = await import("../../data/time.js");
  const time = (text: string, where: string): bigint => {
    const ns = parseTime(text);
    if (ns !== null) return ns;
    throw new AtmorepError("usage", "not an ISO time", { where, found: text, expected: "such as 1996-01-05" });
  };
  return {
    fields: flags.field.map((text) => parseFieldRequest(text, false)),
    fieldsSfc: flags.fieldSfc.map((text) => parseFieldRequest(text, true)),
    levels: flags.levels ?? null,
    box: flags.box ?? null,
    dates: flags.dates ? [time(flags.dates[0], "--dates"), time(endTime(flags.dates[1]), "--dates")] : null,
    fillSteps: flags.fillTime === true ? 1 : (flags.fillTime ?? 0),
    normUntil: flags.normUntil === undefined ? null : time(flags.normUntil, "--norm-until"),
    timeChunk: flags.timeChunk ?? 1,
    chunks: await chosenChunks(flags, note),
    compressor: flags.compressor ?? (flags.chunks === undefined ? "none" : "blosc"),
    missing: flags.missing ?? "keep",
    combine: flags.combine ?? null,
    units: Object.fromEntries(flags.unit.map((text) => pair(text, "--unit", "FIELD=UNIT"))),
    attrs: Object.fromEntries(flags.attr.map((text) => pair(text, "--attr", "KEY=TEXT"))),
    overwrite: flags.overwrite ?? false,
  };
}

/** What was built, for people. */
function summaryLines(summary: ImportSummary): string[] {
  const { data, dataSfc, fields, levels, fieldsSfc } = summary;
  const lines = [`${summary.path}: ${summary.megabytes.toFixed(1)} MB of values, ${summary.first} to ${summary.last}`];
  if (data) {
    lines.push(
      `  data      [time, field, level, lat, lon] = [${data.join(", ")}]: ${fields.join(", ")} on ${levels.join(", ")}`,
    );
  }
  if (dataSfc) lines.push(`  data_sfc  [time, field_sfc, lat, lon] = [${dataSfc.join(", ")}]: ${fieldsSfc.join(", ")}`);
  lines.push(`  grid      ${summary.res.join(" x ")} degrees, ${summary.isGlobal ? "global" : "regional"}`);
  for (const [name, steps] of Object.entries(summary.filled))
    lines.push(`  filled    ${name}: time steps ${steps.join(", ")}`);
  for (const [name, share] of Object.entries(summary.missing)) {
    lines.push(
      `  missing   ${name}: ${(share * 100).toPrecision(3)} % of the values are NaN; train with "missing_values": "skip"`,
    );
  }
  for (const text of summary.notes) lines.push(`  note      ${text}`);
  for (const { file, name, why } of summary.leftOut) lines.push(`  left out  ${name} of ${file}: ${why}`);
  return lines;
}

function box(text: string): Box {
  const sides = numbers(text);
  if (sides.length !== 4) throw new InvalidArgumentError("expected four numbers: North, West, South, East");
  const [north, west, south, east] = sides;
  if (!(north > south)) throw new InvalidArgumentError("North must lie above South");
  return { north, west, south, east };
}

function pair(text: string, where: string, expected: string): [string, string] {
  const at = text.indexOf("=");
  if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
  throw new AtmorepError("usage", `not of the form ${expected}`, { where, found: text, expected });
}
