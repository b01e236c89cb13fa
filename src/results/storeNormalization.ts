/** The normalisation that result stores are written with, read from the input store. */
import type { Field } from "../config/types.js";
import { levelSource, monthlyNormalization, type Store } from "../data/index.js";
import type { NormalizationLookup, NormalizationTable } from "./physical.js";

/** A lookup that reads each field, level and month once; copies of local planes, which others share. */
export function storeNormalization(store: Store): NormalizationLookup {
  const global = new Map<string, NormalizationTable>();
  return async (field: Field, level: number, timeIndex: number) => {
    const month = store.calendar.month[timeIndex];
    const key = `${field.name} ${level} ${month}`;
    const known = global.get(key);
    if (known) return known;
    const source = levelSource(store, field.name, level);
    const { mean, std, release } = await monthlyNormalization(store, field.name, source, field.normalization, [month]);
    const table = { mean: mean.get(month)!.slice(), std: std.get(month)!.slice() };
    release();
    if (field.normalization === "global") global.set(key, table);
    return table;
  };
}
