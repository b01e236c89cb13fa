/** Writing protocol buffers: the wire format of the few messages that TensorFlow is given. */

/** The encoded bytes of a message or a part of one. */
export type Bytes = Uint8Array;

export function join(parts: readonly Bytes[]): Bytes {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function varint(value: number | bigint): Bytes {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest > 127n) {
    bytes.push(Number(rest & 127n) | 128);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}

/** A whole number, a boolean or an enumeration. */
export const whole = (field: number, value: number | bigint): Bytes => join([varint(field << 3), varint(value)]);

/** A string, bytes or a message. */
export function part(field: number, value: Bytes | string): Bytes {
  const bytes = typeof value === "string" ? new TextEncoder().encode(value) : value;
  return join([varint((field << 3) | 2), varint(bytes.length), bytes]);
}

/** A float32. */
export function float(field: number, value: number): Bytes {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setFloat32(0, value, true);
  return join([varint((field << 3) | 5), bytes]);
}

/** Repeated whole numbers in one field. */
export const packed = (field: number, values: readonly number[]): Bytes => part(field, join(values.map(varint)));

/** An entry of a map whose keys are strings. */
export const entry = (field: number, key: string, value: Bytes | string): Bytes =>
  part(field, join([part(1, key), part(2, value)]));
