/** What a strategy decides about the tokens of one level, before any value is touched. */
import type { Field, RunConfig } from "../config/types.js";
import type { Generator } from "../random/index.js";
import { TOKEN_KIND } from "./types.js";

/** The decision for one level of one field; M tokens chosen in the batch. */
export interface LevelChoice {
  /** [M] indices n + N*b, sample after sample */
  idx: Int32Array;
  /** [B] chosen tokens of each sample */
  count: Int32Array;
  /** [M] bits of TOKEN_KIND */
  kind: Uint8Array;
  /** weight w of each noised token, in the order of idx: the noised token is (1 - w)*x + 0.1*std*normal */
  noiseWeights: Float32Array;
  /** uniform number in [0, 1) that fixes how coarse the coarsened tokens become; null if there are none */
  coarseDraw: number | null;
}

/** The keys that strategies look at. */
export type StrategyConfig = Pick<RunConfig, "forecast_num_tokens" | "idx_time_mask">;

/** A masking strategy. `choose` draws from `generator` only, never looks at values. */
export interface MaskingStrategy {
  /** one sentence for people */
  doc: string;
  /**
   * true: it hides the last `forecast_num_tokens` time tokens at every place and no others. What is predicted is then a
   * stretch of time at every grid point: written as such, looked at by wavenumber, fed back in a roll-out.
   */
  forecasts?: boolean;
  /** true: tokens are hidden in several ways (`TOKEN_KIND`), which are scored apart */
  severalKinds?: boolean;
  /** Decides about one level of `field` for B samples. */
  choose(field: Field, B: number, config: StrategyConfig, generator: Generator): LevelChoice;
  /** The mean share of a level's tokens that the configuration asks to choose. */
  askedShare(field: Field, config: StrategyConfig): number;
}

/** True if the strategies leave this field alone: it is static or its total rate is 0. */
export function isUnmasked(field: Field): boolean {
  return !field.dynamic || field.rates.total === 0;
}

/** The same tokens in every sample, all set to 0. */
export function sameInEverySample(tokens: Int32Array, N: number, B: number): LevelChoice {
  const perSample = tokens.length;
  const idx = new Int32Array(B * perSample);
  for (let b = 0; b < B; b++) {
    for (let i = 0; i < perSample; i++) idx[b * perSample + i] = tokens[i] + N * b;
  }
  return {
    idx,
    count: new Int32Array(B).fill(perSample),
    kind: new Uint8Array(idx.length).fill(TOKEN_KIND.chosen | TOKEN_KIND.masked),
    noiseWeights: new Float32Array(0),
    coarseDraw: null,
  };
}

/** Indices within a sample of every place's token at the time tokens `times`. */
export function tokensAtTimes(field: Field, times: readonly number[]): Int32Array {
  const places = field.numTokens[1] * field.numTokens[2];
  const tokens = new Int32Array(times.length * places);
  for (let i = 0; i < times.length; i++) {
    for (let s = 0; s < places; s++) tokens[i * places + s] = times[i] * places + s;
  }
  return tokens;
}

/** The choice that touches nothing. */
export function emptyChoice(B: number): LevelChoice {
  return {
    idx: new Int32Array(0),
    count: new Int32Array(B),
    kind: new Uint8Array(0),
    noiseWeights: new Float32Array(0),
    coarseDraw: null,
  };
}
