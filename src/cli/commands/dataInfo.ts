/** `atmorep data info`. */
import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import type { Command } from "commander";
import type { StoreFit } from "../../checks/fit.js";
import type { StoreInfo } from "../../data/info/info.js";
import type { Verification } from "../../data/info/verifyStore.js";
import type { Store } from "../../data/store.js";
import { AtmorepError, isAtmorepError } from "../../errors.js";
import { withOffline } from "../offline.js";
import { note, print, printJson, withExamples } from "../output.js";
import { fitLines, infoLines, verificationLines } from "./dataInfoLines.js";
import { number } from "./dataOptions.js";
import { namedConfig } from "./namedConfig.js";

interface InfoOptions {
  values: boolean;
  verify?: boolean;
  config?: string;
  picture?: string;
  field?: string;
  level?: number;
  time?: string;
  map?: string | true;
  json?: boolean;
}

export function registerInfo(data: Command): void {
  const info = data
    .command("info")
    .argument("<store>", "folder, zip file, http address (#GROUP within one), files by a pattern, or a mapping file")
    .description("describes a store: fields, levels, times and gaps, grid, chunks, normalisation, values, missing ones")
    .option("--no-values", "do not read the values (ranges, missing values and outliers are left out)")
    .option("--verify", "decode every chunk and look at every value, also over http; exit code 1 if there is a fault")
    .option("--config <file|preset>", "does it fit? and what its batches cost to read; exit code 2 if it does not")
    .option("--picture <file>", "a map of one time as SVG")
    .option("--field <name>", "of the picture; without it the first")
    .option("--level <n>", "of the picture, 0 for the surface; without it the field's first", number)
    .option("--time <time>", "of the picture, ISO or the number of the step from 0; without it the first")
    .option(
      "--map [file]",
      "of a source without import: show which variables are which fields, or write that to a file",
    )
    .option("--json", "machine-readable output")
    .action(infoAction);
  withExamples(withOffline(info), [
    "data info assets/storm_199601.zarr",
    "data info my.zarr --verify --config storm",
    "data info assets/storm_199601.zarr --picture map.svg --field mean_sea_level_pressure --time 1996-01-08",
    "data info http://localhost:8000/era5.zarr --no-values",
    "data info 'era5/*.nc' --map era5.json",
  ]);
}

async function infoAction(location: string, options: InfoOptions): Promise<void> {
  checkPicture(options);
  const [{ openStore }, { describeStore }] = await Promise.all([
    import("../../data/store.js"),
    import("../../data/info/info.js"),
  ]);
  const config = options.config === undefined ? null : await readConfig(options.config, location);
  const store = await openStore(await placeOf(location));
  try {
    if (options.map !== undefined) return await writeMap(store, options.map);
    const verified = options.verify ? await verify(store, config?.missing_values) : null;
    const info = await describeStore(store, verified?.scan ?? options.values);
    const fit = config && (await import("../../checks/fit.js")).fitToStore(config, store, info.storage);
    if (options.picture !== undefined) await draw(store, options.picture, options);
    if (verified && verified.faultCount > 0) process.exitCode = 1;
    else if (fit && fit.faults.length > 0) process.exitCode = 2;
    if (options.json) return printJson({ ...info, ...(fit && { config: fit }), ...verifiedJson(verified) });
    printAll(info, options.config, fit, verified);
    if (options.picture !== undefined) note(`picture: ${options.picture}`);
  } finally {
    await store.close();
  }
}

/** Shows the mapping of a view, or writes it. */
async function writeMap({ view, location }: Store, file: string | true): Promise<void> {
  if (!view) {
    throw new AtmorepError("usage", "a store of the AtmoRep layout needs no mapping", {
      where: "--map",
      found: location,
      expected: "a Zarr group of another layout, or NetCDF or GRIB files",
    });
  }
  const [{ mappingFor }, { writeFileAtomic }] = await Promise.all([
    import("../../data/foreign/open.js"),
    import("../../formats/atomic.js"),
  ]);
  const mapping = mappingFor(view.mapping, file === true ? process.cwd() : dirname(resolve(file)));
  const text = JSON.stringify(mapping, null, 2);
  if (file === true) print(text);
  else {
    if (existsSync(file)) {
      throw new AtmorepError("usage", "there is something at this path already", { where: `--map ${file}` });
    }
    await writeFileAtomic(file, `${text}\n`);
    note(`mapping: ${file}; use it with --data ${file}`);
  }
  for (const { name, why } of view.leftOut) note(`left out: ${name}: ${why}`);
}

function printAll(
  info: StoreInfo,
  name: string | undefined,
  fit: StoreFit | null,
  verified: Verification | null,
): void {
  const lines = [...infoLines(info), ...(fit && name ? fitLines(name, fit) : [])];
  for (const line of [...lines, ...(verified ? verificationLines(verified) : [])]) print(line);
}

const verifiedJson = (verified: Verification | null) =>
  verified && { verified: { faults: verified.faults, faultCount: verified.faultCount } };

async function verify(store: Store, missing: "error" | "skip" | undefined): Promise<Verification> {
  const { verifyStore } = await import("../../data/info/verifyStore.js");
  return verifyStore(store, missing);
}

/** What `--data` takes: also the path of a sample that came with the program. */
async function placeOf(location: string): Promise<string> {
  if (existsSync(location)) return location;
  const { resolveStorePath } = await import("../../config/resolve.js");
  try {
    return resolveStorePath(location);
  } catch (error) {
    if (!isAtmorepError(error)) throw error;
    return location;
  }
}

async function readConfig(name: string, store: string) {
  const { config, warnings } = await namedConfig(name, { data: store });
  for (const warning of warnings) note(`warning: ${warning}`);
  return config;
}

function checkPicture({ picture, field, level, time }: InfoOptions): void {
  const chosen = Object.entries({ "--field": field, "--level": level, "--time": time });
  const stray = chosen.find(([, value]) => value !== undefined);
  if (picture === undefined && stray) {
    throw new AtmorepError("usage", "says which picture, but no picture is asked for", {
      where: stray[0],
      fix: "--picture map.svg",
    });
  }
  if (picture !== undefined && !picture.toLowerCase().endsWith(".svg")) {
    throw new AtmorepError("usage", "pictures are written as SVG", {
      where: "--picture",
      found: picture,
      expected: "a file name that ends in .svg",
    });
  }
}

async function draw(store: Store, file: string, { field, level, time = "0" }: InfoOptions): Promise<void> {
  const [{ storeGrid }, { mapFigure }, { svgFigure }, { writeFileAtomic }] = await Promise.all([
    import("../../notebook/grids.js"),
    import("../../notebook/views/maps.js"),
    import("../../notebook/figure/svg.js"),
    import("../../formats/atomic.js"),
  ]);
  const name = field ?? store.fields[0] ?? store.fieldsSfc[0];
  const at = level ?? (store.fields.includes(name) ? store.levels[0] : 0);
  const grid = await storeGrid(store, name, at, /^\d+$/.test(time) ? Number(time) : time);
  await writeFileAtomic(file, await svgFigure(mapFigure(grid)));
}
