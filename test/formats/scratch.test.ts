/** Folders for temporary files. */
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { removeUnfinished, withScratch } from "../../src/formats/atomic.js";

it("a folder for temporary files goes at the end, after an error, and with what a signal ends", async () => {
  const used: string[] = [];
  const use = async (folder: string) => {
    used.push(folder);
    writeFileSync(join(folder, "file"), "x");
    return 7;
  };
  expect(await withScratch("test", use)).toBe(7);
  const failing = withScratch("test", async (folder) => {
    await use(folder);
    throw new Error("no");
  });
  await expect(failing).rejects.toThrow("no");
  await withScratch("test", async (folder) => {
    await use(folder);
    removeUnfinished();
    expect(existsSync(folder)).toBe(false);
  });
  expect(new Set(used).size).toBe(3);
  expect(used.filter((folder) => existsSync(folder))).toEqual([]);
});
