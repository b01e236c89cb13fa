/** Opening a source of another layout as a store: a view, which reads when values are asked for and writes nothing. */
import { createHash } from "node:crypto";
import { open, stat } from "node:fs/promises";
import { dirname, isAbsolute, relative, resolve } from "node:path";
import { isPattern, isUrl } from "../../config/resolve.js";
import { AtmorepError } from "../../errors.js";
import { SharedChunks } from "../cache/sharedChunks.js";
import { ChunkCache, PARTS_BYTES } from "../import/cache.js";
import { openInput } from "../import/open.js";
import type { InputFile } from "../import/types.js";
import { holdsZarr } from "../import/zipped.js";
import { REQUESTS_AT_ONCE, splitAddress } from "../source/index.js";
import { CACHED, type Store, type StoreOptions, type View } from "../storeTypes.js";
import { calendarOf } from "../time.js";
import { viewArrays } from "./arrays.js";
import { deriveMapping } from "./derive.js";
import { expandPaths } from "./glob.js";
import { type Mapping, readMapping } from "./mapping.js";
import { planView } from "./plan.js";

/** True for names that can only be a view: a pattern, a mapping file. */
export const isViewName = (location: string): boolean =>
  !isUrl(location) && (isPattern(location) || location.toLowerCase().endsWith(".json"));

/** True for a file that is no zip archive, and for a zip archive of NetCDF and GRIB files. */
export async function isDataFile(location: string): Promise<boolean> {
  if (isUrl(location)) return false;
  const { place } = splitAddress(location);
  const info = await stat(place).catch(() => null);
  if (!info?.isFile()) return false;
  // What is named as an archive and is none is told as such.
  if (place.toLowerCase().endsWith(".zip")) return !(await holdsZarr(place));
  const handle = await open(place, "r");
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(4), 0, 4, 0);
    if (bytesRead === 0 || buffer.toString("latin1", 0, 2) !== "PK") return true;
  } finally {
    await handle.close();
  }
  return !(await holdsZarr(place));
}

interface ViewOptions extends Pick<StoreOptions, "cache" | "partsBytes"> {
  cacheBytes: number;
  session: string;
  again?: boolean;
}

/**
 * Opens a Zarr group with an array a variable, NetCDF or GRIB files, a pattern of files, or a mapping file as a store.
 * It has no normalisation. Only the variables of the mapping are read.
 * @throws AtmorepError (input) for what cannot be read, or does not fit together
 */
export async function openView(
  location: string,
  { cacheBytes, partsBytes = PARTS_BYTES, session, again, cache: given }: ViewOptions,
): Promise<Store> {
  const file = location.toLowerCase().endsWith(".json") && !isUrl(location) ? await readMapping(location) : null;
  const names = file ? (file.mapping.files ?? [file.mapping.source as string]) : [location];
  const paths = await expandPaths(names, file && dirname(location));
  const files: InputFile[] = [];
  let cache = given;
  const close = async () => {
    await cache?.close();
    for (const { close: closeFile } of files) await closeFile();
  };
  try {
    const parts = new ChunkCache<ArrayBufferView>(partsBytes);
    for (const path of paths) files.push(await openInput(path, { session, again, parts }));
    const { mapping, leftOut } = file ? { mapping: file.mapping, leftOut: [] } : derived(location, files);
    if (file) for (const { path, pinned } of files) refuseMoving(location, names, path, pinned);
    const plan = planView(files, mapping, location);
    const { grid } = plan;
    // Axes are those that import writes: float32.
    const axis = (values: Float64Array) => Float64Array.from(Float32Array.from(values));
    cache ??= new SharedChunks(cacheBytes, CACHED, names.some(isUrl) ? REQUESTS_AT_ONCE : undefined);
    return {
      fields: plan.fields,
      fieldsSfc: plan.fieldsSfc,
      levels: plan.levels,
      res: grid.res,
      isGlobal: grid.isGlobal,
      filled: new Map(),
      normalizationPeriod: null,
      attrs: Object.keys(plan.units).length > 0 ? { units: plan.units } : {},
      location: (!file && files[0].pinned) || location,
      session,
      format: null,
      view: {
        form: formOf(files),
        mapping: file ? mapping : { ...mapping, ...(plan.levels.length > 0 && { levels: plan.levels }) },
        notes: [...new Set([...files.flatMap((file) => file.notes ?? []), ...plan.notes])],
        leftOut,
        files: files.map(({ path, digest }) => ({ path, digest: digest ?? null })),
        identity: await identityOf(files, mapping),
      },
      statistics: null,
      lats: axis(grid.lats),
      lons: axis(grid.lons),
      times: plan.times,
      timeUnit: "its files say",
      calendar: calendarOf(plan.times),
      normalizationYears: null,
      normalizationAxes: plan,
      arrays: {
        ...viewArrays(plan, cache),
        global_norm: null,
        global_norm_sfc: null,
        norm: null,
        norm_sfc: null,
      },
      cache,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** A mapping names the version that it means: every thread and every later run reads it by that name. */
function refuseMoving(location: string, names: readonly string[], path: string, pinned: string | undefined): void {
  if (pinned === undefined || names.some((name) => splitAddress(name).version?.kind === "snapshot")) return;
  throw new AtmorepError("input", "the mapping names an Icechunk repository without its snapshot", {
    where: location,
    found: path,
    fix: `Name the snapshot, as the source is called now: ${pinned}`,
  });
}

function derived(location: string, files: readonly InputFile[]): { mapping: Mapping; leftOut: View["leftOut"] } {
  const { fields, surface, leftOut } = deriveMapping(files);
  if (Object.keys(fields).length + Object.keys(surface).length > 0) {
    return { mapping: { source: location, fields, surface }, leftOut };
  }
  throw new AtmorepError("input", "the store has no array data or data_sfc, and no gridded variables", {
    where: location,
    found:
      leftOut
        .map(({ name, why }) => `${name} (${why})`)
        .slice(0, 20)
        .join(", ") || "no arrays",
    expected:
      "the AtmoRep layout (the arrays data or data_sfc, time, lats, lons and the group normalization), or variables of time, (level,) latitude, longitude",
    fix: "Is it the right store? A group within one is named after #: store.zarr#group",
  });
}

function formOf(files: readonly InputFile[]): string {
  const forms = [...new Set(files.map(({ format }) => format))].join(" and ");
  return files.length === 1 ? forms : `${files.length} files (${forms})`;
}

/** Of contents and mapping: what is computed from a source is kept under this name. */
async function identityOf(files: readonly InputFile[], { source: _, files: __, ...mapping }: Mapping): Promise<string> {
  const hash = createHash("sha256").update(JSON.stringify(mapping));
  for (const { path, digest } of files) {
    const info = isUrl(path) ? null : await stat(splitAddress(path).place).catch(() => null);
    hash.update(JSON.stringify([path, digest ?? null, info?.size ?? null, info?.mtimeMs ?? null]));
  }
  return hash.digest("hex");
}

/** A mapping as it is written to a folder: what lies below that is named from there, all else by its whole path. */
export function mappingFor(mapping: Mapping, folder: string): Mapping {
  const from = (name: string) => {
    if (isUrl(name)) return name;
    const path = relative(folder, resolve(name));
    return path.startsWith("..") || isAbsolute(path) ? resolve(name) : path;
  };
  const { source, files, ...rest } = mapping;
  return { ...(source !== undefined ? { source: from(source) } : { files: files?.map(from) }), ...rest };
}
