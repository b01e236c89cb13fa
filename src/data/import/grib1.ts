/** Messages of GRIB edition 1: regular grids, simple packing. */
import { AtmorepError } from "../../errors.js";
import {
  type GribField,
  type GribGrid,
  type GribMessage,
  Octets,
  power,
  regularGrid,
  timeOf,
  UNIT_SECONDS,
  unpackSimple,
} from "./gribField.js";
import { ECMWF_PARAMETERS, type Name } from "./gribNames.js";
import type { FileView } from "./view.js";

const MODEL_LEVEL = 109;
const PRESSURE = 100;
/** Longer messages use a convention of their own, which is not read. */
const LONGEST = 0x800000;

/** Reads what a message is; its values are read when they are asked for. */
export async function readMessage1(view: FileView, offset: number): Promise<GribMessage> {
  const where = `${view.path}: byte ${offset}`;
  const head = new Octets(await view.read(offset, 8 + 28));
  const length = head.uint(5, 3);
  if (length >= LONGEST || length < 48) {
    throw new AtmorepError("input", "a GRIB message of a length that is not read", {
      where,
      found: length,
      expected: "below 8 MB in edition 1",
      fix: "Convert the file to edition 2, for instance with grib_set -s edition=2",
    });
  }
  const product = new Octets(head.from(9));
  const [name, units] = nameOf(product);
  const skip = (why: string): GribMessage => ({ length, fields: [{ name, why }] });
  const flags = product.uint(8, 1);
  if (!(flags & 0x80)) return skip("its messages do not describe their grid");
  const gridAt = 8 + product.uint(1, 3);
  const grid = readGrid(new Octets(await view.read(offset + gridAt, 32)));
  if (typeof grid === "string") return skip(grid);
  const time = validTime(product);
  if (time === null) return skip("the unit or range of its times is not read");
  const kind = product.uint(10, 1);
  const levels = kind === MODEL_LEVEL || kind === PRESSURE;
  const field: GribField = {
    name,
    units,
    kind,
    level: levels ? product.uint(11, 2) : null,
    time,
    grid,
    decode: async () => decode(await view.read(offset, length), gridAt, flags, product.signed(27, 2), grid, where),
  };
  return { length, fields: [field] };
}

function nameOf(product: Octets): Name {
  const [table, parameter] = [product.uint(4, 1), product.uint(9, 1)];
  // Table 128 is ECMWF's; other centres number the same quantities otherwise.
  return (table === 128 ? ECMWF_PARAMETERS[parameter] : undefined) ?? [`parameter_${table}_${parameter}`, ""];
}

function readGrid(section: Octets): GribGrid | string {
  const kind = section.uint(6, 1);
  if (kind !== 0) return `its grid is of type ${kind}, not a regular one of latitudes and longitudes (0)`;
  const columns = section.uint(7, 2);
  if (columns === 0xffff) return "its grid is a reduced one";
  const degrees = (octet: number) => section.signed(octet, 3) / 1000;
  return regularGrid(
    [columns, section.uint(9, 2)],
    [degrees(11), degrees(14)],
    [degrees(18), degrees(21)],
    section.uint(28, 1),
  );
}

function validTime(product: Octets): bigint | null {
  const year = (product.uint(25, 1) - 1) * 100 + product.uint(13, 1);
  const reference = timeOf(year, product.uint(14, 1), product.uint(15, 1), product.uint(16, 1), product.uint(17, 1));
  const range = product.uint(21, 1);
  const [p1, p2] = [product.uint(19, 1), product.uint(20, 1)];
  const periods = range === 10 ? product.uint(19, 2) : range === 0 || range === 1 ? p1 : range <= 5 ? p2 : null;
  const unit = UNIT_SECONDS[product.uint(18, 1)];
  if (periods === null || (unit === undefined && periods > 0)) return null;
  return reference + BigInt(periods * (unit ?? 0)) * 1_000_000_000n;
}

function decode(
  message: Uint8Array,
  gridAt: number,
  flags: number,
  decimalScale: number,
  grid: GribGrid,
  where: string,
): Float64Array {
  const section = (at: number) => new Octets(message.subarray(at));
  let at = gridAt + section(gridAt).uint(1, 3);
  let bitmap: Uint8Array | null = null;
  if (flags & 0x40) {
    const own = section(at);
    if (own.uint(5, 2) !== 0) {
      throw new AtmorepError("input", "a GRIB message names a bitmap of the centre's own", { where });
    }
    bitmap = own.from(7);
    at += own.uint(1, 3);
  }
  const data = section(at);
  if (data.uint(4, 1) & 0xd0) {
    throw new AtmorepError("input", "a GRIB packing that is not read", {
      where,
      expected: "simple packing of grid point values",
      fix: "Pack the file again, for instance with grib_set -r -s packingType=grid_simple",
    });
  }
  const packing = {
    reference: ibmFloat(data.uint(7, 4)),
    binaryScale: data.signed(5, 2),
    decimalScale,
    bits: data.uint(11, 1),
  };
  const values = message.subarray(at + 11, at + data.uint(1, 3));
  return unpackSimple(packing, values, bitmap, grid.lats.length * grid.lons.length, where);
}

/** A 32-bit float of IBM's System/360: sign, exponent of 16 with excess 64, fraction of 24 bits. */
function ibmFloat(word: number): number {
  const sign = word >= 0x80000000 ? -1 : 1;
  const exponent = ((word >>> 24) & 0x7f) - 64;
  return sign * ((word & 0xffffff) / 0x1000000) * power(16, exponent);
}
