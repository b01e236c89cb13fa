/**
 * The frame of a GRIB message: what is looked at before ecCodes sees it, since messages cut short crash it.
 * Layout: WMO Manual on Codes, FM 92 GRIB, section 0 and the lengths of the others.
 */

/** Octets of the shortest section by its number: of edition 1, and of edition 2. */
const SHORTEST_1 = [0, 28, 32, 6, 11];
const SHORTEST_2 = [0, 21, 5, 15, 9, 11, 6, 5];
const END = 0x37373737;
const HAS_GRID = 0x80;
const HAS_BITMAP = 0x40;

/**
 * Why the bytes are not one whole message; null if they are: `GRIB` to `7777`, of the length they declare, of sections
 * that follow one another in order and add up.
 */
export function frameFault(message: Uint8Array): string | null {
  const size = message.length;
  const view = new DataView(message.buffer, message.byteOffset, size);
  if (size < 20 || view.getUint32(0) !== 0x47524942) return "it does not begin with GRIB, or ends at once";
  if (view.getUint32(size - 4) !== END) return "it does not end with 7777";
  const edition = message[7];
  if (edition !== 1 && edition !== 2) return `its edition is ${edition}`;
  const declared = edition === 1 ? view.getUint32(4) >>> 8 : Number(view.getBigUint64(8));
  if (declared !== size) return `it declares ${declared} bytes and has ${size}`;
  return edition === 1 ? faultOf1(message, view) : faultOf2(message, view);
}

function faultOf1(message: Uint8Array, view: DataView): string | null {
  const end = message.length - 4;
  const flags = message[15];
  let at = 8;
  for (let section = 1; section <= 4; section++) {
    if ((section === 2 && !(flags & HAS_GRID)) || (section === 3 && !(flags & HAS_BITMAP))) continue;
    if (at + 4 > end) return `it has no section ${section}`;
    const length = view.getUint32(at) >>> 8;
    if (length < SHORTEST_1[section] || at + length > end) return `its section ${section} has ${length} bytes`;
    at += length;
  }
  return at === end ? null : "its sections do not add up";
}

/** One field: sections 1, 3, 4, 5, 6, 7, and 2 behind 1 or not at all. */
function faultOf2(message: Uint8Array, view: DataView): string | null {
  const end = message.length - 4;
  let last = 0;
  for (let at = 16; at < end; ) {
    if (at + 5 > end) return "its sections do not add up";
    const length = view.getUint32(at);
    const section = message[at + 4];
    if (section !== last + 1 && !(last === 1 && section === 3)) return `its section ${section} comes after ${last}`;
    if (length < (SHORTEST_2[section] ?? Infinity) || at + length > end)
      return `its section ${section} has ${length} bytes`;
    last = section;
    at += length;
  }
  return last === 7 ? null : `it ends with section ${last}`;
}
