/** Building a store from NetCDF, GRIB or another Zarr layout. */
import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { AtmorepError } from "../../errors.js";
import { cleanLeftovers } from "../../formats/atomic.js";
import { openLayout } from "../store.js";
import { assertSpan, calendarOf, formatTime } from "../time.js";
import { type Compressor, writeStore } from "../zarr/write.js";
import type { Box } from "./grid.js";
import { openInput } from "./open.js";
import type { Combine } from "./overlap.js";
import { type ImportPlan, planImport } from "./plan.js";
import { choosePieces, type FieldPiece, type FieldRequest, isFile } from "./request.js";
import type { InputFile } from "./types.js";
import { type Filled, type Written, writePlan } from "./write.js";

export type { Box } from "./grid.js";
export { type FieldRequest, parseFieldRequest } from "./request.js";

export interface ImportOptions {
  /** upper-air fields; without any request every gridded variable is taken */
  fields: FieldRequest[];
  fieldsSfc: FieldRequest[];
  /** levels to keep, in this order; null for those of the first field */
  levels: number[] | null;
  /** geographic degrees; null for everything */
  box: Box | null;
  /** first and last time to take, both inclusive, nanoseconds since 1970; null for all */
  dates: [bigint, bigint] | null;
  /** longest gap in time steps that is filled linearly in time; 0 for none */
  fillSteps: number;
  /** the normalisation comes from the times before this one; null for all */
  normUntil: bigint | null;
  /** time steps a chunk */
  timeChunk: number;
  compressor: Compressor;
  /** missing values: kept as NaN, or refused if any is left after filling */
  missing: "keep" | "refuse";
  /** where a field has a time twice: what is taken; null: the values must be equal */
  combine: Combine;
  /** unit of a field's values in the files, instead of what their attributes say */
  units: Record<string, string>;
  /** further root attributes, such as source and licence */
  attrs: Record<string, string>;
  /** replaces a store that is there already */
  overwrite: boolean;
  onStep?: (done: number, total: number) => void;
}

export const IMPORT_DEFAULTS: ImportOptions = {
  fields: [],
  fieldsSfc: [],
  levels: null,
  box: null,
  dates: null,
  fillSteps: 0,
  normUntil: null,
  timeChunk: 1,
  compressor: "none",
  missing: "keep",
  combine: null,
  units: {},
  attrs: {},
  overwrite: false,
};

export interface ImportSummary {
  path: string;
  /** format of each file read */
  files: { path: string; format: string }[];
  /** [time, field, level, lat, lon] */
  data: number[] | null;
  /** [time, field_sfc, lat, lon] */
  dataSfc: number[] | null;
  fields: string[];
  levels: number[];
  fieldsSfc: string[];
  first: string;
  last: string;
  res: [lat: number, lon: number];
  isGlobal: boolean;
  /** steps whose values are interpolations */
  filled: Filled;
  /** share of values that are NaN, by field, or field and level, where there are any */
  missing: Record<string, number>;
  /** variables and other parts of the files that are not in the store, and why */
  leftOut: { file: string; name: string; why: string }[];
  /** how values were read, where that is not plain: units converted, versions put together, levels left out */
  notes: string[];
  units: Record<string, string>;
  megabytes: number;
}

/**
 * Builds a store of the AtmoRep layout with its normalisation from files of one grid. Values are unpacked in double
 * precision, brought to the store's units and written as float32; latitudes run from North to South, longitudes are contiguous also across the
 * Greenwich meridian. Time steps stream through: memory does not grow with the length of the files. The store
 * appears whole at the end or not at all.
 * @param paths NetCDF-3, NetCDF-4, GRIB (edition 1 or 2), or Zarr groups; several files may continue one another in time
 * @param out a folder, or a file that ends in `.zip`
 * @throws AtmorepError (usage or input) if the files make no store; nothing is written then
 */
export async function importStore(
  paths: readonly string[],
  out: string,
  options: Partial<ImportOptions> = {},
): Promise<ImportSummary> {
  const o = { ...IMPORT_DEFAULTS, ...options };
  await checkTarget(out, o.overwrite);
  const files: InputFile[] = [];
  try {
    for (const path of allPaths(paths, [...o.fields, ...o.fieldsSfc])) files.push(await openInput(path));
    const pieces = choosePieces(files, o.fields, o.fieldsSfc);
    const plan = planImport(pieces, o);
    assertSpan(calendarOf(plan.times), plan.times, files.map(({ path }) => path).join(", "));
    checkNormalization(plan, o.normUntil);
    await cleanLeftovers(dirname(resolve(out)));
    let written: Written = { filled: {}, missing: {} };
    await writeStore(out, async (sink) => {
      written = await writePlan(sink, plan, o);
    });
    return { ...summary(out, files, plan, written), leftOut: leftOut(files, pieces) };
  } finally {
    for (const file of files) await file.close();
  }
}

/** The files named, and those that only the requests name. */
function allPaths(paths: readonly string[], requests: readonly FieldRequest[]): string[] {
  const all = [...new Set(paths)];
  for (const { file } of requests) {
    if (file !== null && !all.some((path) => isFile({ path }, file))) all.push(file);
  }
  if (all.length > 0) return all;
  throw new AtmorepError("usage", "no file to import", {
    where: "data import",
    expected: "NetCDF or GRIB files, or another Zarr layout",
  });
}

/** Only a store is ever replaced, and only if asked. */
async function checkTarget(out: string, overwrite: boolean): Promise<void> {
  if (!existsSync(out)) return;
  if (!overwrite) {
    throw new AtmorepError("usage", "there is something at this path already", {
      where: `--out ${out}`,
      fix: "Choose another path, or replace the store with --overwrite",
    });
  }
  await openLayout(out).then(
    (store) => store.close(),
    (cause) => {
      throw new AtmorepError("usage", "what is at this path is no store, so it is not replaced", {
        where: `--out ${out}`,
        cause,
      });
    },
  );
}

function checkNormalization({ times }: ImportPlan, until: bigint | null): void {
  if (until === null || times[0] < until) return;
  throw new AtmorepError("usage", "no time is left for the normalisation", {
    where: "--norm-until",
    found: formatTime(until),
    expected: `a time after ${formatTime(times[0])}`,
  });
}

/** What the files hold and the store does not. */
function leftOut(files: readonly InputFile[], pieces: readonly FieldPiece[]): ImportSummary["leftOut"] {
  const used = new Set(pieces.map(({ variable }) => variable));
  return files.flatMap((file) => [
    ...file.variables
      .filter((variable) => !used.has(variable))
      .map(({ path, name }) => ({ file: path, name, why: "not asked for with --field or --field-sfc" })),
    ...file.skipped.map(({ name, why }) => ({ file: file.path, name, why })),
  ]);
}

function summary(
  path: string,
  files: InputFile[],
  plan: ImportPlan,
  { filled, missing }: Written,
): Omit<ImportSummary, "leftOut"> {
  const { times, fields, levels, fieldsSfc, grid, units, channels } = plan;
  const size = [grid.lats.length, grid.lons.length];
  return {
    path,
    files: files.map(({ path: own, format }) => ({ path: own, format })),
    data: fields.length > 0 ? [times.length, fields.length, levels.length, ...size] : null,
    dataSfc: fieldsSfc.length > 0 ? [times.length, fieldsSfc.length, ...size] : null,
    fields,
    levels,
    fieldsSfc,
    first: formatTime(times[0]),
    last: formatTime(times[times.length - 1]),
    res: grid.res,
    isGlobal: grid.isGlobal,
    filled,
    missing,
    notes: [...files.flatMap((file) => file.notes ?? []), ...plan.notes],
    units,
    megabytes: (times.length * channels.length * size[0] * size[1] * 4) / 1e6,
  };
}
