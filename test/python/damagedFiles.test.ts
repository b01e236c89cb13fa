/**
 * Damaged NetCDF and GRIB files, imported beside xarray and ecCodes: what they refuse is refused, unless what is read is what the
 * whole file holds (the damage lies where nothing is read from); what both accept has the same values and times.
 * ATMOREP_DAMAGED_FILES: cases a form (default 10; .ci/full 300).
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { crc32 } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import { levelSource } from "../../src/data/fields.js";
import { importStore } from "../../src/data/import/index.js";
import { openStore } from "../../src/data/store.js";
import { readValues, wholeWindow } from "../../src/data/values.js";
import { isAtmorepError } from "../../src/errors.js";
import { type WholeFiles, wholeFiles } from "../reliability/damaged/files.js";
import { damaged } from "../support/damage.js";
import { PYTHON_ZARR3 } from "./python.js";

const CASES = Number(process.env.ATMOREP_DAMAGED_FILES ?? 10);
const SCRIPT = fileURLToPath(new URL("import/damaged.py", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "atmorep-damaged-files-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const whole = await wholeFiles(folder);

/** Checksums of the fields of each file, or null where Python refuses it, or dies of it. */
function readByPython(dir: string, count: number): (number[] | null)[] {
  const found: (number[] | null)[] = [];
  while (found.length < count) {
    const before = found.length;
    const { stdout, stderr } = spawnSync(PYTHON_ZARR3, ["-W", "ignore", SCRIPT, dir, String(before)], {
      encoding: "utf8",
    });
    for (const line of stdout.split("\n").filter((text) => text !== "")) {
      const sums = line.trim().split(" ").slice(1);
      found.push(sums.length === 0 || sums[0] === "-" ? null : sums.map(Number));
    }
    if (found.length === before) throw new Error(`Python reads nothing: ${stderr.slice(-2000)}`);
  }
  return found;
}

/** Checksums of the fields of a file, with the times, or null if it is refused. */
async function readOurs(path: string, out: string): Promise<number[] | null> {
  try {
    await importStore([path], out);
  } catch (error) {
    if (!isAtmorepError(error)) throw error;
    expect(error.message).toContain(path.split("/").at(-1));
    return null;
  }
  const store = await openStore(out);
  const seconds = BigInt64Array.from(store.times, (ns) => ns / 1_000_000_000n);
  const places = [
    ...store.fields.flatMap((name) => store.levels.map((level) => [name, level] as const)),
    ...store.fieldsSfc.map((name) => [name, 0] as const),
  ];
  const sums: number[] = [];
  for (const [name, level] of places) {
    const { values } = await readValues(store, levelSource(store, name, level), wholeWindow(store));
    const floats = Float32Array.from(values);
    const bits = new Uint32Array(floats.buffer);
    for (let i = 0; i < floats.length; i++) if (Number.isNaN(floats[i])) bits[i] = 0x7fc00000;
    sums.push(crc32(new Uint8Array(floats.buffer), crc32(new Uint8Array(seconds.buffer))));
  }
  await store.close();
  return sums;
}

describe("damaged files beside Python", () => {
  const forms = ["cdf", "records", "nc", "grib1", "grib2"] as const satisfies (keyof WholeFiles)[];
  it.each(forms)("%s", { timeout: 120_000 + CASES * 5000 }, async (form) => {
    const dir = join(folder, form);
    mkdirSync(dir);
    const bytes = new Uint8Array(readFileSync(whole[form]));
    const head = bytes.slice(0, Math.min(1024, bytes.length));
    // half of them among the first kilobyte, where headers are
    const inHead = [...damaged(head, Math.ceil(CASES / 2), 21)].map((hurt) => {
      return Uint8Array.from([...hurt, ...bytes.slice(head.length)]);
    });
    const cases = [bytes, ...inHead, ...damaged(bytes, Math.floor(CASES / 2), 22)];
    const end = form.startsWith("grib") ? "grib" : "nc";
    for (const [i, content] of cases.entries()) writeFileSync(join(dir, `${i}.${end}`), content);
    const theirs = readByPython(dir, cases.length);
    const wrong: string[] = [];
    const told = { refused: 0, "refused by Python": 0, "whole, though Python refuses": 0 };
    let undamaged: number[] = [];
    for (const i of cases.keys()) {
      const ours = await readOurs(join(dir, `${i}.${end}`), join(dir, `${i}.zarr`));
      if (i === 0) undamaged = ours ?? [];
      if (ours === null) told.refused += 1;
      if (theirs[i] === null) told["refused by Python"] += 1;
      if (ours === null) continue;
      const isWhole = ours.length === undamaged.length && ours.every((sum, k) => sum === undamaged[k]);
      if (theirs[i] === null && isWhole && i > 0) told["whole, though Python refuses"] += 1;
      else if (!ours.every((sum) => theirs[i]?.includes(sum)))
        wrong.push(`case ${i}: ours ${ours}, Python's ${theirs[i]}`);
    }
    console.log(`${form}: ${CASES} damaged files, ${JSON.stringify(told)}`);
    expect(wrong).toEqual([]);
    expect(undamaged.length).toBe(1);
  });
});
