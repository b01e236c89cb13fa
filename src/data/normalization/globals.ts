/** What units that computed a normalisation leave to do: the numbers of whole grids, gathered, and rows without values. */
import { product } from "../zarr/array.js";
import type { ChunkWriter } from "../zarr/write.js";

/** Of one channel's whole grid, as float32 and as JSON holds it: null for NaN. */
export interface ChannelNumbers {
  /** counted through the whole array */
  channel: number;
  mean: number | null;
  std: number | null;
}

export interface MonthlyNumbers {
  month: number;
  channels: ChannelNumbers[];
}

export const storable = (value: number): number | null => (Number.isNaN(value) ? null : Math.fround(value));

/** @returns [month, 2, channel], NaN where nothing was computed */
export function globalNumbers(results: readonly MonthlyNumbers[], months: number, channels: number): Float32Array {
  const out = new Float32Array(months * 2 * channels).fill(Number.NaN);
  for (const { month, channels: own } of results) {
    for (const { channel, mean, std } of own) {
      out[month * 2 * channels + channel] = mean ?? Number.NaN;
      out[month * 2 * channels + channels + channel] = std ?? Number.NaN;
    }
  }
  return out;
}

/**
 * Writes NaN for the months that no one has written, where a chunk holds all channels of a month and so none may be absent.
 * @param dims channels along each axis
 */
export async function writeEmptyMonths(
  write: ChunkWriter,
  months: number,
  written: ReadonlySet<number>,
  [dims, grid]: [dims: readonly number[], grid: readonly number[]],
): Promise<void> {
  const empty = new Float32Array(2 * product(dims) * product(grid)).fill(Number.NaN);
  const zeros = [...dims, ...grid].map(() => 0);
  for (let month = 0; month < months; month++) if (!written.has(month)) await write([month, 0, ...zeros], empty);
}
