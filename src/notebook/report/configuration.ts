/** A run's configuration beside the preset that it is closest to, and beside another run's. */
import { diffConfigs } from "../../config/diff.js";
import { presets } from "../../config/presets.js";
import { resolveConfig } from "../../config/resolve.js";
import type { RunConfig } from "../../config/types.js";
import { differences, OWN_OF_A_RUN } from "../../runs/compare.js";
import { readRun } from "../../runs/list.js";
import { configTable } from "../tables.js";
import { aside, folded, orWhyNot, paragraph } from "./html.js";
import { tablePart } from "./table.js";

/** @param against id of another run, if asked for */
export async function configurationPart(
  id: string,
  config: RunConfig,
  out: string,
  against: string | undefined,
): Promise<string> {
  const preset = closestPreset(config);
  const table = configTable(config, { preset });
  const rows = table.rows.filter(([key]) => !OWN_OF_A_RUN.has(String(key)));
  const all = configTable(config, { preset, all: true });
  return [
    aside(`Beside the preset that it is closest to, ${preset}.`),
    rows.length > 0
      ? tablePart({ ...table, rows, title: `Keys that differ from the preset ${preset}`, caption: undefined })
      : paragraph("No key differs from it."),
    ...(against === undefined ? [] : [await orWhyNot(() => againstPart(id, out, against))]),
    folded("Every key", tablePart({ ...all, title: "Every key", caption: undefined })),
  ].join("\n");
}

/** The preset with the fewest keys that differ. */
function closestPreset(config: RunConfig): string {
  const counted = presets().map(({ name }) => {
    const keys = diffConfigs(resolveConfig({ preset: name }).config, config).map(({ path }) => path.split("[")[0]);
    return { name, count: new Set(keys).size };
  });
  return counted.reduce((a, b) => (b.count < a.count ? b : a)).name;
}

async function againstPart(id: string, out: string, against: string): Promise<string> {
  const runs = await Promise.all([id, against].map((one) => readRun(out, one)));
  const found = differences(runs.map(({ config }) => config));
  if (found.length === 0) return paragraph(`Its configuration is that of run ${against}.`);
  return tablePart(differencesTable([id, against], found));
}

/** A row a key, a column a run. */
export const differencesTable = (
  ids: readonly string[],
  found: readonly { path: string; values: readonly unknown[] }[],
) => ({
  title: `Keys that differ between runs ${ids.join(", ")}`,
  columns: ["key", ...ids],
  rows: found.map(({ path, values }) => [path, ...values.map((value) => JSON.stringify(value) ?? "absent")]),
});
