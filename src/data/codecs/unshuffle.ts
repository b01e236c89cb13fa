/** Undoing Blosc's and numcodecs' shuffles: bytes, or bits, of all elements that stand together by place. */

/**
 * Bytes by place, back to elements. Bytes after the last whole element stay where they are.
 * @param size bytes of an element; `planes` and `out` have the same length, both start on a multiple of 4 of their buffer
 */
export function unshuffle(planes: Uint8Array, out: Uint8Array, size: number): void {
  const count = Math.floor(planes.length / size);
  // Plane by plane, or four elements of four planes at a time, which is three times as fast.
  const step = size / 4;
  if ((step === 1 || step === 2) && count % 4 === 0) {
    for (let i = 0; i < step; i++) words(planes, 4 * i * count, count, out, step, i);
  } else {
    for (let byte = 0; byte < size; byte++) {
      const plane = planes.subarray(byte * count, (byte + 1) * count);
      for (let i = 0, at = byte; i < count; i++, at += size) out[at] = plane[i];
    }
  }
  const rest = count * size;
  if (rest < planes.length) out.set(planes.subarray(rest), rest);
}

/** Four planes of `count` bytes, from `from` on, to every `step`th word of `out`, from the word `first` on. */
function words(planes: Uint8Array, from: number, count: number, out: Uint8Array, step: number, first: number): void {
  const start = planes.byteOffset + from;
  const quarter = count / 4;
  const a = new Int32Array(planes.buffer, start, quarter);
  const b = new Int32Array(planes.buffer, start + count, quarter);
  const c = new Int32Array(planes.buffer, start + 2 * count, quarter);
  const d = new Int32Array(planes.buffer, start + 3 * count, quarter);
  const target = new Int32Array(out.buffer, out.byteOffset, count * step);
  for (let i = 0, at = first; i < quarter; i++) {
    const w = a[i];
    const x = b[i];
    const y = c[i];
    const z = d[i];
    target[at] = (w & 255) | ((x & 255) << 8) | ((y & 255) << 16) | (z << 24);
    at += step;
    target[at] = ((w >>> 8) & 255) | (x & 0xff00) | ((y & 0xff00) << 8) | ((z & 0xff00) << 16);
    at += step;
    target[at] = ((w >>> 16) & 255) | ((x >>> 8) & 0xff00) | (y & 0xff0000) | ((z & 0xff0000) << 8);
    at += step;
    target[at] = (w >>> 24) | ((x >>> 16) & 0xff00) | ((y >>> 8) & 0xff0000) | (z & 0xff000000);
    at += step;
  }
}

/**
 * Bits by place, back to elements (https://github.com/kiyo-masui/bitshuffle): of eight elements at a time, bit `k` of
 * byte `b` of each makes one byte of plane `8 b + k`.
 * @param size bytes of an element; there are a multiple of 8 elements
 */
export function unshuffleBits(planes: Uint8Array, out: Uint8Array, size: number): void {
  const groups = planes.length / size / 8;
  for (let byte = 0; byte < size; byte++) {
    const plane = (bit: number) => planes.subarray((8 * byte + bit) * groups, (8 * byte + bit + 1) * groups);
    bitRows(out, byte, size, groups, [0, 1, 2, 3, 4, 5, 6, 7].map(plane));
  }
}

/** Transposes 8 x 8 bits at a time: Hacker's Delight, section 7-3, with the rows in the bytes of two words. */
function bitRows(out: Uint8Array, byte: number, size: number, groups: number, planes: Uint8Array[]): void {
  const [a, b, c, d, e, f, g, h] = planes;
  let at = byte;
  for (let i = 0; i < groups; i++) {
    let x = (h[i] << 24) | (g[i] << 16) | (f[i] << 8) | e[i];
    let y = (d[i] << 24) | (c[i] << 16) | (b[i] << 8) | a[i];
    let t = (x ^ (x >>> 7)) & 0x00aa00aa;
    x ^= t ^ (t << 7);
    t = (y ^ (y >>> 7)) & 0x00aa00aa;
    y ^= t ^ (t << 7);
    t = (x ^ (x >>> 14)) & 0x0000cccc;
    x ^= t ^ (t << 14);
    t = (y ^ (y >>> 14)) & 0x0000cccc;
    y ^= t ^ (t << 14);
    const high = (x & 0xf0f0f0f0) | ((y >>> 4) & 0x0f0f0f0f);
    const low = ((x << 4) & 0xf0f0f0f0) | (y & 0x0f0f0f0f);
    out[at] = low;
    out[at + size] = low >>> 8;
    out[at + 2 * size] = low >>> 16;
    out[at + 3 * size] = low >>> 24;
    out[at + 4 * size] = high;
    out[at + 5 * size] = high >>> 8;
    out[at + 6 * size] = high >>> 16;
    out[at + 7 * size] = high >>> 24;
    at += 8 * size;
  }
}
