/** A store: its times, places and fields; of each field one plane, where it lies on this machine. */
import type { Store } from "../../data/store.js";
import { formatTime } from "../../data/time.js";
import { displayUnit } from "../../data/units.js";
import { isAtmorepError } from "../../errors.js";
import { formatNumber, levelTitle } from "../figure/text.js";
import { storeGrid } from "../grids.js";
import { valueColors } from "../views/maps.js";
import { type Entry, type Summary, shapeText } from "./entry.js";
import { statisticsOf, statisticsText } from "./statistics.js";

/** Fields whose first plane is read; of the others the shape is enough. */
const MOST_PLANES = 8;

export async function storeSummary(store: Store): Promise<Summary> {
  const { times, lats, lons, levels, fields, fieldsSfc, location, format, view, isGlobal } = store;
  const [T, Y, X] = [times.length, lats.length, lons.length];
  const named = [
    ...fields.map((name) => ({
      name,
      at: levels[0],
      shape: shapeText(["T", "L", "Y", "X"], [T, levels.length, Y, X]),
    })),
    ...fieldsSfc.map((name) => ({ name, at: 0, shape: shapeText(["T", "Y", "X"], [T, Y, X]) })),
  ];
  const entries: Entry[] = [];
  for (const [f, { name, at, shape }] of named.entries()) {
    const entry = { name, shape, unit: displayUnit(name).unit || "as stored" };
    entries.push(f < MOST_PLANES ? await withPlane(store, entry, at) : { ...entry, lines: [] });
  }
  const ends = (values: Float64Array) => `${formatNumber(values[0])} to ${formatNumber(values[values.length - 1])}`;
  const north = Float64Array.from(lats, (lat) => 90 - lat).reverse();
  return {
    title: `Store ${location}, ${format === null ? (view?.form ?? "a view") : `Zarr format ${format}`}`,
    lines: [
      `T ${T.toLocaleString("en-US")} times, ${formatTime(times[0])} to ${formatTime(times[T - 1])} UTC`,
      ...(fields.length > 0 ? [`L ${levels.length} levels: ${levels.map(levelTitle).join(", ")}`] : []),
      `Y ${Y} latitudes, ${ends(north)} °N; X ${X} longitudes, ${ends(lons)} °E; ${isGlobal ? "global" : "regional"}`,
    ],
    entries,
  };
}

/** The first time of a field's first level; what is far away is not fetched to be looked at. */
async function withPlane(store: Store, entry: Omit<Entry, "lines">, level: number): Promise<Entry> {
  if (/^[a-z0-9+]+:\/\//i.test(store.location)) return { ...entry, lines: ["values are read when they are asked for"] };
  try {
    const { values, lats, lons, time, unit } = await storeGrid(store, entry.name, level, 0);
    const what = `${levelTitle(level)}, ${time} UTC`;
    const colors = { ...valueColors(unit, values), label: "", unit };
    const picture = { alt: `${entry.name}, ${what}`, values, rows: lats.length, columns: lons.length, colors };
    return { ...entry, lines: [`${what}: ${statisticsText(statisticsOf(values))}`], pictures: [picture] };
  } catch (error) {
    // a store is shown whatever its chunks are like
    if (!isAtmorepError(error)) throw error;
    return { ...entry, lines: [`cannot be read: ${error.message}`] };
  }
}
