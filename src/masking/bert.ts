import type { Generator } from "../random/index.js";
import type { LevelChoice, MaskingStrategy } from "./choice.js";
import { TOKEN_KIND } from "./types.js";

/** For each of M tokens `bit` where an own uniform draw is below `rate`. */
function drawBits(generator: Generator, kind: Uint8Array, rate: number, bit: number): number {
  const draws = generator.random(kind.length);
  let n = 0;
  for (let i = 0; i < draws.length; i++) {
    if (draws[i] >= rate) continue;
    kind[i] |= bit;
    n++;
  }
  return n;
}

/**
 * Random tokens of each sample, each of them masked, noised, coarsened, several of these, or left as it is.
 * The order of draws is the reference's (`training/bert.py`): shares, permutations, three draws a token, noise weights, coarseness.
 */
export const bert: MaskingStrategy = {
  doc: "random tokens of each level are set to 0, noised or coarsened",
  severalKinds: true,

  choose(field, B, _config, generator): LevelChoice {
    const { N, rates } = field;
    const count = new Int32Array(B);
    const shares = generator.random(B);
    let M = 0;
    for (let b = 0; b < B; b++) {
      count[b] = Math.ceil(N * (shares[b] * rates.total));
      M += count[b];
    }
    const idx = new Int32Array(M);
    for (let b = 0, m = 0; b < B; b++) {
      const order = generator.permutation(N);
      for (let i = 0; i < count[b]; i++) idx[m++] = order[i] + N * b;
    }
    const kind = new Uint8Array(M).fill(TOKEN_KIND.chosen);
    drawBits(generator, kind, rates.mask, TOKEN_KIND.masked);
    const numNoised = drawBits(generator, kind, rates.noise, TOKEN_KIND.noised);
    const numCoarsened = drawBits(generator, kind, rates.coarse, TOKEN_KIND.coarsened);
    const noiseWeights = generator.randomFloat32(numNoised);
    return { idx, count, kind, noiseWeights, coarseDraw: numCoarsened > 0 ? generator.random() : null };
  },

  /** Mean of ceil(T u)/N over u uniform in [0, 1), T = N * total rate. */
  askedShare({ N, rates }) {
    const T = N * rates.total;
    const K = Math.floor(T);
    return T === 0 ? 0 : (K * (K + 1)) / 2 / T / N + ((K + 1) * (T - K)) / T / N;
  },
};
