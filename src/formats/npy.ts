/** NumPy's `.npy` files, format 1.0 and 2.0: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html */
import { readBounded } from "../budgets.js";
import { AtmorepError, isAtmorepError } from "../errors.js";
import { writeFileAtomic } from "./atomic.js";
import { bytesOf, numElements } from "./tensors.js";

export type NpyData = Float32Array | Float64Array | Int32Array | BigInt64Array | Uint8Array;

/** bytes of a file, which is read at once */
const LARGEST = 2 ** 31;
const MAGIC = Buffer.from("\x93NUMPY", "latin1");
const ARRAYS = {
  "<f4": Float32Array,
  "<f8": Float64Array,
  "<i4": Int32Array,
  "<i8": BigInt64Array,
  "|u1": Uint8Array,
} as const;
type Descr = keyof typeof ARRAYS;

/** The bytes of an `.npy` file, format 1.0, C order. */
export function npyBytes(shape: readonly number[], data: NpyData): Uint8Array {
  const descr = (Object.keys(ARRAYS) as Descr[]).find((key) => data instanceof ARRAYS[key]);
  if (!descr || data.length !== numElements(shape)) {
    throw new AtmorepError("failed", "an array's data do not fit its shape", {
      where: `[${shape.join(", ")}]`,
      found: `${data.length} elements`,
    });
  }
  const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
  const dict = `{'descr': '${descr}', 'fortran_order': False, 'shape': ${tuple}, }`;
  // The header ends in a line feed and brings the data to a multiple of 64 bytes.
  const length = Math.ceil((10 + dict.length + 1) / 64) * 64 - 10;
  const head = Buffer.alloc(10);
  MAGIC.copy(head);
  head[6] = 1;
  head.writeUInt16LE(length, 8);
  return Buffer.concat([head, Buffer.from(`${dict.padEnd(length - 1)}\n`, "latin1"), bytesOf(data)]);
}

/** Writes an `.npy` file atomically. */
export async function writeNpy(path: string, shape: readonly number[], data: NpyData): Promise<void> {
  await writeFileAtomic(path, npyBytes(shape, data));
}

/** Reads an `.npy` file in C order. @throws AtmorepError (input) for damaged files and other dtypes */
export async function readNpy(path: string): Promise<{ shape: number[]; data: NpyData }> {
  const fault = (what: string, found?: string) =>
    new AtmorepError("input", what, { where: path, found, expected: `dtypes ${Object.keys(ARRAYS).join(", ")}` });
  const file = await readBounded(path, LARGEST).catch((cause) => {
    if (isAtmorepError(cause)) throw cause;
    throw fault("the file cannot be read", String(cause));
  });
  if (file.length < 12 || !file.subarray(0, 6).equals(MAGIC)) throw fault("not an npy file");
  const start = file[6] === 1 ? 10 : 12;
  const end = start + (file[6] === 1 ? file.readUInt16LE(8) : file.readUInt32LE(8));
  const header = file.toString("latin1", start, end);
  const match = /'descr':\s*'([^']+)',\s*'fortran_order':\s*(True|False),\s*'shape':\s*\(([\d,\s]*)\)/.exec(header);
  if (!match || end > file.length) throw fault("the npy header is damaged");
  const [, descr, fortran, dims] = match;
  const shape = dims
    .split(",")
    .filter((text) => text.trim() !== "")
    .map(Number);
  if (!Object.hasOwn(ARRAYS, descr)) throw fault("unknown dtype", descr);
  if (fortran === "True" && shape.length > 1) throw fault("only C order can be read", "fortran_order True");
  const View = ARRAYS[descr as Descr];
  const bytes = new Uint8Array(file.subarray(end));
  if (bytes.length !== numElements(shape) * View.BYTES_PER_ELEMENT) throw fault("the data do not fit the shape");
  return { shape, data: new View(bytes.buffer) };
}
