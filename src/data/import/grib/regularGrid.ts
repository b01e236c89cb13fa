/** Regular grids of latitudes and longitudes, and the orders in which messages have their points. */

/**
 * Points that a field may have: 0.0625 degrees around the globe. A message without values, of one constant, may ask for
 * any number in a few bytes.
 */
const MOST_POINTS = 1 << 24;

/** Flags of the scanning mode, the same in both editions. */
const SCAN = { westward: 0x80, northward: 0x40, byColumn: 0x20, alternating: 0x10, offset: 0x0f };

export interface RegularGrid {
  /** geographic degrees, in the order of the rows and columns of `arrange` */
  lats: Float64Array;
  lons: Float64Array;
  /** number of points */
  points: number;
  /** Values in the order of the message as [lat, lon]. */
  arrange(values: Float64Array): Float64Array;
}

/** A grid of at least one point by its first and last point, or why it is not read. @param scan flags of the scanning mode */
export function regularGrid(
  [columns, rows]: [columns: number, rows: number],
  first: [lat: number, lon: number],
  last: [lat: number, lon: number],
  scan: number,
): RegularGrid | string {
  const points = columns * rows;
  if (points > MOST_POINTS)
    return `its grid has ${columns} x ${rows} points, more than the ${MOST_POINTS} that are read`;
  if (scan & SCAN.offset) return "the points of its rows are shifted against each other";
  const westward = (scan & SCAN.westward) !== 0;
  if (rows > 1 && last[0] > first[0] !== ((scan & SCAN.northward) !== 0))
    return "its latitudes run against its scanning mode";
  const [west, east] = westward ? [last[1], first[1]] : [first[1], last[1]];
  const width = columns > 1 ? (((east - west) % 360) + 360) % 360 || 360 : 0;
  const lons = Float64Array.from({ length: columns }, (_, i) => west + (i * width) / Math.max(1, columns - 1));
  if (westward) lons.reverse();
  const height = last[0] - first[0];
  const lats = Float64Array.from({ length: rows }, (_, i) => first[0] + (i * height) / Math.max(1, rows - 1));
  const byColumn = (scan & SCAN.byColumn) !== 0;
  const alternating = (scan & SCAN.alternating) !== 0;
  const arrange = (values: Float64Array): Float64Array => {
    if (!byColumn && !alternating) return values;
    const out = new Float64Array(points);
    const [lines, length] = byColumn ? [columns, rows] : [rows, columns];
    for (let line = 0; line < lines; line++) {
      for (let i = 0; i < length; i++) {
        // Every second line runs backwards.
        const place = alternating && line % 2 === 1 ? length - 1 - i : i;
        out[byColumn ? place * columns + line : line * columns + place] = values[line * length + i];
      }
    }
    return out;
  };
  return { lats, lons, points, arrange };
}

/** True if both have the same points in the same order. */
export function sameAxes(a: RegularGrid, b: RegularGrid): boolean {
  const same = (x: Float64Array, y: Float64Array) => x.length === y.length && x.every((value, i) => value === y[i]);
  return a === b || (same(a.lats, b.lats) && same(a.lons, b.lons));
}

/** Why another grid is not read, and what to do. @param kind such as `a reduced Gaussian grid` */
export const otherGrid = (kind: string) =>
  `it is on ${kind}; bring it to a regular grid of latitudes and longitudes first, for instance with: cdo remapbil,r360x180 in.grib out.grib (cdo -R for reduced Gaussian grids, cdo sp2gpl for spherical harmonics)`;
