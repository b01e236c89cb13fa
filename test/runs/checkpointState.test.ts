import { expect, it } from "vitest";
import { parseJson } from "../../src/config/text/json.js";
import { parseState, readFormat1 } from "../../src/runs/checkpointState.js";

it("an unknown format is named in short, however long it is", () => {
  const long = JSON.stringify({ format: "x".repeat(1e6) });
  const digest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
  for (const told of [parseState(long), readFormat1(long, [], digest)]) {
    expect(told).toMatch(/^format "?x+.* is not known here/);
    expect(String(told).length).toBeLessThan(3000);
  }
});

it("so is a key of a configuration that stands twice", () => {
  const key = "k".repeat(1e5);
  try {
    parseJson(`{"${key}": 1, "${key}": 2}`, "a.json");
    expect.fail("two keys of one name were taken");
  } catch (error) {
    expect((error as Error).message).toContain("stands twice");
    expect((error as Error).message.length).toBeLessThan(5000);
  }
});
