/** The arrays of one group of the result stores. */
import type { ZarrArraySpec } from "../formats/zarrZip.js";
import type { MaskedField } from "../masking/types.js";
import { type Physical, tokenPlace } from "./physical.js";

export type GroupArrays = Record<string, ZarrArraySpec>;

/** One sample as the network sees it: data [L, time, lat, lon], ml [L], datetime, lat, lon. */
export function sourceArrays(physical: Physical, masked: MaskedField, b: number): GroupArrays {
  const { N, D } = masked;
  const tokens = Array.from({ length: N }, (_, n) => n);
  const rowsOf = (l: number) => tokens.map((n) => ({ n, from: ((b * masked.L + l) * N + n) * D }));
  return gridArrays(physical, b, 0, masked.source, rowsOf, null);
}

/**
 * One sample of a forecast: its last `timeTokens` time tokens as data [L, time, lat, lon], or [E, L, time, lat, lon].
 * @param values [M, D] or, with `members`, [M, E, D]
 */
export function forecastArrays(
  physical: Physical,
  masked: MaskedField,
  b: number,
  values: Float32Array,
  members: number | null,
  timeTokens: number,
): GroupArrays {
  const [nt] = physical.field.numTokens;
  const firstStep = (nt - timeTokens) * physical.field.tokenSize[0];
  const rowsOf = (l: number) =>
    sampleRows(masked, b, l).map(({ row, n }) => ({ n, from: row * (members ?? 1) * masked.D }));
  return gridArrays(physical, b, firstStep, values, rowsOf, members);
}

/**
 * The masked tokens of one sample and level: data [m, tt, ty, tx] or [m, E, tt, ty, tx], ml (a scalar),
 * datetime [m, tt], lat [m, ty], lon [m, tx]; null if none was masked.
 */
export function tokenArrays(
  physical: Physical,
  masked: MaskedField,
  b: number,
  l: number,
  values: Float32Array,
  members: number | null,
): GroupArrays | null {
  const rows = sampleRows(masked, b, l);
  const m = rows.length;
  if (m === 0) return null;
  const { field } = physical;
  const [tt, ty, tx] = field.tokenSize;
  const E = members ?? 1;
  const data = new Float32Array(m * E * masked.D);
  const datetime = new BigInt64Array(m * tt);
  const lat = new Float32Array(m * ty);
  const lon = new Float32Array(m * tx);
  for (const [i, { row, n }] of rows.entries()) {
    for (let e = 0; e < E; e++) {
      const to = (i * E + e) * masked.D;
      physical.copyToken(b, l, n, values, (row * E + e) * masked.D, data, to, [ty * tx, tx, 1]);
    }
    const { t, y, x } = tokenPlace(field, n);
    datetime.set(physical.times(b, t, tt), i * tt);
    lat.set(physical.lats(b, y, ty), i * ty);
    lon.set(physical.lons(b, x, tx), i * tx);
  }
  const member = members === null ? [] : [members];
  const memberName = members === null ? [] : ["member"];
  return {
    data: {
      shape: [m, ...member, tt, ty, tx],
      dtype: "<f4",
      data,
      dimensions: ["token", ...memberName, "step", "row", "column"],
    },
    ml: { shape: [], dtype: "<i8", data: BigInt64Array.of(BigInt(field.levels[l])), dimensions: [] },
    datetime: { shape: [m, tt], dtype: "<M8[ns]", data: datetime, dimensions: ["token", "step"] },
    lat: { shape: [m, ty], dtype: "<f4", data: lat, dimensions: ["token", "row"] },
    lon: { shape: [m, tx], dtype: "<f4", data: lon, dimensions: ["token", "column"] },
  };
}

/** Forecasts that follow each other as one: their data and times one after the other. */
export function continued(parts: readonly GroupArrays[]): GroupArrays {
  const [first, ...rest] = parts;
  if (rest.length === 0) return first;
  const { shape } = first.data;
  const time = shape.length - 3;
  const counts = parts.map(({ data }) => data.shape[time]);
  const steps = counts.reduce((a, b) => a + b, 0);
  const plane = shape[time + 1] * shape[time + 2];
  const outer = shape.slice(0, time).reduce((a, b) => a * b, 1);
  const data = new Float32Array(outer * steps * plane);
  const datetime = new BigInt64Array(steps);
  let done = 0;
  for (const [i, part] of parts.entries()) {
    const own = part.data.data as Float32Array;
    const size = counts[i] * plane;
    for (let o = 0; o < outer; o++) data.set(own.subarray(o * size, (o + 1) * size), (o * steps + done) * plane);
    datetime.set(part.datetime.data as BigInt64Array, done);
    done += counts[i];
  }
  return {
    ...first,
    data: { ...first.data, shape: shape.map((n, axis) => (axis === time ? steps : n)), data },
    datetime: { ...first.datetime, shape: [steps], data: datetime },
  };
}

/** Rows of the field's [M, ...] arrays that belong to sample `b` of level `l`, with their token numbers, in order. */
function sampleRows({ idx, N }: MaskedField, b: number, l: number): { row: number; n: number }[] {
  let first = 0;
  for (let i = 0; i < l; i++) first += idx[i].length;
  const rows: { row: number; n: number }[] = [];
  idx[l].forEach((index, i) => {
    if (Math.floor(index / N) === b) rows.push({ row: first + i, n: index % N });
  });
  return rows;
}

function gridArrays(
  physical: Physical,
  b: number,
  firstStep: number,
  values: Float32Array,
  rowsOf: (l: number) => { n: number; from: number }[],
  members: number | null,
): GroupArrays {
  const { field } = physical;
  const steps = field.numTokens[0] * field.tokenSize[0] - firstStep;
  const rows = field.numTokens[1] * field.tokenSize[1];
  const columns = field.numTokens[2] * field.tokenSize[2];
  const E = members ?? 1;
  const plane = rows * columns;
  const data = new Float32Array(E * field.L * steps * plane);
  for (let l = 0; l < field.L; l++) {
    for (const { n, from } of rowsOf(l)) {
      const { t, y, x } = tokenPlace(field, n);
      for (let e = 0; e < E; e++) {
        const to = ((e * field.L + l) * steps + t - firstStep) * plane + y * columns + x;
        physical.copyToken(b, l, n, values, from + e * field.D, data, to, [plane, columns, 1]);
      }
    }
  }
  const member = members === null ? [] : [members];
  const memberName = members === null ? [] : ["member"];
  return {
    data: {
      shape: [...member, field.L, steps, rows, columns],
      dtype: "<f4",
      data,
      dimensions: [...memberName, "ml", "datetime", "lat", "lon"],
    },
    ml: { shape: [field.L], dtype: "<i8", data: BigInt64Array.from(field.levels, BigInt), dimensions: ["ml"] },
    datetime: {
      shape: [steps],
      dtype: "<M8[ns]",
      data: physical.times(b, firstStep, steps),
      dimensions: ["datetime"],
    },
    lat: { shape: [rows], dtype: "<f4", data: physical.lats(b, 0, rows), dimensions: ["lat"] },
    lon: { shape: [columns], dtype: "<f4", data: physical.lons(b, 0, columns), dimensions: ["lon"] },
  };
}
