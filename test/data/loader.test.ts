import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import ts from "typescript";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadCubes as loadHere, loadSamples as samplesHere } from "../../src/data/loader.js";
import { BufferPool } from "../../src/data/pool.js";
import type { CubeBatch } from "../../src/data/types.js";
import { isAtmorepError } from "../../src/errors.js";
import { dataConfig, temporaryFolder, tinyStore } from "./support.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const folder = temporaryFolder();
let build: string;
let load: typeof loadHere;
let samples: typeof samplesHere;
let storeLocation: string;

/** Worker threads need JavaScript: the sources as they are now, translated file by file. */
beforeAll(async () => {
  mkdirSync(join(root, ".cache"), { recursive: true });
  build = mkdtempSync(join(root, ".cache", "workers-"));
  for (const room of ["data", "config", "random", "math", "formats", "native"])
    translate(join(root, "src", room), join(build, room));
  translateFile(join(root, "src/errors.ts"), join(build, "errors.js"));
  const loader = await import(/* @vite-ignore */ pathToFileURL(join(build, "data/loader.js")).href);
  load = loader.loadCubes;
  samples = loader.loadSamples;
  storeLocation = await tinyStore(`${folder.path}/tiny.zarr`);
});
afterAll(() => {
  rmSync(build, { recursive: true, force: true });
  folder.remove();
});

function translate(from: string, to: string): void {
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const path = join(from, entry.name);
    if (entry.isDirectory()) translate(path, join(to, entry.name));
    else if (entry.name.endsWith(".ts")) translateFile(path, join(to, entry.name.replace(/\.ts$/, ".js")));
  }
}

function translateFile(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  const compilerOptions = { module: ts.ModuleKind.ES2022, target: ts.ScriptTarget.ES2022, verbatimModuleSyntax: false };
  writeFileSync(to, ts.transpileModule(readFileSync(from, "utf8"), { compilerOptions }).outputText);
}

const draws = Array.from({ length: 7 }, (_, n) => ({
  timeIndex: 4 + n,
  places: [
    [33, 14 + (n % 3)],
    [34, 15],
  ] as [number, number][],
}));

/** 2 levels, 2 samples, 4 x 6 x 6 points */
const dataLength = 2 * 2 * 144;

async function collect(batches: AsyncIterable<CubeBatch>): Promise<CubeBatch[]> {
  const all: CubeBatch[] = [];
  for await (const batch of batches) all.push(batch);
  return all;
}

describe("loadCubes", () => {
  it("gives the same batches in the same order whatever the number of workers", async () => {
    const config = dataConfig();
    const expected = await collect(loadHere({ storeLocation, config, draws }));
    expect(expected.map((batch) => batch.draw.timeIndex)).toEqual([4, 5, 6, 7, 8, 9, 10]);
    for (const workers of [1, 2, 3])
      expect(await collect(load({ storeLocation, config, draws, workers }))).toEqual(expected);
  });

  it("gives the same samples into arrays that are given back, and makes no more of them than are out at once", async () => {
    const config = dataConfig();
    const many = [...draws, ...draws, ...draws];
    const expected: unknown[] = [];
    for await (const { windows, fields } of samplesHere({ storeLocation, config, draws: many }))
      expected.push(structuredClone({ windows, fields }));
    for (const workers of [0, 1, 2]) {
      const pool = new BufferPool();
      const seen: unknown[] = [];
      for await (const { windows, fields } of samples({ storeLocation, config, draws: many, workers }, pool)) {
        seen.push(structuredClone({ windows, fields }));
        for (const { tokens } of fields) pool.give(tokens.fill(Number.NaN));
      }
      expect(seen).toEqual(expected);
      const lengths = Array.from({ length: 50 }, () => dataLength);
      expect(pool.handOver(lengths).length).toBeLessThanOrEqual(workers === 0 ? 1 : 2 * workers + 1);
    }
  });

  it("throws an error of a worker at its batch, as the class it was", async () => {
    const config = dataConfig();
    const bad = draws.map((draw, n) => (n === 3 ? { ...draw, timeIndex: 99 } : draw));
    let seen = 0;
    const reading = (async () => {
      for await (const _ of load({ storeLocation, config, draws: bad, workers: 2 })) seen += 1;
    })();
    const error = await reading.then(
      () => null,
      (e: unknown) => e,
    );
    expect(isAtmorepError(error) && error.message).toMatch(
      /the cube's times lie outside the store; found steps 95 to 98; expected 0 to 11$/,
    );
    expect(seen).toBe(3);
    await expect(collect(load({ storeLocation: "nowhere.zarr", config, draws, workers: 2 }))).rejects.toThrow(
      /there is no such store/,
    );
  });

  it("stops its workers when the loop is left early", async () => {
    const ports = () => process.getActiveResourcesInfo().filter((name) => name === "MessagePort").length;
    const before = ports();
    for await (const batch of load({ storeLocation, config: dataConfig(), draws, workers: 2 })) {
      expect(batch.draw.timeIndex).toBe(4);
      expect(ports()).toBeGreaterThanOrEqual(before + 2);
      break;
    }
    expect(ports()).toBe(before);
  });
});
