/** Reading protocol buffers: the fields of a message, of which the reader takes those it knows. */

/** A field: a whole number (kinds 0, 1, 5), or the bytes of a string or a message (kind 2). */
export type Field = number | Uint8Array;

/** Values of each field in their order, by field number. Whole numbers are exact up to 2^53. */
export class Message {
  private readonly fields = new Map<number, Field[]>();

  /** @throws RangeError if the bytes are no message */
  constructor(bytes: Uint8Array) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    let at = 0;
    const varint = (): number => {
      let value = 0;
      for (let scale = 1; ; scale *= 128) {
        const byte = view.getUint8(at++);
        value += (byte & 127) * scale;
        if (byte < 128) return value;
      }
    };
    const fixed = (size: 4 | 8): number => {
      const value = size === 4 ? view.getUint32(at, true) : Number(view.getBigUint64(at, true));
      at += size;
      return value;
    };
    while (at < bytes.length) {
      const key = varint();
      const kind = key % 8;
      let value: Field;
      if (kind === 0) value = varint();
      else if (kind === 1) value = fixed(8);
      else if (kind === 5) value = fixed(4);
      else if (kind === 2) {
        const length = varint();
        if (at + length > bytes.length) throw new RangeError("a field is longer than its message");
        value = bytes.subarray(at, at + length);
        at += length;
      } else throw new RangeError(`fields of kind ${kind} are unknown`);
      const number = Math.floor(key / 8);
      const values = this.fields.get(number);
      if (values) values.push(value);
      else this.fields.set(number, [value]);
    }
  }

  /** A whole number; 0 where it is absent, as the format has it. */
  whole(field: number): number {
    const value = this.fields.get(field)?.at(-1);
    return typeof value === "number" ? value : 0;
  }

  text(field: number): string {
    const value = this.fields.get(field)?.at(-1);
    return value instanceof Uint8Array ? new TextDecoder().decode(value) : "";
  }

  messages(field: number): Message[] {
    const values = this.fields.get(field) ?? [];
    return values.flatMap((value) => (value instanceof Uint8Array ? [new Message(value)] : []));
  }
}
