/** Typed arrays: type, length, statistics, and both ends. */
import { statistics } from "./displayTensor.js";

type Numbers = ArrayLike<number | bigint> & { readonly constructor: { readonly name: string } };

/** Shorter ones are shown whole. */
const WHOLE = 20;
const ENDS = 6;

/** Long arrays of numbers; Buffers hold bytes of anything, and stay as Node shows them. */
export function isNumbers(value: unknown): value is Numbers {
  if (!ArrayBuffer.isView(value) || value instanceof DataView || Buffer.isBuffer(value)) return false;
  return (value as unknown as Numbers).length > WHOLE;
}

export function describeNumbers(values: Numbers): string {
  const head = `${values.constructor.name}(${values.length})`;
  const shown = (from: number) => Array.from({ length: ENDS }, (_, i) => text(values[from + i])).join(", ");
  const ends = `[${shown(0)}, ..., ${shown(values.length - ENDS)}]`;
  if (typeof values[0] === "bigint") return `${head}\n${ends}`;
  return `${head}  ${statistics(values as ArrayLike<number>)}\n${ends}`;
}

const text = (value: number | bigint): string =>
  typeof value === "bigint" ? `${value}n` : String(Number(value.toPrecision(6)));
