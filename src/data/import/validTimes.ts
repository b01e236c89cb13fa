/** Which dimensions of a variable make its times: one axis, or reference times and times ahead with the `valid_time` of each. */
import { stridesOf } from "../zarr/array.js";
import { type Axis, axisOf, readTimes } from "./axes.js";
import type { RawDataset, RawVariable } from "./types.js";

export interface TimeIndex {
  times: BigInt64Array;
  /** sets the index of every axis of time for the time of index `t` */
  place(t: number, at: number[]): void;
}

/**
 * @param axes time and lead axes of the variable, by dimension
 * @returns the times, or why there are none
 */
export async function timesOf(
  dataset: RawDataset,
  raw: RawVariable,
  axes: ReadonlyMap<number, Axis>,
): Promise<TimeIndex | string> {
  const dims = raw.dims as string[];
  const time = [...axes].filter(([, { role }]) => role === "time");
  const lead = [...axes].filter(([, { role }]) => role === "lead");
  const own = [...axes.keys()].filter((d) => raw.shape[d] > 1).map((d) => dims[d]);
  const valid = dataset.variables.get("valid_time");
  const known = valid?.dims;
  const fits =
    known?.every((dim) => [...axes.keys()].some((d) => dims[d] === dim)) && own.every((d) => known.includes(d));
  if (valid && known && fits && !valid.isText) {
    const positions = known.map((dim) => dims.indexOf(dim));
    const stride = stridesOf(valid.shape);
    return {
      times: await readTimes(dataset, valid),
      place: (t, at) => {
        for (const [i, d] of positions.entries()) at[d] = Math.floor(t / stride[i]) % valid.shape[i];
      },
    };
  }
  if (time.length > 1) return `it has the times ${time.map(([d]) => dims[d]).join(" and ")}, and no valid_time`;
  const ahead = lead.length > 0 ? lead.map(([, axis]) => axis) : await scalarLead(dataset);
  if (ahead.some(({ values }) => values.length !== 1 || Number(values[0]) !== 0)) {
    return `its times are reference times (${ahead[0].name} is the time ahead), and the file has no valid_time of them`;
  }
  if (time.length === 1) {
    const [[d, { values }]] = time;
    if (/^forecast_reference_time$/i.test(dims[d]) && ahead.length === 0) {
      return "its times are reference times, and the file has no valid_time of them";
    }
    return {
      times: values as BigInt64Array,
      place: (t, at) => {
        at[d] = t;
      },
    };
  }
  const scalar = await scalarTime(dataset);
  return scalar ? { times: scalar, place: () => undefined } : "it has no time";
}

/** The time of a file of one time whose variables have no such dimension. */
async function scalarTime(dataset: RawDataset): Promise<BigInt64Array | null> {
  for (const name of ["valid_time", "time"]) {
    const variable = dataset.variables.get(name);
    if (variable && !variable.isText && variable.shape.every((n) => n === 1)) return readTimes(dataset, variable);
  }
  return null;
}

async function scalarLead(dataset: RawDataset): Promise<Axis[]> {
  const axes: Axis[] = [];
  for (const variable of dataset.variables.values()) {
    if (variable.isText || variable.shape.some((n) => n !== 1) || (variable.dims ?? []).length > 0) continue;
    const axis = /^(step|forecast_period|lead_?time|prediction_timedelta)$/i.test(variable.name)
      ? await axisOf(dataset, variable)
      : null;
    if (axis) axes.push(axis);
  }
  return axes;
}
