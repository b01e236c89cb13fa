/** The shipped configurations. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { AtmorepError } from "../errors.js";
import { nearestName } from "./nearest.js";
import { type ReadConfig, readConfigFile } from "./text/files.js";

/** The folder of the package: holds `configs/` and `assets/`. */
export const PACKAGE_ROOT = fileURLToPath(new URL("../..", import.meta.url));

export interface Preset {
  name: string;
  /** one line */
  doc: string;
  file: string;
}

const DOCS = {
  storm: "January 1996 storm, real data shipped with the package: 18 hours hidden, trains in about two minutes",
  waves: "made-up travelling waves (atmorep data sample): for scaling, benchmarks and tests",
  "era5-slice": "one day of ERA5 wind and humidity on five model levels: a check of input, levels and files",
  "wb2-64x32":
    "ERA5 of WeatherBench 2 at 5.6 degrees from its public address: temperature, pressure and wind at the surface, coupled",
  "arco-model-levels":
    "wind on two model levels of ARCO-ERA5 at 0.25 degrees from its public address: 150 MB decoded for an hour",
  single: "the reference's single-field run: velocity_u on five model levels, width 1024",
  coupled: "multi with total precipitation as the sixth field, with levels and tokens of its own",
  "storm-day":
    "the storm with a day hidden, in tokens of three steps: loses to linear interpolation, and docs/skill.md says why",
  "coupled-storm": "four coupled fields of the storm: wind at 500 hPa, surface temperature, mean sea level pressure",
  "coupled-era5-slice": "wind, humidity and precipitation of one day of ERA5, coupled",
  multi: "the reference's coupled run of five fields, each from its own pre-trained run",
} as const;

export type PresetName = keyof typeof DOCS;

/** The presets, with the default first. */
export function presets(): Preset[] {
  return Object.entries(DOCS).map(([name, doc]) => ({
    name,
    doc,
    file: join(PACKAGE_ROOT, "configs", `${name}.json`),
  }));
}

/**
 * Reads a preset by name.
 *
 * @throws AtmorepError `usage` for an unknown name
 */
export function readPreset(name: string): ReadConfig {
  const preset = presets().find((candidate) => candidate.name === name);
  if (preset) return readConfigFile(preset.file);
  const nearest = nearestName(name, Object.keys(DOCS));
  throw new AtmorepError("usage", "unknown preset", {
    where: "--preset",
    found: name,
    expected: Object.keys(DOCS).join(", "),
    fix: nearest ? `Did you mean ${nearest}?` : "Choose one of these",
  });
}
