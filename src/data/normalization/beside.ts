/**
 * A normalisation that stands beside its source: a small Zarr with the axes of a store, the group `normalization` by
 * calendar month, and no data.
 */

import { AtmorepError } from "../../errors.js";
import { defaultRng } from "../../random/index.js";
import { readNormalizationYears } from "../attributes.js";
import { type LevelSource, levelSource } from "../fields.js";
import { openSource } from "../source/index.js";
import { CACHED, type Store } from "../storeTypes.js";
import { formatTime } from "../time.js";
import { readValues, wholeWindow } from "../values.js";
import { openArray, readAll } from "../zarr/array.js";
import { openMetadata } from "../zarr/metadata.js";
import { createArray, type StoreSink, writeGroup, writeSmallArray, writeStore } from "../zarr/write.js";
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

/**
 * Computes means and standard deviations by calendar month and writes them to a folder, or a file that ends in `.zip`.
 * What is not asked for is NaN.
 * @throws AtmorepError (input) for faults of the source
 */
export async function writeStatistics(store: Store, out: string, request: StatisticsRequest): Promise<void> {
  const { steps } = request;
  const years = [...new Set(steps.map((t) => store.calendar.year[t]))];
  const period = [steps[0], steps[steps.length - 1]].map((t) => formatTime(store.times[t]));
  const { fields, fieldsSfc, levels, res, isGlobal, lats, lons } = store;
  await writeStore(out, async (sink) => {
    await writeSmallArray(sink, { name: "lats", shape: [lats.length], dtype: "<f8" }, lats);
    await writeSmallArray(sink, { name: "lons", shape: [lons.length], dtype: "<f8" }, lons);
    await writeGroup(sink, "normalization", { by: "calendar-month", period, years });
    for (const surface of [false, true]) {
      const of = request.of.filter(({ level }) => (level === 0) === surface);
      if (of.length > 0) await writeArrays(store, sink, surface, { ...request, of });
    }
    const source = { source: store.location, steps: steps.length };
    await writeGroup(sink, "", { fields, fields_sfc: fieldsSfc, levels, res, is_global: isGlobal ? 1 : 0, ...source });
  });
}

async function writeArrays(
  store: Store,
  sink: StoreSink,
  surface: boolean,
  { of: wanted, steps, local: withLocal }: StatisticsRequest,
): Promise<void> {
  const suffix = surface ? "_sfc" : "";
  const channels = surface ? [store.fieldsSfc.length] : [store.fields.length, store.levels.length];
  const grid = [store.lats.length, store.lons.length];
  const [C, P] = [channels.reduce((a, b) => a * b, 1), grid[0] * grid[1]];
  const shape = [MONTHS, 2, ...channels];
  const globals = new Float32Array(MONTHS * 2 * C).fill(Number.NaN);
  const local = withLocal
    ? await createArray(sink, {
        name: `normalization/norm${suffix}`,
        shape: [...shape, ...grid],
        chunks: [1, 2, ...channels.map(() => 1), ...grid],
        dtype: "<f4",
        absent: "NaN",
      })
    : null;
  const sources = wanted.map((entry) => ({ ...entry, source: levelSource(store, entry.name, entry.level) }));
  for (let month = 0; month < MONTHS; month++) {
    const own = steps.filter((t) => store.calendar.monthOfYear[t] === month + 1);
    if (own.length === 0) continue;
    // Levels of one field lie together in many sources; more would hold too many sums.
    for (const name of new Set(wanted.map((entry) => entry.name))) {
      const levels = sources.filter((entry) => entry.name === name);
      const accumulator = new MonthAccumulator(levels.length, P);
      const tasks = own.flatMap((t) => levels.map(({ source }, c) => ({ t, source, c })));
      await inOrder(
        tasks,
        ({ t, source }) => (source.filled?.has(t) ? Promise.resolve(null) : plane(store, source, t)),
        ({ c }, values) => values && accumulator.add(c, values),
      );
      const result = accumulator.result();
      for (const [c, { source }] of levels.entries()) {
        const channel = surface ? source.fieldIndex : source.fieldIndex * store.levels.length + source.levelIndex;
        globals[month * 2 * C + channel] = result.globalMean[c];
        globals[month * 2 * C + C + channel] = result.globalStd[c];
        if (!local) continue;
        const values = new Float32Array(2 * P);
        values.set(result.mean.subarray(c * P, (c + 1) * P), 0);
        values.set(result.std.subarray(c * P, (c + 1) * P), P);
        const place = surface ? [source.fieldIndex] : [source.fieldIndex, source.levelIndex];
        await local([month, 0, ...place, 0, 0], values);
      }
    }
  }
  await writeSmallArray(sink, { name: `normalization/global_norm${suffix}`, shape, dtype: "<f4" }, globals);
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
 * So many of some steps, as many of each calendar month as there are, or as near to it as can be; within a month one of
 * each of equal parts, at a place drawn from a fixed seed so that no hour of the day is preferred.
 * @param steps time indices, ascending
 */
export function evenSteps(store: Pick<Store, "calendar">, steps: readonly number[], most: number): number[] {
  if (steps.length <= most) return [...steps];
  const byMonth = Array.from({ length: MONTHS }, (_, m) =>
    steps.filter((t) => store.calendar.monthOfYear[t] === m + 1),
  ).filter((own) => own.length > 0);
  const chosen: number[] = [];
  let [left, months] = [most, byMonth.length];
  // Months with few steps give all of them; what they leave goes to the others.
  for (const own of [...byMonth].sort((a, b) => a.length - b.length)) {
    const take = Math.min(own.length, Math.floor(left / months));
    const shares = defaultRng([0, store.calendar.monthOfYear[own[0]]]).random(take);
    const start = (k: number) => Math.floor((k * own.length) / take);
    for (let k = 0; k < take; k++) chosen.push(own[start(k) + Math.floor(shares[k] * (start(k + 1) - start(k)))]);
    left -= take;
    months -= 1;
  }
  return chosen.sort((a, b) => a - b);
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
