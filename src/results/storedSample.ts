/** One group of the result stores with what is around it, as scores take it. */
import { AtmorepError } from "../errors.js";
import type { PointBatch, ScoredPoint } from "../scores/index.js";
import { readFloats, readLevels, readTimes } from "./readChecked.js";
import type { ResultStore } from "./readResults.js";

const HOUR = 3_600_000_000_000n;

type Place = Omit<ScoredPoint, "kind" | "std">;

export interface StoredSample extends PointBatch {
  predictions: Record<string, ArrayLike<number>>;
  members?: ArrayLike<number>;
  /** of forecasts: target and prediction are [L, T, H, W] on these axes, longitudes ascending also across 0 */
  grid?: { levels: number[]; steps: number; latitudes: Float32Array; longitudes: Float64Array };
  /** visits every point */
  points(visit: (place: Place) => void): void;
}

/** The stores of one validation. */
export interface ResultStores {
  target: ResultStore;
  pred: ResultStore;
  ens: ResultStore | null;
  source: ResultStore | null;
}

/** @param group `<field>/sample=<n>` of a forecast, `<field>/sample=<n>/ml=<n>` of tokens */
export async function readSample(stores: ResultStores, group: string): Promise<StoredSample> {
  const { target, pred, ens } = stores;
  const shape = shapeOf(target, `${group}/data`);
  for (const store of [pred, ens]) {
    const own: number[] | null = store && shapeOf(store, `${group}/data`);
    const plain = own && own.length > shape.length ? own.filter((_, axis) => axis !== memberAxis(group)) : own;
    if (store && plain?.join() !== shape.join()) {
      throw new AtmorepError("input", "targets and predictions differ in shape", {
        where: `${store.path}: ${group}/data`,
        found: own,
        expected: shape.join(", "),
      });
    }
  }
  if (shape.length !== 4) {
    throw new AtmorepError("input", "an array has another shape than samples have", {
      where: `${target.path}: ${group}/data`,
      found: `[${shape.join(", ")}]`,
      expected: isTokens(group) ? "[tokens, time, latitude, longitude]" : "[levels, time, latitude, longitude]",
    });
  }
  const tokens = isTokens(group);
  return tokens ? tokenSample(stores, group, shape) : forecastSample(stores, group, shape);
}

const isTokens = (group: string) => /\/ml=\d+$/.test(group);
/** ens: [E, L, time, lat, lon] of forecasts, [m, E, tt, ty, tx] of tokens */
const memberAxis = (group: string) => (isTokens(group) ? 1 : 0);

function shapeOf(store: ResultStore, path: string): number[] {
  const array = store.arrays.get(path);
  if (array) return array.shape;
  throw new AtmorepError("input", "an array is missing", { where: `${store.path}: ${path}` });
}

const hours = (time: bigint) => Number(time / HOUR);

/** Hours that times reach over: samples whose initial times are closer than this share some. */
function spanOf(datetime: ArrayLike<bigint>): number {
  const all = Array.from(datetime, hours);
  return all.reduce((a, b) => Math.max(a, b)) - all.reduce((a, b) => Math.min(a, b)) + 1;
}

async function forecastSample(
  { target, pred, ens, source }: ResultStores,
  group: string,
  shape: number[],
): Promise<StoredSample> {
  const [L, T, H, W] = shape;
  const [values, model, lat, lon, datetime] = await Promise.all([
    readFloats(target, `${group}/data`, null),
    readFloats(pred, `${group}/data`, null),
    readFloats(target, `${group}/lat`, [H]),
    readFloats(target, `${group}/lon`, [W]),
    readTimes(target, `${group}/datetime`, [T]),
  ]);
  const size = L * T * H * W;
  const members = ens ? byMember(await readFloats(ens, `${group}/data`, null), size) : undefined;
  const from = source?.arrays.has(`${group}/data`) ? await forecastBaselines(source, group, shape, datetime[0]) : null;
  const levels = await readLevels(target, `${group}/ml`, L);
  return {
    field: group.split("/")[0],
    initialTime: from?.initialTime ?? hours(datetime[0]),
    span: from?.span ?? spanOf(datetime),
    target: values,
    D: 1,
    predictions: { model, ...from?.baselines },
    members,
    leads: T + 1,
    grid: {
      levels,
      steps: T,
      latitudes: lat,
      longitudes: Float64Array.from(lon, (degrees) => (degrees < lon[0] ? degrees + 360 : degrees)),
    },
    points(visit) {
      for (let at = 0; at < size; at++) {
        const t = Math.floor(at / (H * W)) % T;
        const [latitude, longitude] = [lat[Math.floor(at / W) % H], lon[at % W]];
        visit({ at, l: levels[Math.floor(at / (T * H * W))], lead: t + 1, latitude, longitude });
      }
    },
  };
}

/** The source of a forecast shows the climatology at its hidden steps and the last seen values before them. */
async function forecastBaselines(source: ResultStore, group: string, [L, T, H, W]: number[], first: bigint) {
  const datetime = await readTimes(source, `${group}/datetime`, null);
  const steps = datetime.length;
  const values = await readFloats(source, `${group}/data`, [L, steps, H, W]);
  const hidden = datetime.indexOf(first);
  if (hidden < 1) return null;
  const plane = H * W;
  const climatology = new Float32Array(L * T * plane);
  const persistence = new Float32Array(L * T * plane);
  for (let l = 0; l < L; l++) {
    const at = (t: number) => (l * steps + t) * plane;
    for (let t = 0; t < T; t++) {
      const to = (l * T + t) * plane;
      // a roll-out goes beyond its first cube
      const seen = at(Math.min(hidden + t, steps - 1));
      climatology.set(values.subarray(seen, seen + plane), to);
      persistence.set(values.subarray(at(hidden - 1), at(hidden - 1) + plane), to);
    }
  }
  const initialTime = hours(datetime[hidden - 1]);
  return { baselines: { climatology, persistence }, initialTime, span: spanOf(datetime) };
}

async function tokenSample(
  { target, pred, ens, source }: ResultStores,
  group: string,
  shape: number[],
): Promise<StoredSample> {
  const [m, tt, ty, tx] = shape;
  const D = tt * ty * tx;
  const [values, model, lat, lon, datetime, [level]] = await Promise.all([
    readFloats(target, `${group}/data`, null),
    readFloats(pred, `${group}/data`, null),
    readFloats(target, `${group}/lat`, [m, ty]),
    readFloats(target, `${group}/lon`, [m, tx]),
    readTimes(target, `${group}/datetime`, [m, tt]),
    readLevels(target, `${group}/ml`, 1),
  ]);
  const whole = group.replace(/\/ml=\d+$/, "");
  const seen = source?.arrays.has(`${whole}/data`)
    ? await asSeen(source, whole, level, { shape, lat, lon, datetime })
    : null;
  return {
    field: group.split("/")[0],
    initialTime: seen?.initialTime ?? hours(datetime[0]),
    span: seen?.span ?? spanOf(datetime),
    target: values,
    D,
    predictions: { model, ...(seen && { as_seen: seen.values }) },
    members: ens ? await readFloats(ens, `${group}/data`, null) : undefined,
    leads: 1,
    points(visit) {
      for (let at = 0; at < m * D; at++) {
        const token = Math.floor(at / D);
        const [y, x] = [Math.floor(at / tx) % ty, at % tx];
        const [latitude, longitude] = [lat[token * ty + y], lon[token * tx + x]];
        visit({ at, l: level, lead: 0, latitude, longitude });
      }
    },
  };
}

interface Tokens {
  shape: number[];
  lat: Float32Array;
  lon: Float32Array;
  datetime: BigInt64Array;
}

/** What the network saw of each token: the source at its times and places. */
async function asSeen(source: ResultStore, group: string, level: number, { shape, lat, lon, datetime }: Tokens) {
  const [levels, steps, rows, columns] = await Promise.all([
    readLevels(source, `${group}/ml`, 1),
    readTimes(source, `${group}/datetime`, null),
    readFloats(source, `${group}/lat`, null),
    readFloats(source, `${group}/lon`, null),
  ]);
  const [L] = shapeOf(source, `${group}/data`);
  const data = await readFloats(source, `${group}/data`, [L, steps.length, rows.length, columns.length]);
  const [m, tt, ty, tx] = shape;
  const place = <T>(axis: ArrayLike<T>) => new Map(Array.from(axis, (value, i) => [value, i]));
  const [atTime, atRow, atColumn] = [place(steps), place(rows), place(columns)];
  const l = levels.indexOf(level);
  const values = new Float32Array(m * tt * ty * tx);
  let to = 0;
  for (let token = 0; token < m; token++) {
    for (let t = 0; t < tt; t++) {
      for (let y = 0; y < ty; y++) {
        for (let x = 0; x < tx; x++) {
          const i = atTime.get(datetime[token * tt + t]) ?? -1;
          const j = atRow.get(lat[token * ty + y]) ?? -1;
          const k = atColumn.get(lon[token * tx + x]) ?? -1;
          const known = Math.min(l, i, j, k) >= 0;
          values[to++] = known ? data[((l * steps.length + i) * rows.length + j) * columns.length + k] : Number.NaN;
        }
      }
    }
  }
  return { values, initialTime: hours(steps[steps.length - 1]), span: spanOf(steps) };
}

/** [E, points] as [points, E]. */
function byMember(values: Float32Array, size: number): Float32Array {
  const E = values.length / size;
  const out = new Float32Array(values.length);
  for (let e = 0; e < E; e++) for (let i = 0; i < size; i++) out[i * E + e] = values[e * size + i];
  return out;
}
