/** Messages of GRIB edition 1 on regular grids. */
import { AtmorepError } from "../../../errors.js";
import type { FileView } from "../view.js";
import type { GribField, GribMessage } from "./field.js";
import { level1 } from "./levels.js";
import { nameOfEdition1 } from "./names.js";
import { damaged, Octets, power } from "./octets.js";
import { unpackByEccodes, whyNotUnpacked } from "./packed.js";
import { otherGrid, type RegularGrid, regularGrid } from "./regularGrid.js";
import { type Bitmap, unpackSimple } from "./simplePacking.js";
import { duration, timeOf } from "./times.js";

/** Longer messages use a convention of their own, which is not read. */
const LONGEST = 0x800000;
/** The longest part of a section that says what it holds. */
const DESCRIPTION = 128;
const HAS_GRID = 0x80;
const HAS_BITMAP = 0x40;
/** The shortest sections 1 and 2 of the edition. */
const SHORTEST = { product: 28, grid: 32 };
/** Flags of section 4. */
const DATA = { spectral: 0x80, complex: 0x40, more: 0x10 };
const RESERVED_SCAN = 0x1f;
const ECMWF = 98;
/** Definition of ECMWF's local section that has the ensemble's member. */
const ENSEMBLE = 1;

const GRIDS: Readonly<Record<number, string>> = {
  1: "a Mercator grid",
  3: "a Lambert grid",
  4: "a Gaussian grid",
  5: "a polar stereographic grid",
  10: "a rotated grid",
  50: "spherical harmonics",
};

/** Reads what a message is; its values are read when they are asked for. @param where file and message */
export async function readMessage1(view: FileView, offset: number, where: string): Promise<GribMessage> {
  const head = new Octets(await view.read(offset, 8), where);
  const length = head.uint(5, 3);
  if (length >= LONGEST || length < 8 + 28 + 11 + 4) {
    throw new AtmorepError("input", "a GRIB message of a length that is not read", {
      where,
      found: length,
      expected: "below 8 MB in edition 1",
      fix: "Convert the file to edition 2, for instance with grib_set -s edition=2",
    });
  }
  const section = async (at: number) => {
    const size = Math.max(0, Math.min(DESCRIPTION, length - 4 - at));
    return new Octets(await view.read(offset + Math.min(at, length), size), where);
  };
  const product = await section(8);
  if (product.uint(1, 3) < SHORTEST.product) throw damaged(where, `section 1 of ${product.uint(1, 3)} bytes`);
  const level = level1(product.uint(10, 1), product.uint(11, 2));
  const kind = typeof level === "string" ? null : level.kind;
  const centre = product.uint(5, 1);
  const name = nameOfEdition1(centre, product.uint(4, 1), product.uint(9, 1), kind, product.uint(11, 2));
  const skip = (why: string): GribMessage => ({ length, fields: [{ name: name.name, why }] });
  if (typeof level === "string") return skip(level);
  const flags = product.uint(8, 1);
  if (!(flags & HAS_GRID)) return skip("its messages do not describe their grid");
  const gridAt = 8 + product.uint(1, 3);
  const gridSection = await section(gridAt);
  if (gridSection.uint(1, 3) < SHORTEST.grid) throw damaged(where, `section 2 of ${gridSection.uint(1, 3)} bytes`);
  const ends = verticalEnd(gridSection);
  if (ends > gridSection.uint(1, 3)) throw damaged(where, `vertical coordinates up to octet ${ends} of section 2`);
  const grid = readGrid(gridSection, where);
  if (typeof grid === "string") return skip(grid);
  const time = validTime(product, where);
  if (time === null) return skip("the unit or range of its times is not read");
  const mapAt = gridAt + gridSection.uint(1, 3);
  const bitmap = flags & HAS_BITMAP ? bitmapOf(await section(mapAt), mapAt) : null;
  const dataAt = bitmap ? bitmap[1] : mapAt;
  const data = await section(dataAt);
  if (dataAt + data.uint(1, 3) > length - 4) throw damaged(where, `section 4 of ${data.uint(1, 3)} bytes`);
  const packing = data.uint(4, 1);
  if (packing & DATA.spectral) return skip(otherGrid("spherical harmonics"));
  const isComplex = (packing & DATA.complex) !== 0;
  const why = isComplex ? whyNotUnpacked("second order") : null;
  if (why) return skip(why);
  if (!isComplex && packing & DATA.more) return skip("its packing is none of grid points");
  const decimalScale = product.signed(27, 2);
  const field: GribField = {
    name,
    where,
    ...level,
    time,
    member: memberOf(product, centre),
    grid,
    async values() {
      const message = await view.read(offset, length);
      if (isComplex) return unpackByEccodes(message, grid.points, time, "second order", where);
      return decode(message, bitmap, dataAt, decimalScale, grid, where);
    },
  };
  return { length, fields: [field] };
}

/** The octet where the vertical coordinates end; without a place of their own they begin behind the grid. */
function verticalEnd(section: Octets): number {
  const [count, place] = [section.uint(4, 1), section.uint(5, 1)];
  return count === 0 ? 0 : (place === 0xff ? SHORTEST.grid : place - 1) + 4 * count;
}

function readGrid(section: Octets, where: string): RegularGrid | string {
  const kind = section.uint(6, 1);
  if (kind !== 0) return otherGrid(GRIDS[kind] ?? `a grid of type ${kind}`);
  const columns = section.uint(7, 2);
  if (columns === 0xffff) return otherGrid("a reduced grid");
  const scan = section.uint(28, 1);
  if (scan & RESERVED_SCAN) return "its scanning mode has flags that edition 1 does not have";
  const degrees = (octet: number) => section.signed(octet, 3) / 1000;
  const rows = section.uint(9, 2);
  if (columns * rows === 0) throw damaged(where, `a grid of ${columns} x ${rows} points`);
  return regularGrid([columns, rows], [degrees(11), degrees(14)], [degrees(18), degrees(21)], scan);
}

function validTime(product: Octets, where: string): bigint | null {
  const year = (product.uint(25, 1) - 1) * 100 + product.uint(13, 1);
  const clock = [14, 15, 16, 17].map((octet) => product.uint(octet, 1)) as [number, number, number, number];
  const reference = timeOf([year, ...clock, 0], where);
  const range = product.uint(21, 1);
  const [p1, p2] = [product.uint(19, 1), product.uint(20, 1)];
  const periods = range === 10 ? product.uint(19, 2) : range === 0 || range === 1 ? p1 : range <= 5 ? p2 : null;
  const ahead = periods === null ? null : duration(1, product.uint(18, 1), periods);
  return ahead === null ? null : reference + ahead;
}

/** ECMWF's local section follows octet 40. */
function memberOf(product: Octets, centre: number): number | null {
  if (centre !== ECMWF || product.uint(1, 3) < 51 || product.uint(41, 1) !== ENSEMBLE) return null;
  return product.uint(51, 1) > 0 ? product.uint(50, 1) : null;
}

/** Where a bitmap's bits begin and end in the message whose section 3 begins at `at`. */
function bitmapOf(section: Octets, at: number): [from: number, to: number] {
  const length = section.uint(1, 3);
  if (length < 6) throw damaged(section.where, `a bitmap of ${length} bytes`);
  if (section.uint(5, 2) !== 0) {
    throw new AtmorepError("input", "a GRIB message names a bitmap of the centre's own", { where: section.where });
  }
  return [at + 6, at + length];
}

function decode(
  message: Uint8Array,
  bits: [from: number, to: number] | null,
  dataAt: number,
  decimalScale: number,
  grid: RegularGrid,
  where: string,
): Float64Array {
  const data = new Octets(message.subarray(dataAt, message.length - 4), where);
  const packing = {
    reference: ibmFloat(data.uint(7, 4)),
    binaryScale: data.signed(5, 2),
    decimalScale,
    bits: data.uint(11, 1),
  };
  const bitmap: Bitmap = bits && message.subarray(...bits);
  return unpackSimple(
    packing,
    data.from(12).subarray(0, Math.max(0, data.uint(1, 3) - 11)),
    bitmap,
    grid.points,
    where,
  );
}

/** A 32-bit float of IBM's System/360: sign, exponent of 16 with excess 64, fraction of 24 bits. */
function ibmFloat(word: number): number {
  const sign = word >= 0x80000000 ? -1 : 1;
  const exponent = ((word >>> 24) & 0x7f) - 64;
  return sign * ((word & 0xffffff) / 0x1000000) * power(16, exponent);
}
