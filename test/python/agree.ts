/** Functions of ours beside Python's: lists of numbers by name. */
import { spawnSync } from "node:child_process";
import { beforeAll, expect, it } from "vitest";
import { PYTHON } from "./python.js";

/**
 * One test a name of `ours`, to 1e-12 and 1e-10 relative. In a `describe`.
 * @param program reads `input` as JSON from its standard input, and prints a list of numbers by name
 * @returns what it printed, for further tests
 */
export function agreesWithPython(ours: Readonly<Record<string, ArrayLike<number>>>, program: string, input: object) {
  let theirs: Record<string, number[]> = {};
  beforeAll(() => {
    const run = spawnSync(PYTHON, ["-c", program], { input: JSON.stringify(input), encoding: "utf8" });
    if (run.status !== 0) throw run.error ?? new Error(`${PYTHON} failed:\n${run.stderr}`);
    theirs = JSON.parse(run.stdout);
  });

  it.each(Object.keys(ours))("%s", (name) => {
    const expected = theirs[name];
    expect(expected.length).toBeGreaterThan(0);
    expect(ours[name].length).toBe(expected.length);
    expected.forEach((x, i) => {
      expect(Math.abs(ours[name][i] - x), `${name}[${i}]`).toBeLessThanOrEqual(1e-12 + 1e-10 * Math.abs(x));
    });
  });
  return () => theirs;
}
