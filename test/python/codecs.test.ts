/**
 * Every codec and form of array that is read, beside Python: the values, and what damaged chunks give. A damaged chunk
 * may be accepted only if Python accepts it, with the same values (flips without a checksum; versions of zstd give
 * different values for damaged frames: those are counted). ATMOREP_DAMAGED: cases a form (default 20; .ci/full 1000),
 * the first of them a chunk that holds many times what it should.
 */
import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { crc32 } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import { type ByteSource, type Lend, openSource } from "../../src/data/source/index.js";
import { sliceRange } from "../../src/data/source/types.js";
import { type ChunkedArray, openArray, readAll } from "../../src/data/zarr/array.js";
import { openMetadata } from "../../src/data/zarr/metadata.js";
import { isAtmorepError } from "../../src/errors.js";
import { openBlosc } from "../../src/native/index.js";
import { damaged } from "../support/damage.js";
import { PYTHON, PYTHON_ZARR3 } from "./python.js";

const CASES = Number(process.env.ATMOREP_DAMAGED ?? 20);
const SCRIPT = fileURLToPath(new URL("codecs/stores.py", import.meta.url));
const SECONDS = 10;

const folder = mkdtempSync(join(tmpdir(), "atmorep-codecs-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

type Made = Record<string, { chunk?: string; error?: string }>;

function make(program: string): [program: string, name: string, chunk: string][] {
  const text = execFileSync(program, ["-W", "ignore", SCRIPT, "make", folder], { encoding: "utf8" });
  return Object.entries(JSON.parse(text) as Made).map(([name, { chunk, error }]) => {
    if (!chunk) throw new Error(`${name}: Python could not write it: ${error}`);
    return [program, name, chunk];
  });
}

const forms = [PYTHON, ...(PYTHON_ZARR3 === PYTHON ? [] : [PYTHON_ZARR3])].flatMap(make);

async function open(source: ByteSource, name: string): Promise<ChunkedArray> {
  const metadata = await openMetadata(source, name);
  const facts = await metadata.array("a");
  return openArray(metadata, facts!, name, null);
}

/** The store with other bytes in the place of one file, put where a file's would be. */
function replaced(source: ByteSource, key: string, bytes: Uint8Array): ByteSource {
  const put = (part: Uint8Array, lend: Lend = (length) => new Uint8Array(length)) => {
    const place = lend(part.length);
    place.set(part);
    return place;
  };
  return {
    ...source,
    get: async (asked, limit, lend) => (asked === key ? put(bytes, lend) : source.get(asked, limit, lend)),
    getRange: async (asked, range, limit, lend) =>
      asked === key ? put(sliceRange(bytes, range), lend) : source.getRange(asked, range, limit, lend),
  };
}

/** Checksum of the values of the first chunk (or shard) as float64, or null if it is refused. */
async function readFirst(array: ChunkedArray, shape: readonly number[]): Promise<string | null> {
  try {
    const values = await readAll({ ...array, shape });
    for (let i = 0; i < values.length; i++) if (Number.isNaN(values[i])) values[i] = Number.NaN;
    const bits = new BigUint64Array(values.buffer);
    for (let i = 0; i < values.length; i++) if (Number.isNaN(values[i])) bits[i] = 0x7ff8000000000000n;
    return String(crc32(new Uint8Array(values.buffer)));
  } catch (error) {
    if (!isAtmorepError(error) || error.exitCode > 2) throw error;
    if (!/\ba\/(c\/)?0/.test(error.message)) throw new Error(`no file is named: ${error.message}`);
    return null;
  }
}

/** What Python makes of each case: a checksum, or null where it refuses, or dies. */
function readByPython(program: string, name: string, cases: string, count: number): (string | null)[] {
  const found: (string | null)[] = [];
  while (found.length < count) {
    const args = ["-W", "ignore", SCRIPT, "read", folder, name, cases, String(found.length)];
    const { stdout, stderr } = spawnSync(program, args, { encoding: "utf8", maxBuffer: 1 << 28 });
    const before = found.length;
    for (const line of stdout.split("\n").filter((text) => text !== "")) {
      const [, sum] = line.trim().split(" ");
      found.push(sum === undefined || sum === "-" ? null : sum);
    }
    if (found.length === before) throw new Error(`Python reads nothing: ${stderr.slice(-2000)}`);
  }
  return found;
}

const decoder = openBlosc() ? "libblosc2" : "own";

describe(`with the ${decoder} decoder`, () => {
  it.each(forms)("%s %s: the same values", async (_, name) => {
    const source = await openSource(join(folder, name));
    const bytes = readFileSync(join(folder, `${name}.bin`));
    const expected = new Float64Array(new Uint8Array(bytes).buffer);
    const values = await readAll(await open(source, name));
    await source.close();
    expect(values.length).toBe(expected.length);
    expect(values.findIndex((value, i) => value !== expected[i])).toBe(-1);
  });

  const timeout = 120_000 + CASES * 600;
  it.each(forms)("%s %s: nothing damaged that Python refuses", { timeout }, async (program, name, chunk) => {
    const source = await openSource(join(folder, name));
    const whole = new Uint8Array(readFileSync(join(folder, name, "a", chunk)));
    const bomb = new Uint8Array(readFileSync(join(folder, `${name}.bomb`)));
    const cases = [whole, bomb, ...damaged(whole, CASES - 1, 11)];
    const file = join(folder, `${name}.cases`);
    const lengths = cases.map(({ length }) => {
      const head = Buffer.alloc(4);
      head.writeUInt32LE(length);
      return head;
    });
    writeFileSync(file, Buffer.concat(cases.flatMap((bytes, i) => [lengths[i], bytes])));
    const theirs = readByPython(program, name, file, cases.length);
    rmSync(file);
    const { shape } = await open(source, name);
    const metadata = ["a/.zarray", "a/zarr.json"]
      .map((key) => join(folder, name, key))
      .find((path) => existsSync(path));
    const zstd = readFileSync(metadata!, "utf8").includes("zstd");
    const first = [Math.min(2, shape[0]), ...shape.slice(1)];
    const wrong: string[] = [];
    let accepted = 0;
    let others = 0;
    for (const [i, bytes] of cases.entries()) {
      const began = performance.now();
      const ours = await readFirst(await open(replaced(source, `/a/${chunk}`, bytes), name), first);
      const seconds = (performance.now() - began) / 1000;
      if (ours !== null) accepted += 1;
      if (ours !== null && ours !== theirs[i]) {
        if (zstd && theirs[i] !== null) others += 1;
        else wrong.push(`case ${i}: ours ${ours}, Python's ${theirs[i]}`);
      }
      if (seconds > SECONDS) wrong.push(`case ${i} took ${seconds.toFixed(1)} s`);
      if (i === 0 && ours === null) wrong.push("the whole chunk is refused");
    }
    await source.close();
    const refused = (list: (string | null)[]) => list.filter((sum) => sum === null).length;
    const told = others > 0 ? `, ${others} with other values than Python's zstd` : "";
    console.log(`${name}: ${CASES} damaged, refused ${cases.length - accepted} (Python ${refused(theirs)})${told}`);
    expect(wrong).toEqual([]);
  });

  it("with memory below 1 GB", () => {
    expect(process.resourceUsage().maxRSS * 1024).toBeLessThan(2 ** 30);
  });
});
