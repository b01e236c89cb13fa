/** How a store in other chunks is cut into units. */
import { product } from "../zarr/array.js";
import type { Compressor } from "../zarr/encode.js";

/** Chunks of one pass; for more the source is read again. */
export const PASS_BYTES = 384 * 2 ** 20;

export interface RechunkArray {
  name: "data" | "data_sfc";
  shape: number[];
  /** chunks as they are, and as they will be */
  from: number[];
  to: number[];
  itemBytes: 4 | 8;
}

export interface RechunkLayout {
  format: 2 | 3;
  arrays: RechunkArray[];
  compressor: Compressor;
}

export interface RechunkSetup extends RechunkLayout {
  source: string;
}

export interface RechunkUnit {
  array: RechunkArray;
  steps: [from: number, to: number];
}

/**
 * So many steps at once that no chunk of the source is decoded for two units where the new extent divides the former one or
 * is a multiple of it, else for two at most; if they and one block fit into a pass.
 */
function stepsOf({ from, to, shape, itemBytes }: RechunkArray): number {
  const whole = to[0] * Math.ceil(from[0] / to[0]);
  const block = product(to.slice(1, -2)) * product(shape.slice(-2)) * itemBytes;
  return whole * block <= PASS_BYTES ? whole : to[0];
}

export const unitsOf = (arrays: readonly RechunkArray[]): RechunkUnit[] =>
  arrays.flatMap((array) => {
    const steps = stepsOf(array);
    return Array.from({ length: Math.ceil(array.shape[0] / steps) }, (_, i): RechunkUnit => {
      return { array, steps: [i * steps, Math.min((i + 1) * steps, array.shape[0])] };
    });
  });
