/** The fixed harmonic position code of the embedding. */
import { cos, sin } from "../math/index.js";

/**
 * Position code of a field's tokens. The row `y` of a token is `s div ny`, not `s div nx`: the reference divides so,
 * and its trained weights depend on it.
 *
 * @param width embedding width d, even
 * @returns [L*N, d]
 */
export function positionCode(
  [nt, ny, nx]: readonly [number, number, number],
  levels: number,
  width: number,
): Float32Array {
  const plane = ny * nx;
  const perLevel = nt * plane;
  const code = new Float32Array(levels * perLevel * width);
  for (let index = 0; index < levels * perLevel; index++) {
    const s = index % plane;
    const level = Math.floor(index / perLevel);
    const t = Math.floor((index % perLevel) / plane);
    const y = Math.floor(s / ny);
    const x = s % nx;
    for (let k = 0; k < width / 2; k++) {
      const w = (2 * Math.PI * 2 * k) / width;
      code[index * width + 2 * k] = 0.5 * sin(8 * y * w) + sin(t * w);
      code[index * width + 2 * k + 1] = 0.5 * cos(8 * x * w) + cos(level * w);
    }
  }
  return code;
}
