import { expect, it } from "vitest";
import type { Field } from "../../src/config/types.js";
import { getStrategy, type StrategyConfig, TOKEN_KIND } from "../../src/masking/index.js";
import { defaultRng } from "../../src/random/index.js";

const numTokens = [3, 1, 2] as const;
const field = { name: "u", numTokens, N: 6 } as unknown as Field;
const config: StrategyConfig = { forecast_num_tokens: 2, idx_time_mask: null };

it("forecast hides the last time tokens at every place, of every sample", () => {
  const forecast = getStrategy("forecast");
  const { idx, count, kind } = forecast.choose(field, 2, config, defaultRng(1));
  // token n = (time * 1 + latitude) * 2 + longitude of sample b stands at n + 6 b
  expect([...idx]).toEqual([2, 3, 4, 5, 8, 9, 10, 11]);
  expect([...count]).toEqual([4, 4]);
  expect(new Set(kind)).toEqual(new Set([TOKEN_KIND.chosen | TOKEN_KIND.masked]));
  expect(forecast.askedShare(field, config)).toBe(4 / 6);
});
