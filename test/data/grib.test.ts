/** GRIB files that are damaged, with our own reader alone: a message that names file and message, or values; never a hang. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { openInput } from "../../src/data/import/open.js";
import { isAtmorepError } from "../../src/errors.js";
import { chooser, DAMAGES } from "../support/damage.js";
import { type GribMessageSpec, grib1, grib2 } from "./importFixtures.js";
import { temporaryFolder } from "./support.js";

const CASES = Number(process.env.ATMOREP_FUZZ ?? 400);
const folder = temporaryFolder();
afterAll(folder.remove);
const path = join(folder.path, "t.grib");

const spec: GribMessageSpec = {
  parameter: 130,
  level: [100, 500],
  date: [2019, 3, 1, 0],
  grid: { first: [54, 350], last: [50, 2], size: [4, 3] },
  integers: Array.from({ length: 12 }, (_, i) => (i === 5 ? null : (i * 37) % 1024)),
  bits: 10,
  reference: -2.5,
  binaryScale: -3,
  decimalScale: 1,
};
/** Copies: damages change what a slice of a Buffer would share. */
const MESSAGES = {
  1: Uint8Array.from(grib1(spec)),
  2: Uint8Array.from(grib2({ ...spec, parameter: [0, 0], level: [100, 50000] })),
};

async function readAll(bytes: Uint8Array): Promise<{ skipped: string[]; values: number }> {
  writeFileSync(path, bytes);
  const file = await openInput(path);
  try {
    let values = 0;
    for (const variable of file.variables) {
      for (let t = 0; t < variable.times.length; t++) {
        for (let l = 0; l < (variable.levels ?? [0]).length; l++) values += (await variable.readPlane(t, l)).length;
      }
    }
    return { skipped: file.skipped.map(({ why }) => why), values };
  } finally {
    await file.close();
  }
}

const changed = (bytes: Uint8Array, edit: (copy: Buffer) => void) => {
  const copy = Buffer.from(bytes);
  edit(copy);
  return copy;
};

/** Where the section of the grid begins in edition 2, and that of the product; where that of the grid begins in edition 1. */
const SECTION_3 = 16 + 21;
const SECTION_4 = SECTION_3 + 72;
const SECTION_2 = 8 + 28;

describe.each([1, 2] as const)("edition %i", (edition) => {
  const bytes = MESSAGES[edition];

  it("damaged at random", async () => {
    const choose = chooser(edition);
    const kinds = Object.values(DAMAGES);
    const tally = { read: 0, refused: 0 };
    for (let i = 0; i < CASES; i++) {
      const damaged = kinds[i % kinds.length](bytes, choose);
      try {
        await readAll(Buffer.concat([bytes, damaged]));
        tally.read += 1;
      } catch (error) {
        if (!isAtmorepError(error) || error.exitCode > 2) throw error;
        expect(error.message).toContain(path);
        tally.refused += 1;
      }
    }
    expect(tally.refused).toBeGreaterThan(CASES / 10);
    expect(tally.read).toBeGreaterThan(CASES / 10);
  });

  it("of length 0 ends", async () => {
    const empty = changed(bytes, (copy) => (edition === 1 ? copy.fill(0, 4, 7) : copy.fill(0, 8, 16)));
    await expect(readAll(Buffer.concat([bytes, empty]))).rejects.toThrow(
      new RegExp(`t\\.grib: message 2 \\(byte ${bytes.length}\\): .*found (0|a message of 0 bytes)`),
    );
  });

  it("cut short, or without its end", async () => {
    await expect(readAll(bytes.subarray(0, -1))).rejects.toThrow(/t\.grib/);
    await expect(readAll(changed(bytes, (copy) => copy.write("7778", copy.length - 4)))).rejects.toThrow(
      /message 1 \(byte 0\): a GRIB message is damaged; found no 7777/,
    );
  });

  it("that asks for more points than there can be is left out, before memory is taken", async () => {
    const huge = changed(bytes, (copy) => {
      if (edition === 1) copy.fill(0xfe, 8 + 28 + 6, 8 + 28 + 10);
      else {
        copy.writeUInt32BE(70_000, SECTION_3 + 30);
        copy.writeUInt32BE(60_000, SECTION_3 + 34);
        copy.writeUInt32BE(70_000 * 60_000, SECTION_3 + 6);
      }
    });
    const { skipped, values } = await readAll(huge);
    expect([values, skipped]).toEqual([0, [expect.stringMatching(/more than the 16777216 that are read/)]]);
  });

  it("whose vertical coordinates reach beyond their section is refused, as ecCodes refuses it", async () => {
    const long = changed(bytes, (copy) => {
      if (edition === 1) copy[SECTION_2 + 3] = 107;
      else copy.writeUInt16BE(40_000, SECTION_4 + 5);
    });
    await expect(readAll(long)).rejects.toThrow(/message 1 \(byte 0\): .*damaged; found .*vertical coordinates/);
  });

  it("of a grid without points, or of other points than it says, is refused", async () => {
    const none = changed(bytes, (copy) =>
      copy.fill(0, edition === 1 ? SECTION_2 + 6 : SECTION_3 + 30, edition === 1 ? SECTION_2 + 8 : SECTION_3 + 34),
    );
    await expect(readAll(none)).rejects.toThrow(/damaged; found a grid of 0 x 3 points/);
    if (edition === 1) return;
    const other = changed(bytes, (copy) => copy.writeUInt32BE(13, SECTION_3 + 6));
    await expect(readAll(other)).rejects.toThrow(/damaged; found a grid of 4 x 3 points, said to have 13/);
  });
});

it("finds a message behind a megabyte of other bytes", async () => {
  const later = grib1({ ...spec, date: [2019, 3, 2, 0] });
  const { values } = await readAll(Buffer.concat([MESSAGES[1], Buffer.alloc((1 << 20) + 17), later]));
  expect(values).toBe(24);
});
