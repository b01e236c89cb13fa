/** Files as Python writes them, imported and compared point by point with the values and times that xarray decodes. */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { levelSource } from "../../src/data/fields.js";
import { importStore } from "../../src/data/import/index.js";
import { openStore } from "../../src/data/store.js";
import { readValues, wholeWindow } from "../../src/data/values.js";
import { PYTHON_ZARR3 } from "./python.js";

const SCRIPT = fileURLToPath(new URL("import/files.py", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "atmorep-import-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Case {
  path: string;
  /** all files, where there are several */
  paths?: string[];
  /** data variables of the file, by xarray; null of a zip file */
  holds?: string[] | null;
  combine?: "first" | "last";
  /** part of the message, of a file that is refused */
  error?: string;
  /** [time, lat, lon] in the store's order by field and level */
  fields: Record<string, (number | null)[]>;
  /** seconds since 1970 */
  times: number[];
  levels?: number[];
  notes?: string;
  left_out?: string[];
  is_global?: boolean;
}

const text = execFileSync(PYTHON_ZARR3, ["-W", "ignore", SCRIPT, folder], { encoding: "utf8", maxBuffer: 1 << 28 });
const cases = Object.entries(JSON.parse(text) as Record<string, Case>);

describe("what Python writes", () => {
  it.each(cases.filter(([, { error }]) => !error))("%s: the values and times that xarray has", async (name, wanted) => {
    const out = join(folder, `${name.replace(/\W+/g, "_")}.out.zarr`);
    const summary = await importStore(wanted.paths ?? [wanted.path], out, { combine: wanted.combine ?? null });
    if (wanted.levels) expect(summary.levels).toEqual(wanted.levels);
    if (wanted.notes) expect(summary.notes.join("; ")).toContain(wanted.notes);
    const left = summary.leftOut.map((entry) => entry.name);
    for (const part of wanted.left_out ?? []) expect(left).toContain(part);
    // whatever is not in the store is listed
    const taken = new Set([...summary.fields, ...summary.fieldsSfc]).size;
    if (wanted.holds) expect(wanted.holds.filter((variable) => !left.includes(variable)).length).toBe(taken);
    expect(summary.isGlobal).toBe(wanted.is_global ?? false);
    const store = await openStore(out);
    expect(Array.from(store.times, (ns) => Number(ns / 1_000_000_000n))).toEqual(wanted.times);
    const fields = Object.keys(wanted.fields);
    expect([...summary.fields, ...summary.fieldsSfc].sort()).toEqual(
      [...new Set(fields.map((f) => f.split(" ")[0]))].sort(),
    );
    for (const [key, values] of Object.entries(wanted.fields)) {
      const [field, level] = key.split(" ");
      const got = await readValues(store, levelSource(store, field, Number(level)), wholeWindow(store));
      expect(Array.from(got.values, (value) => (Number.isNaN(value) ? null : value))).toEqual(values);
      const missing = values.filter((value) => value === null).length / values.length;
      expect(summary.missing[level === "0" ? field : key] ?? 0).toBe(missing);
    }
    await store.close();
  });

  it.each(cases.filter(([, { error }]) => error))("%s: is refused", async (name, { path, paths, error }) => {
    const out = join(folder, `${name.replace(/\W+/g, "_")}.out.zarr`);
    await expect(importStore(paths ?? [path], out)).rejects.toThrow(error);
  });
});
