import { expect, it } from "vitest";
import { configWarnings, resolveConfig, validateConfig } from "../../src/api/config.js";

it("warnings are told of valid configurations; faults are validateConfig's", () => {
  const { config } = resolveConfig({ preset: "storm" });
  expect(Array.isArray(configWarnings(config))).toBe(true);
  for (const wrong of [
    { ...config, fields: 3 },
    { ...config, fields: [["velocity_v", 1]] },
    { ...config, fields: [] },
  ]) {
    expect(validateConfig(wrong as never).length).toBeGreaterThan(0);
    expect(configWarnings(wrong as never)).toEqual([]);
  }
});
