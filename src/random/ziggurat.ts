/** Normal numbers by the ziggurat of 256 layers (Marsaglia and Tsang 2000), with NumPy's use of the bits. */
import { exp } from "../math/index.js";
import type { Pcg64 } from "./pcg64.js";
import { logOneMinus } from "./tailLog.js";
import { INVERSE_TAIL_START, LAYER_DENSITY, LAYER_RATIO, LAYER_WIDTH, TAIL_START } from "./zigguratTables.js";

const TWO_32 = 4294967296;

/** Where the bits come from: a generator, or what it has drawn ahead. */
export type Bits = Pick<Pcg64, "next64" | "nextDouble" | "output">;

/** One standard normal number. */
export function nextNormal(bits: Bits): number {
  for (;;) {
    bits.next64();
    const low = bits.output[0];
    const high = bits.output[1];
    const layer = low & 0xff;
    const negative = (low & 0x100) !== 0;
    // bits 9 to 60 are the place within the layer
    const place = ((high >>> 9) & 0xfffff) * TWO_32 + (((high << 23) | (low >>> 9)) >>> 0);
    const x = negative ? -place * LAYER_WIDTH[layer] : place * LAYER_WIDTH[layer];
    if (place < LAYER_RATIO[layer]) return x;
    if (layer === 0) return tail(bits, (low & 0x20000) !== 0);
    const top = LAYER_DENSITY[layer - 1];
    const bottom = LAYER_DENSITY[layer];
    if ((top - bottom) * bits.nextDouble() + bottom < exp(-0.5 * x * x)) return x;
  }
}

/** A number beyond the last layer (Marsaglia 1964). */
function tail(bits: Bits, negative: boolean): number {
  for (;;) {
    const x = -INVERSE_TAIL_START * logOneMinus(bits.nextDouble());
    const y = -logOneMinus(bits.nextDouble());
    if (y + y > x * x) return negative ? -(TAIL_START + x) : TAIL_START + x;
  }
}
