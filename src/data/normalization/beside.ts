/**
 * A normalisation that stands beside its source: a small Zarr with the axes of a store, the group `normalization` by
 * calendar month, and no data.
 */

import { AtmorepError } from "../../errors.js";
import { readNormalizationYears } from "../attributes.js";
import { factsOf, requireUnchanged } from "../building/sources.js";
import type { Request, SourceFacts, UnitTools } from "../building/types.js";
import { type LevelSource, levelSource } from "../fields.js";
import { openSource } from "../source/index.js";
import { CACHED, type Store } from "../storeTypes.js";
import { formatTime } from "../time.js";
import { readValues, wholeWindow } from "../values.js";
import { mostOf, openArray, product, readAll } from "../zarr/array.js";
import { openMetadata } from "../zarr/metadata.js";
import {
  chunkWriter,
  type StoreSink,
  writeArrayMetadata,
  writeGroup,
  writeSmallArray,
  writeStore,
} from "../zarr/write.js";
import { globalNumbers, type MonthlyNumbers, storable } from "./globals.js";
import { MonthAccumulator } from "./statistics.js";

const MONTHS = 12;
/** Planes that are read at once: over http each waits for an answer. */
const AT_ONCE = 16;

/** A field and level whose statistics are wanted. */
export interface StatisticsOf {
  name: string;
  level: number;
}

export interface StatisticsRequest {
  of: readonly StatisticsOf[];
  /** time indices that are read */
  steps: readonly number[];
  /** also of each grid point */
  local: boolean;
}

/** All that the metadata tell, as JSON holds it. */
export interface StatisticsLayout {
  lats: number[];
  lons: number[];
  /** attributes of the group `normalization`, and of the root */
  group: Record<string, unknown>;
  root: Record<string, unknown>;
  /** numbers of fields, levels and surface fields */
  sizes: { fields: number; levels: number; fieldsSfc: number };
  local: boolean;
  /** which arrays there are */
  arrays: boolean[];
}

export interface StatisticsSetup {
  location: string;
  /** of the store: what is read over http must agree among all workers */
  session: string;
  /** of a view */
  identity: string | null;
  request: StatisticsRequest;
}

/** One field in one calendar month. */
export interface StatisticsUnit {
  surface: boolean;
  /** from 0 */
  month: number;
  sources: LevelSource[];
  steps: number[];
}

export interface FieldNumbers extends MonthlyNumbers {
  surface: boolean;
}

/**
 * Computes means and standard deviations by calendar month and writes them to a folder, or a file that ends in `.zip`.
 * What is not asked for is NaN.
 * @throws AtmorepError (input) for faults of the source
 */
export async function writeStatistics(store: Store, out: string, request: StatisticsRequest): Promise<void> {
  const before = await sourcesOf(store);
  await writeStore(out, async (sink) => {
    const results: FieldNumbers[] = [];
    for (const unit of statisticsUnits(store, request)) {
      results.push(await computeField(store, unit, request.local ? sink : null));
    }
    requireUnchanged("normalisation on first use", before, await sourcesOf(store), "Call again when it is whole");
    await finishStatistics(layoutOf(store, request), results, sink, store.location);
  });
}

/** The same as work for many. @param asked what was said, for messages */
export async function statisticsRequest(
  store: Store,
  out: string,
  request: StatisticsRequest,
  asked: Record<string, unknown>,
): Promise<Request> {
  const { location, session, view, lats, lons } = store;
  const points = lats.length * lons.length;
  const units = statisticsUnits(store, request);
  const levels = mostOf(units, ({ sources }) => sources.length);
  const chunks = [store.arrays.data, store.arrays.data_sfc].map((array) => (array ? product(array.chunkShape) * 4 : 0));
  return {
    kind: "statistics",
    command: "data normalize",
    out,
    replace: false,
    setup: { location, session, identity: view?.identity ?? null, request } satisfies StatisticsSetup,
    layout: layoutOf(store, request),
    place: location,
    // What the files are is told by their own facts.
    asked: { ...asked, ...(view ? { mapping: { ...view.mapping, source: undefined, files: undefined } } : {}) },
    sources: () => sourcesOf(store),
    units: units.map(({ sources, steps, month }) => ({
      name: `month ${month + 1}`,
      bytes: steps.length * sources.length * points * 4,
    })),
    // Sums, planes that are read ahead, chunks of the view.
    unitBytes: points * (20 * levels + 4 * AT_ONCE + 16) + 2 * Math.max(...chunks),
    smaller: "Give more memory",
    alone: null,
  };
}

/** What tells the files that are read from themselves after a change. */
const sourcesOf = ({ location, view }: Store): Promise<SourceFacts[]> =>
  Promise.all((view?.files ?? [{ path: location, digest: null }]).map(({ path, digest }) => factsOf(path, digest)));

function layoutOf(store: Store, { of, steps, local }: StatisticsRequest): StatisticsLayout {
  const years = [...new Set(steps.map((t) => store.calendar.year[t]))];
  const period = [steps[0], steps[steps.length - 1]].map((t) => formatTime(store.times[t]));
  const { fields, fieldsSfc, levels, res, isGlobal, lats, lons } = store;
  return {
    lats: Array.from(lats),
    lons: Array.from(lons),
    group: { by: "calendar-month", period, years },
    root: { fields, fields_sfc: fieldsSfc, levels, res, is_global: isGlobal ? 1 : 0, steps: steps.length },
    sizes: { fields: fields.length, levels: levels.length, fieldsSfc: fieldsSfc.length },
    local,
    arrays: [false, true].map((surface) => of.some(({ level }) => (level === 0) === surface)),
  };
}

/** Levels of one field lie together in many sources; more would hold too many sums. */
export function statisticsUnits(store: Store, { of, steps }: StatisticsRequest): StatisticsUnit[] {
  const units: StatisticsUnit[] = [];
  for (let month = 0; month < MONTHS; month++) {
    const own = steps.filter((t) => store.calendar.monthOfYear[t] === month + 1);
    if (own.length === 0) continue;
    for (const surface of [false, true]) {
      const wanted = of.filter(({ level }) => (level === 0) === surface);
      for (const name of new Set(wanted.map((entry) => entry.name))) {
        const levels = wanted.filter((entry) => entry.name === name);
        const sources = levels.map(({ level }) => levelSource(store, name, level));
        units.push({ surface, month, sources, steps: own });
      }
    }
  }
  return units;
}

/** @param local where the statistics of grid points go */
export async function computeField(
  store: Store,
  { surface, month, sources, steps }: StatisticsUnit,
  local: StoreSink | null,
  tools?: Pick<UnitTools, "progress" | "ended">,
): Promise<FieldNumbers> {
  const P = store.lats.length * store.lons.length;
  const accumulator = new MonthAccumulator(sources.length, P);
  const tasks = steps.flatMap((t) => sources.map((source, c) => ({ t, source, c })));
  await inOrder(
    tasks,
    ({ t, source }) => (source.filled?.has(t) ? Promise.resolve(null) : plane(store, source, t)),
    ({ c }, values) => {
      if (tools?.ended.aborted) throw new Error("the normalisation was ended");
      if (values) accumulator.add(c, values);
      tools?.progress(P * 4);
    },
  );
  const write = local && chunkWriter(local, { name: `normalization/norm${surface ? "_sfc" : ""}` });
  const channels: FieldNumbers["channels"] = [];
  for (const [c, source] of sources.entries()) {
    const values = new Float32Array(2 * P);
    const [mean, std] = accumulator.channel(c, values.subarray(0, P), values.subarray(P)).map(storable);
    const { fieldIndex, levelIndex } = source;
    channels.push({ channel: surface ? fieldIndex : fieldIndex * store.levels.length + levelIndex, mean, std });
    await write?.([month, 0, ...(surface ? [fieldIndex] : [fieldIndex, levelIndex]), 0, 0], values);
  }
  return { surface, month, channels };
}

export async function finishStatistics(
  layout: StatisticsLayout,
  results: readonly FieldNumbers[],
  sink: StoreSink,
  source: string,
): Promise<void> {
  const { lats, lons, sizes } = layout;
  await writeSmallArray(sink, { name: "lats", shape: [lats.length], dtype: "<f8" }, Float64Array.from(lats));
  await writeSmallArray(sink, { name: "lons", shape: [lons.length], dtype: "<f8" }, Float64Array.from(lons));
  await writeGroup(sink, "normalization", layout.group);
  for (const surface of [false, true]) {
    if (!layout.arrays[surface ? 1 : 0]) continue;
    const suffix = surface ? "_sfc" : "";
    const channels = surface ? [sizes.fieldsSfc] : [sizes.fields, sizes.levels];
    const grid = [lats.length, lons.length];
    const shape = [MONTHS, 2, ...channels];
    if (layout.local) {
      await writeArrayMetadata(sink, {
        name: `normalization/norm${suffix}`,
        shape: [...shape, ...grid],
        chunks: [1, 2, ...channels.map(() => 1), ...grid],
        dtype: "<f4",
        absent: "NaN",
      });
    }
    const own = results.filter((result) => result.surface === surface);
    const globals = globalNumbers(own, MONTHS, product(channels));
    await writeSmallArray(sink, { name: `normalization/global_norm${suffix}`, shape, dtype: "<f4" }, globals);
  }
  const { steps, ...root } = layout.root;
  await writeGroup(sink, "", { ...root, source, steps });
}

const plane = async (store: Store, source: LevelSource, t: number): Promise<Float32Array> =>
  (await readValues(store, source, wholeWindow(store, Int32Array.of(t)))).values;

/** Works some tasks ahead and takes what comes in order. */
async function inOrder<T, R>(
  tasks: readonly T[],
  work: (task: T) => Promise<R>,
  take: (task: T, result: R) => void,
): Promise<void> {
  const pending: Promise<R>[] = [];
  for (let k = 0; k < tasks.length; k++) {
    for (let next = k + pending.length; next < Math.min(tasks.length, k + AT_ONCE); next++) {
      const working = work(tasks[next]);
      // It is awaited in its turn.
      working.catch(() => {});
      pending.push(working);
    }
    take(tasks[k], await (pending.shift() as Promise<R>));
  }
}

/**
 * A store with the normalisation that stands at `place` instead of its own.
 * @throws AtmorepError (input) if there is none, or it is of another grid
 */
export async function withStatistics(store: Store, place: string): Promise<Store> {
  const source = await openSource(place, store.session);
  try {
    const metadata = await openMetadata(source, place);
    const array = async (name: string) => {
      const facts = await metadata.array(name);
      return facts && openArray(metadata, facts, place, CACHED.includes(name) ? store.cache : null);
    };
    const axes = await Promise.all(["lats", "lons"].map((name) => array(name)));
    const { fields, fields_sfc, levels } = metadata.attrs;
    const years = readNormalizationYears(await metadata.groupAttrs("normalization"), place);
    const lists = [fields, fields_sfc, levels].map((list) => (Array.isArray(list) ? list : null));
    if (axes.includes(null) || lists.includes(null) || years === null) {
      throw new AtmorepError("input", "no normalisation by calendar month", {
        where: place,
        expected: 'what "atmorep data normalize SOURCE --out FILE" writes',
      });
    }
    for (const [i, name] of (["lats", "lons"] as const).entries()) {
      const own = await readAll(axes[i] as NonNullable<(typeof axes)[number]>);
      const step = store.res[i];
      const same = own.length === store[name].length && own.every((v, k) => Math.abs(v - store[name][k]) < 0.01 * step);
      if (same) continue;
      throw new AtmorepError("input", "the normalisation is of another grid", {
        where: `${place}: ${name}`,
        found: `${own.length} from ${own[0]} to ${own[own.length - 1]}`,
        expected: `${store[name].length} from ${store[name][0]} to ${store[name][store[name].length - 1]}, as in ${store.location}`,
        fix: '"atmorep data normalize SOURCE --out FILE" computes one',
      });
    }
    const { period } = await metadata.groupAttrs("normalization");
    return {
      ...store,
      statistics: place,
      normalizationYears: years,
      normalizationPeriod: Array.isArray(period) ? [String(period[0]), String(period[1])] : null,
      normalizationAxes: {
        fields: lists[0] as string[],
        fieldsSfc: lists[1] as string[],
        levels: lists[2] as number[],
      },
      arrays: {
        ...store.arrays,
        global_norm: store.arrays.data && (await array("normalization/global_norm")),
        global_norm_sfc: store.arrays.data_sfc && (await array("normalization/global_norm_sfc")),
        norm: store.arrays.data && (await array("normalization/norm")),
        norm_sfc: store.arrays.data_sfc && (await array("normalization/norm_sfc")),
      },
      async close() {
        await source.close();
        await store.close();
      },
    };
  } catch (error) {
    await source.close();
    throw error;
  }
}
