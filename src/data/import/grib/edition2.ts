/** Messages of GRIB edition 2 on regular grids. */
import { AtmorepError } from "../../../errors.js";
import type { FileView } from "../view.js";
import type { GribField, GribMessage } from "./field.js";
import { type LevelKind, level2 } from "./levels.js";
import { nameOfEdition2 } from "./names.js";
import { damaged, Octets, power } from "./octets.js";
import { PACKING_2, unpackByEccodes, whyNotUnpacked } from "./packed.js";
import { otherGrid, type RegularGrid, regularGrid } from "./regularGrid.js";
import { type Bitmap, unpackFloats, unpackSimple } from "./simplePacking.js";
import { duration, timeOf } from "./times.js";

const SIMPLE = 0;
const IEEE_FLOAT = 4;
const FLOAT_BYTES: Readonly<Record<number, 4 | 8>> = { 1: 4, 2: 8 };
const NO_BITMAP = 255;
const FORMER_BITMAP = 254;
/** Product templates that are read: the octet where an interval's end stands, and where the ensemble's member. */
const PRODUCT: Readonly<Record<number, { end?: number; member?: number; statistic?: number }>> = {
  0: {},
  1: { member: 36 },
  8: { end: 35, statistic: 47 },
  11: { member: 36, end: 38, statistic: 50 },
};
/** Types of fixed surfaces, code table 4.5. */
const SURFACE = 1;
const NOMINAL_TOP = 8;
const ENTIRE_ATMOSPHERE = 10;
const NO_SURFACE = 255;
const LAYERED: ReadonlySet<LevelKind> = new Set<LevelKind>(["entireAtmosphere", "depthBelowLand", "soilLayer", "lake"]);
/** The longest part of a section that says what it holds; model levels append their coefficients. */
const DESCRIPTION = 128;
/** A message of one field that is given to ecCodes, bytes. */
const LARGEST = 1 << 28;

const GRIDS: Readonly<Record<number, string>> = {
  1: "a rotated grid",
  10: "a Mercator grid",
  20: "a polar stereographic grid",
  30: "a Lambert grid",
  40: "a Gaussian grid",
  50: "spherical harmonics",
  90: "a view from space",
  101: "an unstructured grid",
  150: "a HEALPix grid",
};

interface Section {
  octets: Octets;
  at: number;
  length: number;
}

/** Sections by number, as they hold for one field. */
type Sections = ReadonlyMap<number, Section>;

/** Reads what the fields of a message are; their values are read when they are asked for. @param where file and message */
export async function readMessage2(view: FileView, offset: number, where: string): Promise<GribMessage> {
  const head = new Octets(await view.read(offset, 16), where);
  const length = head.uint(9, 4) * 2 ** 32 + head.uint(13, 4);
  if (length < 16 + 4 || offset + length > view.size) {
    throw damaged(where, `a message of ${length} bytes, of which the file has ${view.size - offset}`);
  }
  const message: GribMessage = { length, fields: [] };
  const sections = new Map<number, Section>();
  for (let at = offset + 16; at < offset + length - 4; ) {
    const octets = new Octets(await view.read(at, Math.min(DESCRIPTION, offset + length - at)), where);
    const [size, number] = [octets.uint(1, 4), octets.uint(5, 1)];
    if (size < 5 || number < 1 || number > 7 || at + size > offset + length - 4) {
      throw damaged(where, `section ${number} of ${size} bytes`);
    }
    // A bitmap may be that of the field before.
    const former = number === 6 && sections.has(6) && octets.uint(6, 1) === FORMER_BITMAP;
    if (!former) sections.set(number, { octets, at, length: size });
    if (number === 7) message.fields.push(fieldOf(view, head, new Map(sections), where));
    at += size;
  }
  return message;
}

function fieldOf(view: FileView, head: Octets, sections: Sections, where: string): GribMessage["fields"][number] {
  const [identity, gridSection, product, packing] = [1, 3, 4, 5].map((number) => need(sections, number, where).octets);
  const coordinates = product.uint(6, 2);
  const { length } = need(sections, 4, where);
  if (9 + 4 * coordinates > length) throw damaged(where, `${coordinates} vertical coordinates in ${length} bytes`);
  const [first, second] = [product.uint(23, 1), product.uint(29, 1)];
  const isColumn = first === SURFACE && second === NOMINAL_TOP;
  const type = isColumn ? ENTIRE_ATMOSPHERE : first;
  const value = product.uint(25, 4) === 0xffffffff ? null : scaled(product.signed(25, 4), product.signed(24, 1));
  const level = level2(type, value);
  const kind = typeof level === "string" ? null : level.kind;
  const template = PRODUCT[product.uint(8, 2)];
  const statistic = template?.statistic ? product.uint(template.statistic, 1) : null;
  const numbers = [head.uint(7, 1), product.uint(10, 1), product.uint(11, 1)] as const;
  const name = nameOfEdition2(identity.uint(6, 2), numbers, [type, value ?? 0, kind], statistic);
  const skip = (why: string) => ({ name: name.name, why });
  if (typeof level === "string") return skip(level);
  if (second !== NO_SURFACE && !isColumn && !LAYERED.has(level.kind))
    return skip("it stands in layers between two levels");
  const grid = readGrid(gridSection, where);
  if (typeof grid === "string") return skip(grid);
  if (!template) return skip(`its product template ${product.uint(8, 2)} is not read`);
  const time = validTime(identity, product, template.end, where);
  if (time === null) return skip("the unit of its times is not read");
  const packed = packing.uint(10, 2);
  const other = PACKING_2[packed];
  if (other === undefined && packed !== SIMPLE && packed !== IEEE_FLOAT) {
    return skip(`its packing ${packed} is not read; grib_set -r -s packingType=grid_simple packs it again`);
  }
  const why = other === undefined ? null : whyNotUnpacked(other);
  if (why) return skip(why);
  return {
    name,
    where,
    ...level,
    time,
    member: template.member ? product.uint(template.member, 1) : null,
    grid,
    async values() {
      if (other === undefined) return decode(view, sections, grid.points, where);
      return unpackByEccodes(await messageOf(view, head, sections, where), grid.points, time, other, where);
    },
  } satisfies GribField;
}

/** `value * 10^-scale`, by a division where there are decimals. */
const scaled = (value: number, scale: number) => (scale > 0 ? value / power(10, scale) : value * power(10, -scale));

function need(sections: Sections, number: number, where: string): Section {
  const section = sections.get(number);
  if (!section) throw damaged(where, `no section ${number}`);
  return section;
}

function readGrid(section: Octets, where: string): RegularGrid | string {
  const template = section.uint(13, 2);
  if (section.uint(6, 1) !== 0) return "its grid is one of the centre's own definitions";
  const columns = template === 0 || template === 40 ? section.uint(31, 4) : 0;
  if (columns === 0xffffffff || section.uint(11, 1) !== 0) {
    return otherGrid(template === 40 ? "a reduced Gaussian grid" : "a reduced grid");
  }
  if (template !== 0) return otherGrid(GRIDS[template] ?? `a grid of template ${template}`);
  const rows = section.uint(35, 4);
  if (columns * rows === 0 || columns * rows !== section.uint(7, 4)) {
    throw damaged(where, `a grid of ${columns} x ${rows} points, said to have ${section.uint(7, 4)}`);
  }
  const [basic, parts] = [section.uint(39, 4), section.uint(43, 4)];
  const unit = basic === 0 || basic === 0xffffffff || parts === 0 || parts === 0xffffffff ? 1e6 : parts / basic;
  const degrees = (octet: number) => section.signed(octet, 4) / unit;
  return regularGrid([columns, rows], [degrees(47), degrees(51)], [degrees(56), degrees(60)], section.uint(72, 1));
}

function validTime(identity: Octets, product: Octets, end: number | undefined, where: string): bigint | null {
  const timeAt = (octets: Octets, at: number) => {
    const [month, day, hour, minute, second] = [2, 3, 4, 5, 6].map((k) => octets.uint(at + k, 1));
    return timeOf([octets.uint(at, 2), month, day, hour, minute, second], where);
  };
  if (end !== undefined) return timeAt(product, end);
  const ahead = duration(2, product.uint(18, 1), product.signed(19, 4));
  return ahead === null ? null : timeAt(identity, 13) + ahead;
}

async function decode(view: FileView, sections: Sections, points: number, where: string): Promise<Float64Array> {
  const whole = async (number: number) => {
    const { at, length } = need(sections, number, where);
    return new Octets(await view.read(at, length), where);
  };
  const packing = need(sections, 5, where).octets;
  const map = await whole(6);
  const indicator = map.uint(6, 1);
  if (indicator !== NO_BITMAP && indicator !== 0) {
    throw new AtmorepError("input", "a GRIB bitmap that is not read", {
      where,
      found: indicator,
      expected: "0 or 255",
    });
  }
  const bitmap: Bitmap = indicator === 0 ? map.from(7) : null;
  const data = (await whole(7)).from(6);
  if (packing.uint(10, 2) === IEEE_FLOAT) {
    const size = FLOAT_BYTES[packing.uint(12, 1)];
    if (!size) throw damaged(where, `floats of precision ${packing.uint(12, 1)}`);
    return unpackFloats(size, data, bitmap, points, where);
  }
  const simple = {
    reference: packing.float(12),
    binaryScale: packing.signed(16, 2),
    decimalScale: packing.signed(18, 2),
    bits: packing.uint(20, 1),
  };
  return unpackSimple(simple, data, bitmap, points, where);
}

/** A message of this field alone, whatever others its own had. */
async function messageOf(view: FileView, head: Octets, sections: Sections, where: string): Promise<Uint8Array> {
  const parts = [1, 2, 3, 4, 5, 6, 7].filter((number) => number !== 2 || sections.has(2));
  const places = parts.map((number) => need(sections, number, where));
  const length = 16 + places.reduce((sum, place) => sum + place.length, 0) + 4;
  if (length > LARGEST) throw damaged(where, `a field of ${length} bytes`);
  const message = Buffer.alloc(length);
  message.set(head.bytes);
  message.writeBigUInt64BE(BigInt(length), 8);
  let at = 16;
  for (const place of places) {
    message.set(await view.read(place.at, place.length), at);
    at += place.length;
  }
  message.write("7777", at, "latin1");
  return message;
}
