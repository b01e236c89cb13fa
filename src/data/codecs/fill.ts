/** What a chunk that was not written holds, as metadata of both formats write it. */
import { brief } from "../../shown.js";
import { halvesToFloats, type ItemType } from "./types.js";

const NAMED = new Set(["NaN", "Infinity", "-Infinity"]);

/**
 * @returns a number, one of `NaN`, `Infinity`, `-Infinity` as text, or null where a chunk that is absent has no values
 * @throws Error for what is none of these
 */
export function readFill(value: unknown, { kind, bytes }: ItemType): number | string | null {
  if (value === null || value === undefined) return null;
  if (typeof value === "number") return value;
  if (kind === "float" && typeof value === "string") {
    if (NAMED.has(value)) return value;
    // format 3 may give the bits
    const hex = /^0x([0-9a-fA-F]+)$/.exec(value)?.[1];
    if (hex?.length === 2 * bytes) return named(bitsToNumber(BigInt(`0x${hex}`), bytes));
  }
  // the least int64, which is datetime64's "not a time"
  if (kind === "int" && bytes === 8 && value === "NaT") return -(2 ** 63);
  throw new Error(`the fill value ${brief(value)} is no number of the array's type`);
}

function bitsToNumber(bits: bigint, bytes: number): number {
  const view = new DataView(new ArrayBuffer(8));
  if (bytes === 8) {
    view.setBigUint64(0, bits);
    return view.getFloat64(0);
  }
  if (bytes === 2) return halvesToFloats(Uint16Array.of(Number(bits)))[0];
  view.setUint32(0, Number(bits));
  return view.getFloat32(0);
}

/** JSON has no such numbers. */
const named = (value: number): number | string => (Number.isFinite(value) ? value : String(value));
