/** An import as work cut into units. */

import { AtmorepError } from "../../errors.js";
import type { Kind } from "../building/types.js";
import { ChunkCache, PARTS_BYTES } from "./cache.js";
import { finishImport, type ImportLayout } from "./finish.js";
import type { Box } from "./grid.js";
import { type Layout, unitsOf } from "./layout.js";
import { openInput } from "./open.js";
import type { Combine } from "./overlap.js";
import { type ImportPlan, planImport } from "./plan.js";
import { choosePieces, type FieldPiece, type FieldRequest, isFile } from "./request.js";
import type { InputFile } from "./types.js";
import { importUnit, type UnitOptions, type UnitResult } from "./unit.js";

/** What is read, and what of it. */
export interface PlanRequest {
  paths: readonly string[];
  fields: FieldRequest[];
  fieldsSfc: FieldRequest[];
  levels: number[] | null;
  box: Box | null;
  dates: [bigint, bigint] | null;
  combine: Combine;
  units: Record<string, string>;
}

export interface OpenPlan {
  files: InputFile[];
  pieces: FieldPiece[];
  plan: ImportPlan;
  /** the request, every source by the name that means what is open for good: what workers must read too */
  pinned: PlanRequest;
  close(): Promise<void>;
}

/** Opens the files and plans. @throws AtmorepError (usage or input) if they make no store */
export async function openPlan(
  request: PlanRequest,
  { cacheBytes = PARTS_BYTES, session }: { cacheBytes?: number; session: string },
): Promise<OpenPlan> {
  const files: InputFile[] = [];
  const close = async () => {
    for (const file of files) await file.close();
  };
  try {
    const paths = allPaths(request.paths, [...request.fields, ...request.fieldsSfc]);
    const parts = new ChunkCache<ArrayBufferView>(cacheBytes);
    for (const path of paths) files.push(await openInput(path, { parts, session }));
    const pinned = pinnedRequest(request, paths, files);
    const pieces = choosePieces(files, pinned.fields, pinned.fieldsSfc);
    return { files, pieces, plan: planImport(pieces, request), pinned, close };
  } catch (error) {
    await close();
    throw error;
  }
}

function pinnedRequest(request: PlanRequest, paths: readonly string[], files: readonly InputFile[]): PlanRequest {
  const names = new Map(paths.map((path, i) => [path, files[i].pinned ?? path]));
  const pin = (field: FieldRequest) => ({ ...field, file: field.file && (names.get(field.file) ?? field.file) });
  const { fields, fieldsSfc } = request;
  return { ...request, paths: [...names.values()], fields: fields.map(pin), fieldsSfc: fieldsSfc.map(pin) };
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

/** The same as JSON holds it. */
export interface ImportSetup {
  /** what is read over http must agree among all workers */
  session: string;
  request: Omit<PlanRequest, "dates"> & { dates: [string, string] | null };
  options: Omit<UnitOptions, "normUntil"> & { normUntil: string | null };
  layout: Layout;
}

export function setupOf(request: PlanRequest, options: UnitOptions, layout: Layout, session: string): ImportSetup {
  const { dates } = request;
  return {
    session,
    request: { ...request, dates: dates && [String(dates[0]), String(dates[1])] },
    options: { ...options, normUntil: options.normUntil === null ? null : String(options.normUntil) },
    layout,
  };
}

export const IMPORT: Kind<ImportSetup, ImportLayout, UnitResult> = {
  async open({ session, request, options: given, layout }, cacheBytes) {
    const { dates } = request;
    const options = { ...given, normUntil: given.normUntil === null ? null : BigInt(given.normUntil) };
    const opened = await openPlan(
      { ...request, dates: dates && [BigInt(dates[0]), BigInt(dates[1])] },
      { cacheBytes, session },
    );
    const units = unitsOf(opened.plan, layout);
    return {
      work: (unit, tools) => importUnit(opened.plan, layout, units[unit], options, tools),
      close: opened.close,
    };
  },
  finish: finishImport,
};
