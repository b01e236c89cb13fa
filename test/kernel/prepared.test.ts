import { afterAll, expect, it } from "vitest";
import { createConverter } from "../../src/kernel/compile/tslab.js";

// a process has one
const converter = createConverter({ globals: "", fallbackRoot: process.cwd() });
afterAll(() => converter.close());

it("answers are prepared for the language, then for each entry of the package that cells fall back on", () => {
  const source = 'import * as scores from "atmorep/scores";\nscores.';
  const before = converter.complete([], source, source.length);
  expect(before.candidates.length).toBeGreaterThan(5);
  let steps = 0;
  while (converter.prepareAnswers()) steps++;
  expect(steps).toBe(4);
  expect(converter.prepareAnswers()).toBe(false);
  expect(converter.complete([], source, source.length)).toEqual(before);
});
