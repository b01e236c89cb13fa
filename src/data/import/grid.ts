/** From a file's axes to a store's: latitude from North to South, longitude contiguous and ascending, a box cut out. */
import { AtmorepError } from "../../errors.js";

/** Geographic degrees; east may lie west of west in numbers when the box crosses the Greenwich meridian. */
export interface Box {
  north: number;
  west: number;
  south: number;
  east: number;
}

export interface GridPlan {
  /** degrees from the North pole, ascending */
  lats: Float64Array;
  /** degrees East, ascending; passes 360 where the region crosses the Greenwich meridian */
  lons: Float64Array;
  res: [lat: number, lon: number];
  isGlobal: boolean;
  /** index into the file's axis for each row and column */
  rows: Int32Array;
  columns: Int32Array;
  /** columns of a plane of the file */
  fileColumns: number;
}

/** Share of a grid step by which coordinates may be off. */
const TOLERANCE = 0.01;

/** @throws AtmorepError (input) if the axes make no regular grid, (usage) if the box holds too few points */
export function planGrid(lats: Float64Array, lons: Float64Array, box: Box | null, where: string): GridPlan {
  const rows = sortedBy(lats, (lat) => -lat);
  const latStep = stepOf(rows.map((i) => -lats[i]));
  const keptRows = rows.filter((i) => !box || within(lats[i], box.south, box.north, latStep * TOLERANCE));

  const turned = Float64Array.from(lons, turn);
  const finest = stepOf(sortedBy(turned, (x) => x).map((i) => turned[i]));
  const slack = Math.min(finest, 1) * TOLERANCE;
  const partial = box !== null && box.east - box.west < 360 - slack;
  const west = partial ? turn(box.west) : startOf(turned);
  // The slack keeps a column that lies a rounding error west of the start from going to the far end.
  const offsets = turned.map((lon) => turn(lon - west + slack) - slack);
  const width = partial ? turn(box.east - box.west) : 360;
  const keptColumns = sortedBy(offsets, (x) => x).filter((i) => offsets[i] <= width + slack);
  if (keptRows.length < 2 || keptColumns.length < 2) {
    throw new AtmorepError(box ? "usage" : "input", "the grid holds too few points", {
      where: box ? "--box" : where,
      found: `${keptRows.length} x ${keptColumns.length} points`,
      expected: `at least 2 x 2, of latitudes ${range(lats)} and longitudes ${range(lons)}`,
    });
  }
  const colatitudes = Float64Array.from(keptRows, (i) => 90 - lats[i]);
  const base = west + offsets[keptColumns[0]] >= 360 - slack ? west - 360 : west;
  const degrees = Float64Array.from(
    keptColumns,
    (i) => turned[i] + 360 * Math.round((base + offsets[i] - turned[i]) / 360),
  );
  const res: [number, number] = [regularStep(colatitudes, "latitude", where), regularStep(degrees, "longitude", where)];
  return {
    lats: colatitudes,
    lons: degrees,
    res,
    isGlobal: Math.abs(degrees.length * res[1] - 360) < TOLERANCE * res[1],
    rows: Int32Array.from(keptRows),
    columns: Int32Array.from(keptColumns),
    fileColumns: lons.length,
  };
}

/** The plane of a file in the store's order. @returns [lat, lon] */
export function arrange(plane: ArrayLike<number>, { rows, columns, fileColumns }: GridPlan): Float64Array {
  const out = new Float64Array(rows.length * columns.length);
  let o = 0;
  for (const row of rows) for (const column of columns) out[o++] = plane[row * fileColumns + column];
  return out;
}

/** For people. */
export const describeGrid = ({ lats, lons, res }: GridPlan): string =>
  `${lats.length} x ${lons.length} points, ${res.join(" x ")} degrees, from ${90 - lats[0]} North, ${lons[0]} East`;

/** True if both plans lead to the same points. */
export function sameGrid(a: GridPlan, b: GridPlan): boolean {
  const close = (x: Float64Array, y: Float64Array, step: number) =>
    x.length === y.length && x.every((value, i) => Math.abs(value - y[i]) <= TOLERANCE * step);
  return close(a.lats, b.lats, a.res[0]) && close(a.lons, b.lons, a.res[1]);
}

/** `degrees` in [0, 360). */
function turn(degrees: number): number {
  const rest = degrees % 360;
  return rest < 0 ? rest + 360 : rest;
}

/** The westernmost longitude: the one east of the widest gap; for a globe the smallest. */
function startOf(turned: Float64Array): number {
  const sorted = Array.from(turned).sort((a, b) => a - b);
  const smallest = stepOf(sorted);
  let start = sorted[0];
  let widest = 360 - sorted[sorted.length - 1] + sorted[0];
  for (let i = 1; i < sorted.length; i++) {
    if (sorted[i] - sorted[i - 1] > widest + smallest * TOLERANCE) {
      widest = sorted[i] - sorted[i - 1];
      start = sorted[i];
    }
  }
  return start;
}

const sortedBy = (values: Float64Array, key: (value: number) => number): number[] =>
  Array.from(values.keys()).sort((a, b) => key(values[a]) - key(values[b]));

const stepOf = (ascending: ArrayLike<number>): number => {
  let step = Infinity;
  for (let i = 1; i < ascending.length; i++) step = Math.min(step, ascending[i] - ascending[i - 1]);
  return step;
};

const within = (value: number, low: number, high: number, slack: number) =>
  value >= low - slack && value <= high + slack;

function regularStep(axis: Float64Array, name: string, where: string): number {
  const step = Math.round(((axis[axis.length - 1] - axis[0]) / (axis.length - 1)) * 1e6) / 1e6;
  for (let i = 1; i < axis.length; i++) {
    const own = axis[i] - axis[i - 1];
    if (Math.abs(own - step) <= TOLERANCE * step) continue;
    throw new AtmorepError("input", `the ${name}s are not evenly spaced`, {
      where,
      found: `a step of ${own} among steps of ${step} degrees`,
      expected: "a regular grid of latitudes and longitudes",
      fix: "Bring Gaussian and other grids to a regular one first, for instance with cdo remapbil; cut gaps with --box",
    });
  }
  return step;
}

function range(values: Float64Array): string {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return `${low} to ${high}`;
}
