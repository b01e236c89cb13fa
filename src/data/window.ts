/** The window of grid points around a place, and the range that places are drawn from (docs/method.md, "Drawing times and places"). */
import { AtmorepError } from "../errors.js";
import { windowSize } from "./fields.js";
import type { Store } from "./storeTypes.js";
import type { Window } from "./types.js";

/** The part of a configuration that says how large a window is. */
export interface WindowConfig {
  n_size: [steps: number, degreesLat: number, degreesLon: number];
  time_sampling: number;
}

/** Indices of the cube's times: `i - n_size[0]*time_sampling` up to but not including `i`. */
export function windowTimes(config: WindowConfig, timeIndex: number): Int32Array {
  const [steps] = config.n_size;
  const start = timeIndex - steps * config.time_sampling;
  return Int32Array.from({ length: steps }, (_, k) => start + k * config.time_sampling);
}

/**
 * The window of a place: grid points with `c - n/2 - res/2 < x < c + n/2`, longitude going round on a global store.
 * @param place degrees from the North pole, degrees East
 * @throws AtmorepError (config) if it does not lie in the store
 */
export function windowOf(
  store: Store,
  config: WindowConfig,
  timeIndex: number,
  place: readonly [number, number],
): Window {
  const [, rows, columns] = windowSize(config, store);
  const time = windowTimes(config, timeIndex);
  if (time.length === 0 || time[0] < 0 || time[time.length - 1] >= store.times.length) {
    throw new AtmorepError("config", "the cube's times lie outside the store", {
      where: store.location,
      found: `steps ${time[0]} to ${time[time.length - 1]}`,
      expected: `0 to ${store.times.length - 1}`,
    });
  }
  return {
    time,
    lat: axisWindow(store.lats, store.res[0], place[0], rows, false, "latitude", store.location),
    lon: axisWindow(store.lons, store.res[1], place[1], columns, store.isGlobal, "longitude", store.location),
  };
}

function axisWindow(
  axis: Float64Array,
  res: number,
  centre: number,
  count: number,
  periodic: boolean,
  name: string,
  location: string,
): Int32Array {
  const first = firstIndex((centre - axis[0]) / res, count);
  if (periodic ? count > axis.length : first < 0 || first + count > axis.length) {
    throw new AtmorepError("config", `the window does not lie in the store (${name})`, {
      where: location,
      found: `${count} points around ${centre}`,
      expected: `within ${axis[0]} to ${axis[axis.length - 1]}`,
      fix: "Make n_size smaller or choose another place",
    });
  }
  const out = new Int32Array(count);
  for (let i = 0; i < count; i++) {
    const index = first + i;
    out[i] = periodic ? ((index % axis.length) + axis.length) % axis.length : index;
  }
  return out;
}

/** First grid index of a window of `count` points whose centre lies `position` grid steps from the first point. */
function firstIndex(position: number, count: number): number {
  // Positions are on the grid; what is left beyond a thousandth of a step is rounding of float32 axes.
  const snapped = Math.round(position * 1000) / 1000;
  return Math.floor(snapped - count / 2 - 0.5) + 1;
}

/** The range that centres are drawn from along one axis, and the centres that give whole windows. */
export interface CentreRange {
  /** centres are drawn uniformly from `low` to `high` degrees, then rounded to the grid */
  low: number;
  high: number;
  /** drawn centres are moved to the nearest of the indices `first` to `last` on the grid; null if none is moved */
  clamp: { first: number; last: number } | null;
  /** grid step and the degrees of grid index 0 */
  res: number;
  origin: number;
  /** longitudes of a global store are taken modulo 360 */
  periodic: boolean;
}

/**
 * Ranges of latitude and longitude for places, `geo_range_sampling` included.
 * @throws AtmorepError (config) if the window is larger than the store or no place is left
 */
export function centreRanges(
  store: Store,
  config: WindowConfig & { geo_range_sampling: [[number, number], [number, number]] },
): [lat: CentreRange, lon: CentreRange] {
  const [, rows, columns] = windowSize(config, store);
  const [[south, north], [west, east]] = config.geo_range_sampling;
  const lat = latRange(store, config.n_size[1], rows);
  const lon = lonRange(store, config.n_size[2], columns);
  const latAsked: [number, number] = [90 - north, 90 - south];
  const restricted = restrict(lat, latAsked, "geo_range_sampling[0]", [south, north]);
  if (east - west >= 360) return [restricted, lon];
  const width = (((east - west) % 360) + 360) % 360;
  if (lon.periodic) {
    // A part of the circle: the range itself, wherever the store's first longitude lies.
    const gridded = { ...lon, low: west, high: west + width };
    return [restricted, restrict(gridded, [west, west + width], "geo_range_sampling[1]", [west, east])];
  }
  const shifts = [-360, 0, 360].map((shift): [number, number] => [west + shift, west + shift + width]);
  const overlap = ([a, b]: [number, number]) => Math.min(b, lon.high) - Math.max(a, lon.low);
  const best = shifts.reduce((a, b) => (overlap(b) > overlap(a) ? b : a));
  return [restricted, restrict(lon, best, "geo_range_sampling[1]", [west, east])];
}

function latRange(store: Store, degrees: number, rows: number): CentreRange {
  const { lats, location } = store;
  const res = store.res[0];
  const last = lats[lats.length - 1];
  const southPole = last > 180 - 0.01 * res;
  return boundedRange(lats, res, degrees, rows, southPole ? res : 0, "n_size[1]", location);
}

function lonRange(store: Store, degrees: number, columns: number): CentreRange {
  const { lons, location, isGlobal } = store;
  const res = store.res[1];
  if (!isGlobal) return boundedRange(lons, res, degrees, columns, 0, "n_size[2]", location);
  if (columns > lons.length) throw tooLarge("n_size[2]", degrees, `at most ${lons.length * res} degrees`, location);
  return {
    low: lons[0],
    high: lons[lons.length - 1],
    clamp: null,
    res,
    origin: gridOrigin(lons[0], res),
    periodic: true,
  };
}

function boundedRange(
  axis: Float64Array,
  res: number,
  degrees: number,
  count: number,
  extra: number,
  where: string,
  location: string,
): CentreRange {
  if (count > axis.length) throw tooLarge(where, degrees, `at most ${axis.length * res} degrees`, location);
  const origin = gridOrigin(axis[0], res);
  const low = axis[0] + degrees / 2;
  const offset = Math.round((axis[0] - origin) / res);
  // The whole windows start at rows 0 to length - count; an odd window's centre is its middle row,
  // an even window's the row after the middle.
  const first = offset + Math.floor(count / 2);
  return {
    low,
    // A window as large as the store has one place, which the reference's range misses.
    high: Math.max(low, axis[axis.length - 1] - degrees / 2 + extra),
    clamp: { first, last: first + axis.length - count },
    res,
    origin,
    periodic: false,
  };
}

function tooLarge(where: string, degrees: number, expected: string, location: string): AtmorepError {
  return new AtmorepError("config", "the window is larger than the store", {
    where,
    found: `${degrees} degrees`,
    expected: `${expected} (${location})`,
  });
}

/** Degrees that multiples of the grid step are counted from: 0, or a fraction of a step on a shifted grid. */
function gridOrigin(first: number, res: number): number {
  const origin = first - Math.round(first / res) * res;
  return Math.abs(origin) < 0.01 * res ? 0 : origin;
}

function restrict(range: CentreRange, [low, high]: [number, number], where: string, found: unknown): CentreRange {
  const covers = low <= range.low && high >= range.high;
  if (covers && !range.periodic) return range;
  const { res, origin } = range;
  const first = Math.max(range.clamp?.first ?? -Infinity, Math.ceil((low - origin) / res - 1e-6));
  const last = Math.min(range.clamp?.last ?? Infinity, Math.floor((high - origin) / res + 1e-6));
  if (first > last) {
    throw new AtmorepError("config", "no window centre lies in the range", {
      where,
      found,
      expected: `a part of ${range.low} to ${range.high} degrees ${where.endsWith("[0]") ? "from the North pole" : "East"}`,
    });
  }
  const lo = Math.max(range.low, low);
  return { ...range, low: lo, high: Math.max(lo, Math.min(range.high, high)), clamp: { first, last } };
}

/** Rounds a drawn coordinate to the grid: half to even of `x/res*1.00001`. */
export function roundToGrid(x: number, range: CentreRange): number {
  const { res, origin, clamp, periodic } = range;
  let index = roundHalfEven((x - origin) * ((1 / res) * 1.00001));
  if (clamp) index = Math.min(clamp.last, Math.max(clamp.first, index));
  const degrees = index * res + origin;
  return periodic && clamp ? ((degrees % 360) + 360) % 360 : degrees;
}

function roundHalfEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest !== 0.5) return rest < 0.5 ? floor : floor + 1;
  return floor % 2 === 0 ? floor : floor + 1;
}

/** Number of distinct places that a range can give. */
export function countCentres(range: CentreRange): number {
  const first = Math.round((roundToGrid(range.low, { ...range, periodic: false }) - range.origin) / range.res);
  const last = Math.round((roundToGrid(range.high, { ...range, periodic: false }) - range.origin) / range.res);
  return last - first + 1;
}
