/** The description of a store for people: about a screen. */
import type { StoreFit } from "../../checks/fit.js";
import { formatFault } from "../../config/faults.js";
import { gapLine } from "../../data/gaps.js";
import type { FieldInfo, Place, StoreInfo } from "../../data/info/info.js";
import type { ArrayStorage } from "../../data/info/storage.js";
import type { Verification } from "../../data/info/verifyStore.js";
import { displayUnit } from "../../data/units.js";
import { formatTable } from "../output.js";

/** rows of the table of values; beyond that one for all levels of a field */
const MOST_ROWS = 16;
/** lines of one kind: gaps, missing values, outliers, faults */
const MOST_LINES = 3;
const MOST_FAULTS = 10;

const degrees = (n: number) => String(Number(n.toFixed(4)));
const megabytes = (bytes: number) => `${(bytes / 1e6).toLocaleString("en-US", { maximumSignificantDigits: 3 })} MB`;
const percent = (share: number) => `${Number((100 * share).toPrecision(2))} %`;
const line = (name: string, text: string) => `  ${name.padEnd(10)} ${text}`;
const levelName = ({ level }: { level: number }) => (level === 0 ? "surface" : String(level));

/** The first of some lines, and how many more there are. */
function some(lines: readonly string[], most: number, name: string): string[] {
  const more = lines.length - most;
  return more > 0 ? [...lines.slice(0, most), line(name, `${more} more (--json lists them)`)] : [...lines];
}

export function infoLines(info: StoreInfo): string[] {
  const { times, grid, normalization, values } = info;
  const lines = [
    `${info.location} (Zarr format ${info.format})`,
    line(
      "fields",
      `${info.fields.join(", ") || "none"}${info.levels.length ? ` on levels ${info.levels.join(", ")}` : ""}`,
    ),
    line("surface", info.fieldsSfc.join(", ") || "none"),
    line(
      "times",
      `${times.count}, ${times.first} to ${times.last}, every ${times.stepHours} h (stored as ${times.unit})`,
    ),
    ...gapLines(times),
    line(
      "grid",
      `${grid.rows} x ${grid.columns} points, ${grid.res.map(degrees).join(" x ")} degrees, ${grid.isGlobal ? "global" : "regional"}: latitude ${degrees(grid.north)} to ${degrees(grid.south)}, longitude ${degrees(grid.west)} to ${degrees(grid.east)}`,
    ),
    ...info.storage.map(storageLine),
    line(
      "normalised",
      `${[normalization.global && "global", normalization.local && "local"].filter(Boolean).join(" and ") || "no: run data normalize"}${normalization.period ? `, from ${normalization.period.join(" to ")}` : ""}${normalization.calendarMonthsOf ? `, by calendar month (${normalization.calendarMonthsOf.join(" ")})` : ""}`,
    ),
  ];
  const { missingMonths } = normalization;
  if (normalization.global && missingMonths.length > 0) {
    const more = missingMonths.length - 6;
    const named = missingMonths.slice(0, 6).join(", ");
    lines.push(line("warning", `no valid normalisation for ${named}${more > 0 ? ` and ${more} more months` : ""}`));
  }
  for (const key of ["source", "licence", "synthetic"]) {
    if (typeof info.attrs[key] === "string") lines.push(line(key, info.attrs[key]));
  }
  return values ? [...lines, ...valueLines(info, values)] : lines;
}

function gapLines({ gaps, cubes, stepHours }: StoreInfo["times"]): string[] {
  const hours = ([before, after]: [string, string]) => (Date.parse(`${after}Z`) - Date.parse(`${before}Z`)) / 3.6e6;
  const length = (h: number) => (h >= 48 ? `${Number((h / 24).toFixed(1))} days` : `${Number(h.toFixed(2))} h`);
  const crossing = `${cubes.acrossGaps} of ${cubes.cubes} cubes of ${cubes.steps} steps would cross a gap`;
  if (gaps.length === 0) return [line("gaps", `none; ${crossing}`)];
  const longest = Math.max(...gaps.map(hours));
  return [
    line("gaps", `${gaps.length}, the longest ${length(longest)}; ${crossing} and are left out`),
    ...some(
      gaps.map((gap) => {
        const h = hours(gap);
        return line("gap", `${gap.join(" to ")} (${length(h)}${h < stepHours ? ", shorter than the step" : ""})`);
      }),
      MOST_LINES,
      "gap",
    ),
  ];
}

function storageLine(array: ArrayStorage): string {
  const { files, absentFiles: absent, storedBytes: stored, ratio, shard } = array;
  const kind = shard ? "shards" : "files";
  const about = array.filesLookedAt !== null && array.filesLookedAt < files ? "about " : "";
  const count = `${files} ${kind}${absent === null ? "" : `, ${absent === 0 ? "none absent" : `${about}${absent} absent (read as ${String(array.fillValue)})`}`}`;
  const size =
    stored === null
      ? megabytes(array.decodedBytes)
      : `${about}${megabytes(stored)} of ${megabytes(array.decodedBytes)}${ratio === null ? "" : ` (ratio ${ratio.toPrecision(2)})`}`;
  const chunks = `${array.chunkShape.join(" x ")} (${megabytes(array.chunkBytes)})`;
  const inShards = shard ? `, ${shard.reduce((a, b) => a * b, 1)} a shard` : "";
  return line(array.name, `${array.dtype}, chunks ${chunks}${inShards}, codec ${array.codec}; ${count}; ${size}`);
}

const SI: Readonly<Record<string, string>> = { hPa: "Pa", "g/kg": "kg/kg", mm: "m", "1e-5/s": "1/s" };

/** The stored unit, in brackets where the store does not say it and the name alone suggests it. */
function unitText({ name, unit }: FieldInfo): string {
  if (unit !== null) return unit;
  const { unit: shown } = displayUnit(name);
  return shown === "" ? "-" : `(${SI[shown] ?? shown})`;
}

function valueLines({ scanned }: StoreInfo, values: readonly FieldInfo[]): string[] {
  const grouped = values.length > MOST_ROWS ? byField(values) : values.map((v) => ({ ...v, text: levelName(v) }));
  const rows = grouped.map((v) => [
    `  ${v.name}`,
    v.text,
    ...[v.min, v.mean, v.max].map((n) => (Number.isFinite(n) ? n.toPrecision(4) : "-")),
    v.missing ? `${v.missing} in ${v.missingSteps} steps` : "0",
    v.filledSteps.length > 4 ? `${v.filledSteps.length} steps` : v.filledSteps.join(" ") || "none",
    unitText(v),
  ]);
  const header = ["  field", "level", "min", "mean", "max", "missing", "filled steps", "unit"];
  const lines = ["", ...formatTable([header, ...rows], [1, 2, 3, 4])];
  if (scanned && scanned.steps < scanned.of) {
    lines.push(line("values", `of ${scanned.steps} of ${scanned.of} steps; --verify reads all`));
  }
  const missing = values.filter((v) => v.missing > 0);
  const missingLines = missing.map((v) =>
    line(
      "missing",
      `${v.name} ${levelName(v)}: ${percent(v.missing / v.values)} of its values (NaN), ${v.missingSpan?.join(" to ")}`,
    ),
  );
  lines.push(...some(missingLines, MOST_LINES, "missing"));
  const odd = values.filter((v) => v.infinite > 0);
  lines.push(
    ...odd.map((v) => line("infinite", `${v.name} ${levelName(v)}: ${v.infinite} values`)).slice(0, MOST_LINES),
  );
  const outliers = values.flatMap((v) => (v.outliers ? [{ ...v, outliers: v.outliers }] : []));
  const outlierLines = outliers.map((v) =>
    line("outliers", `${v.name} ${levelName(v)}: ${v.outliers.count}, such as ${placeText(v.outliers.example)}`),
  );
  return [...lines, ...some(outlierLines, MOST_LINES, "outliers")];
}

const placeText = ({ value, time, lat, lon }: Place) =>
  `${value.toPrecision(4)} at ${time}, latitude ${degrees(lat)}, longitude ${degrees(lon)}`;

/** One row for all levels of a field. */
function byField(values: readonly FieldInfo[]): (FieldInfo & { text: string })[] {
  const names = [...new Set(values.map(({ name, level }) => `${name} ${level === 0}`))];
  return names.map((key) => {
    const own = values.filter(({ name, level }) => `${name} ${level === 0}` === key);
    const total = (of: (v: FieldInfo) => number) => own.reduce((sum, v) => sum + of(v), 0);
    return {
      ...own[0],
      text: own.length > 1 ? `${own.length} levels` : levelName(own[0]),
      min: Math.min(...own.map(({ min }) => min)),
      max: Math.max(...own.map(({ max }) => max)),
      mean: total(({ mean }) => mean) / own.length,
      missing: total(({ missing }) => missing),
      missingSteps: Math.max(...own.map(({ missingSteps }) => missingSteps)),
      filledSteps: [...new Set(own.flatMap(({ filledSteps }) => filledSteps))],
    };
  });
}

/** What `--config` adds. */
export function fitLines(name: string, { faults, draws, batch }: StoreFit): string[] {
  const lines = ["", `configuration ${name}`];
  if (faults.length > 0) {
    const told = faults.map((fault) => `    ${formatFault(fault)}`);
    const more = told.length - MOST_FAULTS;
    lines.push(line("fits", `no: ${faults.length} ${faults.length === 1 ? "fault" : "faults"}`));
    return [...lines, ...told.slice(0, MOST_FAULTS), ...(more > 0 ? [`    ${more} more`] : [])];
  }
  lines.push(line("fits", "yes: window, levels, fields and dates"));
  for (const [split, { times, places, batchesPerEpoch }] of Object.entries(draws)) {
    lines.push(line(split, `${times} times, ${places} places, ${batchesPerEpoch} batches an epoch`));
  }
  lines.push(line("gaps", gapLine({ train: draws.train, validate: draws.validate, test: draws.test })));
  if (!batch) return lines;
  const read = batch.storedBytes === null ? "" : `, ${megabytes(batch.storedBytes)} on disk`;
  const cost = `${megabytes(batch.usedBytes)} of values from ${megabytes(batch.decodedBytes)} decoded${read}`;
  return [...lines, line("a batch", `${cost}: ${batch.decodedPerUsed.toPrecision(3)} bytes decoded per byte used`)];
}

/** What `--verify` adds. */
export function verificationLines({ faults, faultCount }: Verification): string[] {
  if (faultCount === 0) return ["", "verified: every chunk decodes and every value is finite"];
  const more = faultCount - Math.min(faults.length, MOST_FAULTS);
  return [
    "",
    `verified: ${faultCount} ${faultCount === 1 ? "fault" : "faults"}`,
    ...faults.slice(0, MOST_FAULTS).map((fault) => `  ${fault}`),
    ...(more > 0 ? [`  ${more} more${faultCount <= faults.length ? " (--json lists them)" : ""}`] : []),
  ];
}
