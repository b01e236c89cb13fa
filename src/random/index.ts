/**
 * Random numbers that can be saved, restored and compared: NumPy-compatible streams and stateless Philox.
 *
 * @example
 * const rng = defaultRng([101, 0]); // numpy.random.default_rng([101, 0])
 * const order = rng.permutation(24);
 * const saved = rng.getState();
 */
export { derive, derivedSeed } from "./derive.js";
export { defaultRng, Generator, type GeneratorState } from "./generator.js";
export { statelessUniform } from "./philox.js";
export { type Seed, seedWords } from "./seedSequence.js";
