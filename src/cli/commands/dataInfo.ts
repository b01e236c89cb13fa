/** `atmorep data info`. */
import { existsSync } from "node:fs";
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

interface InfoOptions {
  values: boolean;
  verify?: boolean;
  config?: string;
  picture?: string;
  field?: string;
  level?: number;
  time?: string;
  json?: boolean;
}

export function registerInfo(data: Command): void {
  const info = data
    .command("info")
    .argument("<store>", "folder, zip file or http address")
    .description("describes a store: fields, levels, times and gaps, grid, chunks, normalisation, values, missing ones")
    .option("--no-values", "do not read the values (ranges, missing values and outliers are left out)")
    .option("--verify", "decode every chunk and look at every value, also over http; exit code 1 if there is a fault")
    .option("--config <file|preset>", "does it fit? and what its batches cost to read; exit code 2 if it does not")
    .option("--picture <file>", "a map of one time as SVG")
    .option("--field <name>", "of the picture; without it the first")
    .option("--level <n>", "of the picture, 0 for the surface; without it the field's first", number)
    .option("--time <time>", "of the picture, ISO or the number of the step from 0; without it the first")
    .option("--json", "machine-readable output")
    .action(infoAction);
  withExamples(withOffline(info), [
    "data info assets/storm_199601.zarr",
    "data info my.zarr --verify --config storm",
    "data info assets/storm_199601.zarr --picture map.svg --field mean_sea_level_pressure --time 1996-01-08",
    "data info http://localhost:8000/era5.zarr --no-values",
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
  const [{ presets }, { locateConfig }, { resolveConfig }] = await Promise.all([
    import("../../config/presets.js"),
    import("../../config/locate.js"),
    import("../../config/resolve.js"),
  ]);
  const preset = presets().some((known) => known.name === name);
  const { config, warnings } = resolveConfig({
    ...(preset ? { preset: name } : { file: locateConfig(name) }),
    data: store,
  });
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
