/** Messages of GRIB edition 2: regular grids, simple packing, plain floats. */
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
import { nameOfEdition2 } from "./gribNames.js";
import type { FileView } from "./view.js";

const PRESSURE = 100;
const MODEL_LEVEL = 105;
const NO_BITMAP = 255;
const SIMPLE = 0;
const IEEE_FLOAT = 4;
/** Octet of the end of the interval, by product template. */
const INTERVAL_END: Readonly<Record<number, number>> = { 8: 35, 11: 38 };
const POINT_IN_TIME = new Set([0, 1]);
/** The longest part of a section that says what it holds; model levels append their coefficients. */
const DESCRIPTION = 128;

/** Reads what the fields of a message are; their values are read when they are asked for. */
export async function readMessage2(view: FileView, offset: number): Promise<GribMessage> {
  const where = `${view.path}: byte ${offset}`;
  const head = new Octets(await view.read(offset, 16));
  const discipline = head.uint(7, 1);
  const length = head.uint(9, 4) * 2 ** 32 + head.uint(13, 4);
  const message: GribMessage = { length, fields: [] };
  const sections = new Map<number, { octets: Octets; at: number; length: number }>();
  for (let at = offset + 16; at < offset + length - 4; ) {
    const start = await view.read(at, Math.min(DESCRIPTION, offset + length - at));
    const octets = new Octets(start);
    const [size, number] = [octets.uint(1, 4), octets.uint(5, 1)];
    if (size < 5 || number < 1 || number > 7 || at + size > offset + length) {
      throw new AtmorepError("input", "a GRIB message is damaged", {
        where,
        found: `section ${number} of ${size} bytes`,
      });
    }
    sections.set(number, { octets, at, length: size });
    if (number === 7) message.fields.push(fieldOf(view, discipline, new Map(sections), where));
    at += size;
  }
  return message;
}

type Sections = ReadonlyMap<number, { octets: Octets; at: number; length: number }>;

function fieldOf(view: FileView, discipline: number, sections: Sections, where: string): GribMessage["fields"][number] {
  const [identity, gridSection, productSection, packing] = [1, 3, 4, 5].map((n) => sections.get(n)?.octets);
  if (!identity || !gridSection || !productSection || !packing) {
    throw new AtmorepError("input", "a GRIB message lacks a section", { where });
  }
  const kind = productSection.uint(23, 1);
  const surfaceLevel = productSection.signed(25, 4) * power(10, -productSection.signed(24, 1));
  const [category, parameter] = [productSection.uint(10, 1), productSection.uint(11, 1)];
  const [name, units] = nameOfEdition2(discipline, category, parameter, kind, surfaceLevel);
  const grid = readGrid(gridSection);
  if (typeof grid === "string") return { name, why: grid };
  const time = validTime(identity, productSection);
  if (time === null) return { name, why: "its product template or the unit of its times is not read" };
  const template = packing.uint(10, 2);
  if (template !== SIMPLE && template !== IEEE_FLOAT) {
    return {
      name,
      why: `its packing ${template} is not read (simple packing 0 and floats 4 are); grib_set -r -s packingType=grid_simple packs it again`,
    };
  }
  const level = kind === PRESSURE ? Math.round(surfaceLevel / 100) : kind === MODEL_LEVEL ? surfaceLevel : null;
  const field: GribField = {
    name,
    units,
    kind,
    level,
    time,
    grid,
    decode: () => decode(view, sections, grid.lats.length * grid.lons.length, where),
  };
  return field;
}

function readGrid(section: Octets): GribGrid | string {
  const template = section.uint(13, 2);
  if (template !== 0) return `its grid is of template ${template}, not a regular one of latitudes and longitudes (0)`;
  const columns = section.uint(31, 4);
  if (columns === 0xffffffff || section.uint(11, 1) !== 0) return "its grid is a reduced one";
  const [basic, parts] = [section.uint(39, 4), section.uint(43, 4)];
  const unit = basic === 0 || parts === 0 || parts === 0xffffffff ? 1e6 : parts / basic;
  const degrees = (octet: number) => section.signed(octet, 4) / unit;
  return regularGrid(
    [columns, section.uint(35, 4)],
    [degrees(47), degrees(51)],
    [degrees(56), degrees(60)],
    section.uint(72, 1),
  );
}

function validTime(identity: Octets, product: Octets): bigint | null {
  const template = product.uint(8, 2);
  const timeAt = (o: Octets, at: number) =>
    timeOf(
      o.uint(at, 2),
      ...([2, 3, 4, 5, 6].map((k) => o.uint(at + k, 1)) as [number, number, number, number, number]),
    );
  if (INTERVAL_END[template]) return timeAt(product, INTERVAL_END[template]);
  if (!POINT_IN_TIME.has(template)) return null;
  const periods = product.signed(19, 4);
  const unit = product.uint(18, 1) === 13 ? 1 : UNIT_SECONDS[product.uint(18, 1)];
  if (unit === undefined && periods !== 0) return null;
  return timeAt(identity, 13) + BigInt(periods * (unit ?? 0)) * 1_000_000_000n;
}

async function decode(view: FileView, sections: Sections, points: number, where: string): Promise<Float64Array> {
  const whole = async (number: number) => {
    const section = sections.get(number);
    if (!section)
      throw new AtmorepError("input", "a GRIB message lacks a section", { where, found: `no section ${number}` });
    return new Octets(await view.read(section.at, section.length));
  };
  const packing = (sections.get(5) as { octets: Octets }).octets;
  const map = await whole(6);
  const indicator = map.uint(6, 1);
  if (indicator !== NO_BITMAP && indicator !== 0) {
    throw new AtmorepError("input", "a GRIB bitmap that is not read", {
      where,
      found: indicator,
      expected: "0 or 255",
    });
  }
  const bitmap = indicator === 0 ? map.from(7) : null;
  const data = (await whole(7)).from(6);
  if (packing.uint(10, 2) === IEEE_FLOAT) return floats(packing.uint(12, 1), data, bitmap, points, where);
  const simple = {
    reference: packing.float(12),
    binaryScale: packing.signed(16, 2),
    decimalScale: packing.signed(18, 2),
    bits: packing.uint(20, 1),
  };
  return unpackSimple(simple, data, bitmap, points, where);
}

function floats(
  precision: number,
  data: Uint8Array,
  bitmap: Uint8Array | null,
  points: number,
  where: string,
): Float64Array {
  const size = precision === 1 ? 4 : 8;
  const view = new DataView(data.buffer, data.byteOffset, data.byteLength);
  const out = new Float64Array(points);
  let at = 0;
  for (let i = 0; i < points; i++) {
    if (bitmap && !((bitmap[i >> 3] >> (7 - (i & 7))) & 1)) {
      out[i] = Number.NaN;
      continue;
    }
    if (precision > 2 || at + size > data.length) {
      throw new AtmorepError("input", "a GRIB message holds fewer values than its grid has points", { where });
    }
    out[i] = size === 4 ? view.getFloat32(at) : view.getFloat64(at);
    at += size;
  }
  return out;
}
