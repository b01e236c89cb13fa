/**
 * Coastlines and borders for maps: Natural Earth's 1:110m outlines (public domain, through the package world-atlas, which has no
 * lakes).
 */
import { createRequire } from "node:module";
import { mesh } from "topojson-client";
import type { GeometryCollection, Topology } from "topojson-specification";

type Point = readonly number[];

type Lines = readonly (readonly Point[])[];

let land: Lines | null = null;
let between: Lines | null = null;

const atlas = (name: string) => createRequire(import.meta.url)(`world-atlas/${name}-110m.json`) as Topology;

function landOutline(): Lines {
  if (!land) {
    const topology = atlas("land");
    land = mesh(topology, topology.objects.land as GeometryCollection).coordinates;
  }
  return land;
}

/** Where two countries meet. */
function borderLines(): Lines {
  if (!between) {
    const topology = atlas("countries");
    between = mesh(topology, topology.objects.countries as GeometryCollection, (a, b) => a !== b).coordinates;
  }
  return between;
}

/** The coastlines inside a region as one broken line; as `borders`. */
export const coastlines = (lons: Ends, lats: Ends): BrokenLine => linesInside(landOutline(), lons, lats);

type Ends = readonly [low: number, high: number];

/** x and y of points, null between pieces. */
export interface BrokenLine {
  x: (number | null)[];
  y: (number | null)[];
}

/**
 * Borders between countries inside a region as one broken line.
 * @param lons degrees East, west and east edge; may pass 360 or lie below 0
 * @param lats geographic degrees, south and north edge
 * @returns x and y of the points, null between pieces
 */
export const borders = (lons: Ends, lats: Ends): BrokenLine => linesInside(borderLines(), lons, lats);

function linesInside(lines: Lines, lons: Ends, lats: Ends): BrokenLine {
  const x: (number | null)[] = [];
  const y: (number | null)[] = [];
  for (const shift of [-360, 0, 360, 720]) {
    if (180 + shift < lons[0] || -180 + shift > lons[1]) continue;
    for (const line of lines) {
      for (let i = 1; i < line.length; i++) {
        // The outline is cut at the date line, which is no coast.
        if (Math.abs(line[i][0]) === 180 && Math.abs(line[i - 1][0]) === 180) continue;
        const [a, b] = [line[i - 1], line[i]].map(([lon, lat]) => [lon + shift, lat]);
        const piece = clip(a, b, lons, lats);
        if (!piece) continue;
        const [from, to] = piece;
        if (x.at(-1) !== from[0] || y.at(-1) !== from[1]) {
          if (x.length > 0) {
            x.push(null);
            y.push(null);
          }
          x.push(from[0]);
          y.push(from[1]);
        }
        x.push(to[0]);
        y.push(to[1]);
      }
    }
  }
  return { x, y };
}

/** The part of a segment inside a rectangle (Liang and Barsky), rounded to a thousandth of a degree; null if none. */
function clip(
  a: Point,
  b: Point,
  lons: readonly [number, number],
  lats: readonly [number, number],
): [Point, Point] | null {
  let [enter, leave] = [0, 1];
  for (const [axis, [low, high]] of [lons, lats].entries()) {
    const step = b[axis] - a[axis];
    for (const [towards, room] of [
      [-step, a[axis] - low],
      [step, high - a[axis]],
    ]) {
      if (towards === 0 && room < 0) return null;
      if (towards === 0) continue;
      const share = room / towards;
      if (towards < 0) enter = Math.max(enter, share);
      else leave = Math.min(leave, share);
    }
  }
  if (enter >= leave) return null;
  const along = (share: number) => [0, 1].map((k) => Math.round((a[k] + share * (b[k] - a[k])) * 1000) / 1000);
  return [along(enter), along(leave)];
}
