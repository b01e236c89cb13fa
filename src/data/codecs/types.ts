/** Types of stored numbers, as NumPy (`<f4`) and Zarr format 3 (`float32`) name them. */

export interface ItemType {
  kind: "int" | "uint" | "float";
  bytes: 1 | 2 | 4 | 8;
  /** stored with the highest byte first */
  big: boolean;
}

export type Numbers =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array
  | Float32Array
  | Float64Array;

const KINDS = { i: "int", u: "uint", f: "float", M: "int" } as const;
const NAMED = /^(u?int|float)(8|16|32|64)$/;
/** datetime64 is int64 */
const NUMPY = /^([<>|=]?)(?:([iuf])([1248])|(M)8(?:\[\d*[a-zA-Z]+\])?)$/;

/** null for what is no number of 1, 2, 4 or 8 bytes (float: 2 to 8) */
export function itemType(name: unknown): ItemType | null {
  if (typeof name !== "string") return null;
  if (name === "numpy.datetime64") return { kind: "int", bytes: 8, big: false };
  const named = NAMED.exec(name);
  const numpy = NUMPY.exec(name);
  let type: ItemType;
  if (named) {
    type = { kind: named[1] as ItemType["kind"], bytes: (Number(named[2]) / 8) as ItemType["bytes"], big: false };
  } else if (numpy) {
    const bytes = Number(numpy[3] ?? 8) as ItemType["bytes"];
    type = { kind: KINDS[(numpy[2] ?? "M") as keyof typeof KINDS], bytes, big: numpy[1] === ">" && bytes > 1 };
  } else {
    return null;
  }
  return type.kind === "float" && type.bytes === 1 ? null : type;
}

export const isHalf = ({ kind, bytes }: ItemType): boolean => kind === "float" && bytes === 2;

/** The type's name in Zarr format 3. */
export const typeName = ({ kind, bytes }: ItemType): string => `${kind}${bytes * 8}`;

const ARRAYS = {
  int: { 1: Int8Array, 2: Int16Array, 4: Int32Array, 8: BigInt64Array },
  uint: { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array, 8: BigUint64Array },
  float: { 4: Float32Array, 8: Float64Array },
};

/** @returns null for float16, of which older versions of Node have no array */
export function numbersOf({
  kind,
  bytes,
}: ItemType): (new (buffer: ArrayBufferLike, at: number, n: number) => Numbers) | null {
  return (
    (ARRAYS[kind] as Record<number, new (buffer: ArrayBufferLike, at: number, n: number) => Numbers>)[bytes] ?? null
  );
}

/** Bytes as numbers in this machine's order, copied where they must not be changed or do not lie as they should. */
export function view(bytes: Uint8Array, type: ItemType): Numbers {
  const Numbers = numbersOf(type);
  if (!Numbers) throw new Error("float16 is not supported here");
  if (bytes.length % type.bytes !== 0) throw new Error(`${bytes.length} bytes are no whole numbers of ${type.bytes}`);
  const own = type.big ? swapped(bytes, type.bytes) : bytes.byteOffset % type.bytes === 0 ? bytes : bytes.slice();
  return new Numbers(own.buffer, own.byteOffset, own.length / type.bytes);
}

/** Numbers as bytes in the order of `type`. */
export function bytesOf(numbers: Numbers, type: ItemType): Uint8Array {
  const bytes = new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
  return type.big ? swapped(bytes, type.bytes) : bytes;
}

/** A copy with the bytes of each number in the other order. */
export function swapped(bytes: Uint8Array, size: number): Uint8Array {
  const copy = Buffer.from(new Uint8Array(bytes).buffer);
  if (size === 2) copy.swap16();
  else if (size === 4) copy.swap32();
  else if (size === 8) copy.swap64();
  return new Uint8Array(copy.buffer, copy.byteOffset, copy.length);
}

/** float16 to float32, which holds every one of them. */
export function halvesToFloats(halves: Uint16Array): Float32Array {
  const bits = new Uint32Array(halves.length);
  for (let i = 0; i < halves.length; i++) {
    const half = halves[i];
    const sign = (half & 0x8000) << 16;
    const exponent = (half >>> 10) & 31;
    const fraction = half & 1023;
    if (exponent === 31) bits[i] = sign | 0x7f800000 | (fraction << 13);
    else if (exponent > 0) bits[i] = sign | ((exponent + 112) << 23) | (fraction << 13);
    else if (fraction === 0) bits[i] = sign;
    else {
      const shift = Math.clz32(fraction) - 21;
      bits[i] = sign | ((113 - shift) << 23) | (((fraction << shift) & 1023) << 13);
    }
  }
  return new Float32Array(bits.buffer);
}
