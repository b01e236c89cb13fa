/** Weights by area of a regular latitude-longitude grid. */
import { cos } from "../math/index.js";

const RADIANS = Math.PI / 180;

/** cos(latitude), latitude in geographic degrees (-90 to 90); never negative. */
export function latitudeWeight(latitude: number): number {
  return Math.max(0, cos(latitude * RADIANS));
}

/**
 * cos(latitude) of each row, scaled to mean 1.
 * @param latitudes geographic degrees [H]
 */
export function latitudeWeights(latitudes: ArrayLike<number>): Float64Array {
  const weights = Float64Array.from(latitudes, latitudeWeight);
  const mean = weights.reduce((sum, w) => sum + w, 0) / weights.length;
  return weights.map((w) => w / mean);
}
