/** Parts of the globe that scores are told for. */
import { AtmorepError } from "../errors.js";

/** [[south, north], [west, east]] in geographic degrees, as `geo_range_sampling`; west > east crosses the meridian */
export type Box = readonly [latitudes: readonly [number, number], longitudes: readonly [number, number]];

export interface Region {
  name: string;
  /** latitude in geographic degrees, longitude in degrees East, any turn */
  contains(latitude: number, longitude: number): boolean;
}

/** Named regions; the tropics lie within 20 degrees of the equator and the hemispheres are outside them. */
export const REGIONS: Readonly<Record<string, Region>> = {
  global: { name: "global", contains: () => true },
  tropics: { name: "tropics", contains: (lat) => Math.abs(lat) <= 20 },
  nh: { name: "nh", contains: (lat) => lat > 20 },
  sh: { name: "sh", contains: (lat) => lat < -20 },
};

const turn = (degrees: number): number => ((degrees % 360) + 360) % 360;

/** A box of geographic degrees as a region; its edges belong to it. */
export function boxRegion(name: string, [[south, north], [west, east]]: Box): Region {
  if (!(south <= north) || south < -90 || north > 90) {
    throw new AtmorepError("config", "not a latitude range", {
      where: `region ${name}`,
      found: [south, north],
      expected: "south <= north within -90 to 90",
      fix: "Write a box as [[south, north], [west, east]].",
    });
  }
  const width = east - west >= 360 ? 360 : turn(east - west);
  return {
    name,
    contains: (lat, lon) => lat >= south && lat <= north && (width === 360 || turn(lon - west) <= width),
  };
}

/** @throws {AtmorepError} `config` for a name that is not known */
export function namedRegion(name: string): Region {
  const region = Object.hasOwn(REGIONS, name) ? REGIONS[name] : undefined;
  if (region) return region;
  throw new AtmorepError("config", "unknown region", {
    where: "regions",
    found: name,
    expected: Object.keys(REGIONS).join(", "),
    fix: "Name one of these or give a box [[south, north], [west, east]].",
  });
}
