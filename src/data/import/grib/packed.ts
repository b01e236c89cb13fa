/** Packings that ecCodes unpacks. */
import { AtmorepError } from "../../../errors.js";
import { type EccodesProcess, findEccodes, startEccodes } from "../../../native/index.js";
import { formatTime } from "../../time.js";
import { damaged } from "./octets.js";

/** Packings of edition 2, by their template, that are tested with ecCodes. */
export const PACKING_2: Readonly<Record<number, string>> = {
  2: "complex packing",
  3: "complex packing with spatial differences",
  40: "JPEG 2000",
  42: "CCSDS",
};

const HOW =
  "fetch it with: atmorep engine install --only eccodes; or pack again: grib_set -r -s packingType=grid_simple";

/** Why values of a packing cannot be read here; null if they can. */
export function whyNotUnpacked(packing: string): string | null {
  return findEccodes().found.length > 0 ? null : `its packing (${packing}) needs ecCodes; ${HOW}`;
}

let started: Promise<EccodesProcess | null> | null = null;

/**
 * Values of a message of one field. What ecCodes says of the message must be what is read of it here.
 * @param message whole, from `GRIB` to `7777`
 * @param time nanoseconds since 1970 of its validity
 * @throws AtmorepError (input) if it cannot be unpacked
 */
export async function unpackByEccodes(
  message: Uint8Array,
  points: number,
  time: bigint,
  packing: string,
  where: string,
): Promise<Float64Array> {
  started ??= startEccodes();
  const eccodes = await started.catch((error) => {
    started = null;
    throw error;
  });
  if (!eccodes) {
    started = null;
    throw new AtmorepError("input", "a GRIB packing needs ecCodes, which does not work here", {
      where,
      found: packing,
      fix: HOW,
    });
  }
  const { values, date, time: clock, grid } = await eccodes.unpack(message, points, where);
  const own = formatTime(time).replace(/[-:]/g, "");
  const theirs = `${date}T${String(clock).padStart(4, "0")}`;
  if (grid !== "regular_ll" || !own.startsWith(theirs)) {
    throw damaged(where, `${grid} at ${theirs} by ecCodes, regular_ll at ${own} by its octets`);
  }
  return values;
}
