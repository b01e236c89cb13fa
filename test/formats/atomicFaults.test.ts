/** System calls that fail in the middle of replacing a folder or file: the old state or the new one, never neither. */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, expect, it, vi } from "vitest";
import { tempDir } from "../support/tempDir.js";

/** Numbers the calls of each kind and fails the one asked for. */
const faults = vi.hoisted(() => ({ count: 0, at: -1, code: "EIO" }));
vi.mock("node:fs/promises", async (original) => {
  const real = await original<typeof import("node:fs/promises")>();
  const failing =
    <A extends unknown[], R>(call: (...args: A) => Promise<R>) =>
    async (...args: A): Promise<R> => {
      if (faults.count++ === faults.at)
        throw Object.assign(new Error(`${faults.code}: made to fail`), { code: faults.code });
      return call(...args);
    };
  const open = async (...args: Parameters<typeof real.open>) => {
    const handle = await failing(real.open)(...args);
    for (const name of ["sync", "write", "close"] as const) {
      const call = handle[name].bind(handle) as (...args: unknown[]) => Promise<unknown>;
      // a close that fails has closed all the same
      const failsLate = async () => {
        await call();
        await failing(async () => {})();
      };
      Object.assign(handle, { [name]: name === "close" ? failsLate : failing(call) });
    }
    return handle;
  };
  return { ...real, open, rename: failing(real.rename), mkdir: failing(real.mkdir) };
});
const { writeDirectoryAtomic, writeFileAtomic, cleanLeftovers } = await import("../../src/formats/atomic.js");

beforeEach(() => Object.assign(faults, { count: 0, at: -1 }));

const fill = (text: string) => async (folder: string) => {
  mkdirSync(join(folder, "deep"));
  writeFileSync(join(folder, "deep", "state"), text);
};

it.each(["EIO", "ENOSPC"])("a folder at every call, %s", async (code) => {
  const path = join(tempDir(), "a", "store");
  await writeDirectoryAtomic(path, fill("former"));
  Object.assign(faults, { count: 0, at: -1, code });
  await writeDirectoryAtomic(path, fill("former"));
  const calls = faults.count;
  expect(calls).toBeGreaterThan(8);
  let failed = 0;
  for (let at = 0; at < calls; at++) {
    Object.assign(faults, { count: 0, at });
    await writeDirectoryAtomic(path, fill("new")).catch(() => {
      failed += 1;
    });
    faults.at = -1;
    await cleanLeftovers(join(path, ".."));
    expect(readFileSync(join(path, "deep", "state"), "utf8"), `call ${at}`).toMatch(/^(former|new)$/);
    expect(readdirSync(join(path, "..")), `call ${at}`).toEqual(["store"]);
    await writeDirectoryAtomic(path, fill("former"));
  }
  // nothing that fails goes unsaid
  expect(failed).toBe(calls);
});

it("a file at every call", async () => {
  const path = join(tempDir(), "a", "file");
  await writeFileAtomic(path, "former");
  Object.assign(faults, { count: 0, at: -1 });
  await writeFileAtomic(path, "former");
  const calls = faults.count;
  for (let at = 0; at < calls; at++) {
    Object.assign(faults, { count: 0, at });
    await expect(writeFileAtomic(path, "new"), `call ${at}`).rejects.toThrow("made to fail");
    faults.at = -1;
    expect(readFileSync(path, "utf8"), `call ${at}`).toMatch(/^(former|new)$/);
    expect(readdirSync(join(path, "..")), `call ${at}`).toEqual(["file"]);
    await writeFileAtomic(path, "former");
  }
});

it("a folder whose file system cannot sync folders is written all the same", async () => {
  const path = join(tempDir(), "store");
  Object.assign(faults, { count: 0, at: -1 });
  await writeFileAtomic(path, "x");
  const calls = faults.count;
  // the last two are the folder's: sync and close
  Object.assign(faults, { count: 0, at: calls - 2, code: "EINVAL" });
  await writeFileAtomic(path, "y");
  expect(readFileSync(path, "utf8")).toBe("y");
});
