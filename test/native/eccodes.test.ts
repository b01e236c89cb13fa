/**
 * ecCodes and damaged messages. It runs in a process of its own, whatever it survives: what is proven here is that a crash,
 * a hang and a demand for memory end that process and become a message. ATMOREP_FUZZ: cases (default 1000; .ci/full 10000).
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { openInput } from "../../src/data/import/open.js";
import { isAtmorepError } from "../../src/errors.js";
import { type EccodesProcess, frameFault, startEccodes } from "../../src/native/index.js";
import { atmorep } from "../support/cli.js";
import { chooser, DAMAGES } from "../support/damage.js";

const CASES = Number(process.env.ATMOREP_FUZZ ?? 1000);
const POINTS = 13 * 24;
/** Single messages of 13 x 24 points, written by test/python/grib/make.py. */
const MESSAGES = Object.entries(
  JSON.parse(readFileSync(fileURLToPath(new URL("eccodes/messages.json", import.meta.url)), "utf8")) as Record<
    string,
    string
  >,
).map(([name, text]): [string, Uint8Array] => [name, Uint8Array.from(Buffer.from(text, "base64"))]);

const folder = mkdtempSync(join(tmpdir(), "atmorep-eccodes-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let eccodes: EccodesProcess;
beforeAll(async () => {
  // Its process runs the program as it is built.
  expect((await atmorep(["--version"])).code).toBe(0);
  const started = await startEccodes();
  expect(started, "fetch it with: atmorep engine install --only eccodes").not.toBeNull();
  eccodes = started as EccodesProcess;
});

/** Bytes changed behind the head and before the end, so that the frame holds. */
function within(bytes: Uint8Array, choose: (below: number) => number): Uint8Array {
  const copy = bytes.slice();
  for (let i = choose(6); i >= 0; i--) copy[16 + choose(choose(2) ? copy.length - 20 : 200)] = choose(256);
  return copy;
}

const kinds = [...Object.values(DAMAGES), ...Array(20).fill(within)] as (typeof DAMAGES)[string][];

/** The most memory that processes started here have held, bytes; 0 where the system does not tell. */
function childrenPeak(): number {
  const tasks = `/proc/${process.pid}/task`;
  if (!existsSync(tasks)) return 0;
  const children = readdirSync(tasks).flatMap((task) =>
    readFileSync(join(tasks, task, "children"), "utf8")
      .trim()
      .split(" ")
      .filter(Boolean),
  );
  return Math.max(
    0,
    ...children.map((pid) => {
      try {
        return 1024 * Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
      } catch {
        return 0;
      }
    }),
  );
}

describe("damaged messages", () => {
  it("whole ones have their values", async () => {
    for (const [name, bytes] of MESSAGES) {
      expect(frameFault(bytes)).toBeNull();
      const { values, grid, date, time } = await eccodes.unpack(bytes, POINTS, name);
      expect([grid, date, time]).toEqual(["regular_ll", 20190301, 600]);
      expect(values.filter(Number.isNaN).length).toBe(name.includes("missing") ? 19 : 0);
    }
  });

  it("end in values or in a message", { timeout: 3_600_000 }, async () => {
    const choose = chooser(11);
    const tally = { unframed: 0, refused: 0, values: 0, crashed: 0 };
    const crashes: string[] = [];
    let peak = 0;
    let longest = 0;
    for (let i = 0; i < CASES; i++) {
      const [name, bytes] = MESSAGES[i % MESSAGES.length];
      const damaged = kinds[choose(kinds.length)](bytes, choose);
      const began = performance.now();
      try {
        const { values } = await eccodes.unpack(damaged, POINTS, `${name}: case ${i}`);
        expect(values.length).toBe(POINTS);
        tally.values += 1;
      } catch (error) {
        if (!isAtmorepError(error) || error.code !== "input") throw error;
        expect(error.message).toContain(`case ${i}`);
        if (/crashed|took more/.test(error.message)) {
          tally.crashed += 1;
          crashes.push(error.message.split(";")[0]);
        } else if (frameFault(damaged)) tally.unframed += 1;
        else tally.refused += 1;
      }
      longest = Math.max(longest, performance.now() - began);
      if (i % 50 === 0) peak = Math.max(peak, childrenPeak());
    }
    console.log("ecCodes:", tally, `${(peak / 1e6).toFixed(0)} MB at most, ${longest.toFixed(0)} ms at most`);
    if (crashes.length > 0) console.log(crashes.slice(0, 12).join("\n"));
    expect(tally.unframed).toBeGreaterThan(CASES / 20);
    expect(tally.refused + tally.values).toBeGreaterThan(CASES / 3);
    expect(peak).toBeLessThan(2 ** 30);
    expect(longest).toBeLessThan(15_000);
  });

  it("and damaged files too", { timeout: 3_600_000 }, async () => {
    const choose = chooser(12);
    const path = join(folder, "damaged.grib");
    const tally = { refused: 0, read: 0 };
    for (let i = 0; i < CASES / 2; i++) {
      writeFileSync(
        path,
        Buffer.concat([
          MESSAGES[(i + 1) % MESSAGES.length][1],
          kinds[choose(kinds.length)](MESSAGES[i % MESSAGES.length][1], choose),
        ]),
      );
      try {
        const file = await openInput(path);
        try {
          for (const variable of file.variables) {
            for (let t = 0; t < variable.times.length; t++) {
              for (let l = 0; l < (variable.levels ?? [0]).length; l++) await variable.readPlane(t, l);
            }
          }
        } finally {
          await file.close();
        }
        tally.read += 1;
      } catch (error) {
        if (!isAtmorepError(error) || error.exitCode > 2) throw error;
        expect(error.message).toContain(path);
        tally.refused += 1;
      }
    }
    expect(tally.refused).toBeGreaterThan(CASES / 20);
    expect(process.memoryUsage().rss).toBeLessThan(2 ** 30);
  });
});

it("a process that is killed becomes a message, and the next call starts another", async () => {
  const own = (await startEccodes()) as EccodesProcess;
  const [name, bytes] = MESSAGES[0];
  const before = new Set(childrenOf());
  await own.unpack(bytes, POINTS, name);
  expect(before.size).toBeGreaterThan(0);
  const broken = own.unpack(bytes, POINTS, "t.grib: message 3");
  for (const pid of before) process.kill(pid, "SIGSEGV");
  await expect(broken).rejects.toThrow(/t\.grib: message 3: ecCodes crashed \(SIGSEGV\)/);
  expect((await own.unpack(bytes, POINTS, name)).values.length).toBe(POINTS);
});

/** Processes of ecCodes that this one has started. */
function childrenOf(): number[] {
  const tasks = `/proc/${process.pid}/task`;
  return readdirSync(tasks).flatMap((task) =>
    readFileSync(join(tasks, task, "children"), "utf8")
      .trim()
      .split(" ")
      .filter((pid) => pid !== "" && readFileSync(`/proc/${pid}/cmdline`, "utf8").includes("eccodesChild"))
      .map(Number),
  );
}
