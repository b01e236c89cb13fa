/** The step between numbers and bytes: the other byte order, and float16, which is given as float32. */
import type { Stage } from "./stage.js";
import { halvesToFloats, type ItemType, isHalf, swapped } from "./types.js";

/** The type a chunk is given in: little-endian, never float16. */
export const givenType = (type: ItemType): ItemType => ({
  ...type,
  big: false,
  ...(isHalf(type) && { bytes: 4 as const }),
});

export function bytesStage(type: ItemType): Stage {
  const half = isHalf(type);
  return {
    name: "bytes",
    same: !half && !type.big,
    encoded: ({ bytes, exact }) => ({ bytes: half ? bytes / 2 : bytes, exact }),
    decode(bytes) {
      const little = type.big ? swapped(bytes, type.bytes) : bytes;
      if (!half) return little;
      const own = little.byteOffset % 2 === 0 ? little : little.slice();
      return new Uint8Array(halvesToFloats(new Uint16Array(own.buffer, own.byteOffset, own.length / 2)).buffer);
    },
  };
}
