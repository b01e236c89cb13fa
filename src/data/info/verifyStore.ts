/** Reading a store whole: every chunk decoded with its checksum, every value looked at. */
import { isAtmorepError } from "../../errors.js";
import type { Store } from "../storeTypes.js";
import { formatTime } from "../time.js";
import type { ChunkedArray } from "../zarr/array.js";
import { unravel } from "../zarr/array.js";
import { type Scan, scanStore } from "./scan.js";

export interface Verification {
  scan: Scan;
  /** what is wrong, the first hundred */
  faults: string[];
  faultCount: number;
}

const MOST_FAULTS = 100;

/**
 * Decodes every chunk of a store, normalisation included, and looks at every value.
 * @param missing `skip`: values that are NaN are no fault, as a run with `missing_values: skip` takes them
 */
export async function verifyStore(store: Store, missing: "error" | "skip" = "error"): Promise<Verification> {
  const faults: string[] = [];
  let faultCount = 0;
  const fault = (message: string) => {
    faultCount += 1;
    if (faults.length < MOST_FAULTS) faults.push(message);
  };
  const scan = await scanStore(store, { onFault: fault });
  for (const { name, level, missing: nan, missingAt, infinite } of scan.levels) {
    const which = `${name} ${level === 0 ? "(surface)" : `level ${level}`}`;
    if (infinite > 0) fault(`${which}: ${infinite} values are infinite`);
    if (nan === 0 || missing === "skip") continue;
    const first = formatTime(store.times[missingAt.indexOf(1)]);
    fault(`${which}: ${nan} values are missing (NaN), first at ${first}; a run needs missing_values: skip`);
  }
  for (const array of Object.values(store.arrays) as (ChunkedArray | null)[]) {
    if (array && array !== store.arrays.data && array !== store.arrays.data_sfc) await decode(array, fault);
  }
  return { scan, faults, faultCount };
}

async function decode(array: ChunkedArray, fault: (message: string) => void): Promise<void> {
  const counts = array.shape.map((n, i) => Math.ceil(n / array.chunkShape[i]));
  const total = counts.reduce((a, b) => a * b, 1);
  for (let k = 0; k < total; k++) {
    try {
      (await array.chunk(unravel(k, counts))).release();
    } catch (error) {
      if (!isAtmorepError(error)) throw error;
      fault(error.message);
    }
  }
}
