/** Building a store from NetCDF, GRIB or another Zarr layout. */
import { randomUUID } from "node:crypto";
import { existsSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { AtmorepError } from "../../errors.js";
import { cleanLeftovers } from "../../formats/atomic.js";
import { build } from "../building/build.js";
import { nameOf, factsOf as sourceFacts } from "../building/sources.js";
import { settleFirst } from "../building/together.js";
import type { BuildOptions, Request } from "../building/types.js";
import type { Shapes } from "../info/chooseChunks.js";
import { openLayout } from "../store.js";
import { assertSpan, calendarOf, formatTime, toSeconds } from "../time.js";
import { mostOf } from "../zarr/array.js";
import type { Compressor } from "../zarr/write.js";
import { type Filled, type ImportLayout, writtenOf } from "./finish.js";
import type { Box } from "./grid.js";
import { type OpenPlan, openPlan, type PlanRequest, setupOf } from "./job.js";
import { bytesOf, type Chunks, factsOf, layoutOf, unitsOf } from "./layout.js";
import type { Combine } from "./overlap.js";
import type { ImportPlan } from "./plan.js";
import type { FieldPiece, FieldRequest } from "./request.js";
import type { InputFile } from "./types.js";
import type { UnitResult } from "./unit.js";

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
  /** time steps a chunk, where `chunks` does not say it */
  timeChunk: number;
  /** extents of a chunk; a function chooses them for what is planned. Null: all fields, levels and places of a step */
  chunks: Chunks | ((shapes: Shapes) => Chunks) | null;
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
  chunks: null,
  compressor: "none",
  missing: "keep",
  combine: null,
  units: {},
  attrs: {},
  overwrite: false,
};

export interface ImportSummary {
  path: string;
  /** the folder of what is done, if parts are still to come: `atmorep data finalise` ends the work */
  unfinished: string | null;
  /** format of each file read */
  files: { path: string; format: string }[];
  /** [time, field, level, lat, lon] */
  data: number[] | null;
  /** likewise, of a chunk */
  chunks: { data: number[] | null; data_sfc: number[] | null };
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
 * precision, brought to the store's units and written as float32; latitudes run from North to South, longitudes are
 * contiguous also across the Greenwich meridian. The bytes do not depend on the number of workers or parts, and memory not
 * on the length of the files. The store appears whole at the end; until then what is done stands in `OUT.unfinished`, which
 * the next call of the same request goes on from.
 * @param paths NetCDF-3, NetCDF-4, GRIB (edition 1 or 2), or Zarr groups; several files may continue one another in time
 * @param out a folder, or a file that ends in `.zip`
 * @throws AtmorepError (usage or input) if the files make no store; as `build`
 */
export async function importStore(
  paths: readonly string[],
  out: string,
  options: Partial<ImportOptions> & BuildOptions = {},
): Promise<ImportSummary> {
  const o = { ...IMPORT_DEFAULTS, ...options };
  await settleFirst(out, options);
  await checkTarget(out, o.overwrite);
  const { fields, fieldsSfc, levels, box, dates, combine, units } = o;
  const wanted: PlanRequest = { paths, fields, fieldsSfc, levels, box, dates, combine, units };
  const session = randomUUID();
  const opened = await openPlan(wanted, { session });
  let request: Request;
  let layout: ImportLayout;
  try {
    const { plan, files } = opened;
    const where = files.map(({ path }) => path).join(", ");
    assertSpan(calendarOf(plan.times), plan.times, where);
    toSeconds(plan.times, `${where}: time`);
    checkNormalization(plan, o.normUntil);
    await cleanLeftovers(dirname(resolve(out)));
    layout = importLayout(plan, o);
    request = requestOf(out, opened, layout, { ...o, session });
  } finally {
    // Workers open them for themselves.
    await opened.close();
  }
  const built = await build(request, options);
  const written = built.results ? writtenOf(layout, built.results as UnitResult[]) : { filled: {}, missing: {} };
  const facts = summary(out, opened.files, opened.plan, layout, written);
  return { ...facts, unfinished: built.unfinished, leftOut: leftOut(opened.files, opened.pieces) };
}

function importLayout(plan: ImportPlan, o: ImportOptions): ImportLayout {
  const { times, grid, fields, levels, fieldsSfc, units } = plan;
  const chunks = typeof o.chunks === "function" ? o.chunks(shapesOf(plan)) : o.chunks;
  const size = [grid.lats.length, grid.lons.length] as const;
  const sizes = {
    times: times.length,
    fields: fields.length,
    levels: levels.length,
    fieldsSfc: fieldsSfc.length,
    grid: size,
  };
  const used = times.filter((ns) => o.normUntil === null || ns < o.normUntil);
  const text = (ns: bigint) => formatTime(ns).padEnd(19, ":00");
  const { month } = calendarOf(times);
  return {
    ...layoutOf(sizes, chunks, o.timeChunk, o.compressor),
    seconds: Array.from(toSeconds(times, "time"), Number),
    months: (Math.floor(month[month.length - 1] / 12) + 1) * 12,
    lats: Array.from(grid.lats),
    lons: Array.from(grid.lons),
    fields,
    levels,
    fieldsSfc,
    before: {
      fields,
      fields_sfc: fieldsSfc,
      levels,
      res: grid.res,
      is_global: grid.isGlobal ? 1 : 0,
      ...(o.normUntil === null ? {} : { normalization_period: [text(used[0]), text(used[used.length - 1])] }),
    },
    after: { ...(Object.keys(units).length > 0 ? { units } : {}), ...o.attrs },
  };
}

/** The store that will be, with the axes that it will have. */
function shapesOf({ times, grid, fields, levels, fieldsSfc }: ImportPlan): Shapes {
  const axis = (values: Float64Array) => Float64Array.from(Float32Array.from(values));
  const own = { fields, levels, fieldsSfc, times, res: grid.res, isGlobal: grid.isGlobal };
  const axes = { lats: axis(grid.lats), lons: axis(grid.lons), calendar: calendarOf(times) };
  return { ...own, ...axes, filled: new Map(), location: "the store" };
}

function requestOf(
  out: string,
  { plan, files, pinned }: OpenPlan,
  layout: ImportLayout,
  { fillSteps, normUntil, missing, attrs, overwrite, session }: ImportOptions & { session: string },
): Request {
  const { data, data_sfc, compressor, asked } = layout;
  const setup = setupOf(pinned, { fillSteps, normUntil, missing }, { data, data_sfc, compressor, asked }, session);
  const { paths: _, fields, fieldsSfc, ...request } = setup.request;
  const named = (all: readonly FieldRequest[]) => all.map((own) => ({ ...own, file: own.file && nameOf(own.file) }));
  const units = unitsOf(plan, layout);
  const zipped = files.find((file) => file.unpacked);
  return {
    kind: "import",
    command: "data import",
    out,
    replace: overwrite,
    setup,
    layout,
    place: "",
    asked: {
      fields: named(fields),
      fieldsSfc: named(fieldsSfc),
      ...request,
      ...setup.options,
      chunks: data,
      "chunks of data_sfc": data_sfc,
      compressor,
      attrs,
    },
    sources: () => Promise.all(files.map(({ path, digest }) => sourceFacts(path, digest ?? null))),
    units: units.map((unit) => factsOf(unit, plan)),
    unitBytes: mostOf(units, (unit) => bytesOf(unit, plan, layout, fillSteps)),
    smaller: asked
      ? "Give more memory, or smaller --chunks"
      : "Give more memory, or cut the store into smaller chunks: --chunks auto --config FILE, or --chunks time=1,field=1,level=1",
    alone: zipped ? `${zipped.path} must be unpacked to be read; unpack it first to have more` : null,
  };
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
  layout: ImportLayout,
  { filled, missing }: Pick<ImportSummary, "filled" | "missing">,
): Omit<ImportSummary, "leftOut" | "unfinished"> {
  const { times, fields, levels, fieldsSfc, grid, units, channels } = plan;
  const size = [grid.lats.length, grid.lons.length];
  return {
    path,
    files: files.map(({ path: own, format }) => ({ path: own, format })),
    data: fields.length > 0 ? [times.length, fields.length, levels.length, ...size] : null,
    dataSfc: fieldsSfc.length > 0 ? [times.length, fieldsSfc.length, ...size] : null,
    chunks: { data: layout.data, data_sfc: layout.data_sfc },
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
