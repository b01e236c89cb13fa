import { appendFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { MetricsReader, metricsLine, readMetrics } from "../../src/runs/metrics.js";
import { tempDir } from "../support/tempDir.js";

const line = (step: number) => metricsLine(0, step, step * 8, new Date(0), { loss: step / 2 });

describe("reading metrics while they are written", () => {
  it("has the rows of a whole reading at every length, half lines and other files included", async () => {
    const path = join(tempDir(), "metrics.jsonl");
    const reader = new MetricsReader(path);
    expect(await reader.read()).toEqual({ rows: [], fault: null });
    const text = [1, 2, 3, 4].map(line).join("");
    let at = 0;
    for (const length of [0, 10, line(1).length, line(1).length + 5, text.length - 1, text.length]) {
      appendFileSync(path, text.slice(at, length));
      at = length;
      expect((await reader.read()).rows, String(length)).toEqual(await readMetrics(path));
    }
    expect((await reader.read()).rows.map(({ step }) => step)).toEqual([1, 2, 3, 4]);
    // a continuation in place writes the kept rows anew
    writeFileSync(`${path}.new`, `${line(1)}${line(2)}${line(3)}${line(9)}${line(10)}`);
    renameSync(`${path}.new`, path);
    expect((await reader.read()).rows.map(({ step }) => step)).toEqual([1, 2, 3, 9, 10]);
    writeFileSync(path, line(7));
    expect((await reader.read()).rows.map(({ step }) => step)).toEqual([7]);
  });

  it("reads nothing again, and knows when there is more", async () => {
    const path = join(tempDir(), "metrics.jsonl");
    writeFileSync(path, line(1));
    const reader = new MetricsReader(path);
    expect(await reader.hasGrown()).toBe(true);
    const [first] = (await reader.read()).rows;
    expect(await reader.hasGrown()).toBe(false);
    appendFileSync(path, `{"damaged"\n${line(3)}`);
    expect(await reader.hasGrown()).toBe(true);
    const { rows, fault } = await reader.read();
    expect(rows[0]).toBe(first);
    expect(rows.map(({ step }) => step)).toEqual([1, 3]);
    expect(fault).toMatch(/row 2 of 3 cannot be read/);
  });
});
