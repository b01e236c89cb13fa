/** Inputs made of others: bits, bytes and numbers changed, pieces cut, repeated, moved, taken from others or a dictionary. */

/** xorshift of 32 bits: whole numbers below n. */
export function generator(seed) {
  let state = (seed * 2654435761 + 1) >>> 0 || 1;
  return (n) => {
    state ^= state << 13;
    state >>>= 0;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state % n;
  };
}

const NUMBERS = [
  0, 1, 2, 7, 8, 15, 16, 31, 32, 63, 64, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 0x7fffffff, 0x80000000,
  0xfffffffe, 0xffffffff,
];

const join = (...parts) => Buffer.concat(parts);

/** Each takes bytes, a place in them, random numbers, and what there is to take pieces from. */
const CHANGES = [
  (bytes, at, random) => withByte(bytes, at, (old) => old ^ (1 << random(8))),
  (bytes, at, random) => withByte(bytes, at, () => random(256)),
  (bytes, at, random) => withNumber(Buffer.from(bytes), at, random),
  (bytes, at, random) => withByte(bytes, at, (old) => (old + (random(2) ? 1 : 255)) & 255),
  (bytes, at, random) => join(bytes.subarray(0, at), bytes.subarray(at + 1 + random(1 + random(64)))),
  (bytes, at, random) =>
    join(
      bytes.subarray(0, at),
      Buffer.from(Array.from({ length: 1 + random(8) }, () => random(256))),
      bytes.subarray(at),
    ),
  (bytes, at, random) => join(bytes.subarray(0, at + random(1 + random(128))), bytes.subarray(at)),
  (bytes, at, random) => (random(8) === 0 ? bytes.subarray(0, at) : bytes),
  (bytes, at, random, corpus) => {
    const other = corpus[random(corpus.length)];
    const from = random(Math.max(1, other.length));
    const piece = other.subarray(from, from + 1 + random(256));
    return join(bytes.subarray(0, at), piece, bytes.subarray(random(2) ? at : at + piece.length));
  },
  (bytes, at, random, _, dictionary) => {
    if (dictionary.length === 0) return bytes;
    const piece = Buffer.from(dictionary[random(dictionary.length)], "latin1");
    return join(bytes.subarray(0, at), piece, bytes.subarray(random(2) ? at : at + piece.length));
  },
  (bytes, _at, random) => {
    // a number in a text
    const text = bytes.toString("latin1");
    const digits = [...text.matchAll(/\d+/g)];
    if (digits.length === 0) return bytes;
    const { 0: old, index } = digits[random(digits.length)];
    const value =
      random(3) === 0
        ? String(Number(old) + 1)
        : String([0, 1, 2, -1, 255, 65536, 2147483648, 4294967296, 1e15, 1e22][random(10)]);
    return Buffer.from(text.slice(0, index) + value + text.slice(index + old.length), "latin1");
  },
];

function withByte(bytes, at, change) {
  const out = Buffer.from(bytes);
  if (at < out.length) out[at] = change(out[at]);
  return out;
}

function withNumber(out, at, random) {
  const width = [1, 2, 4, 8][random(4)];
  if (at + width > out.length) return out;
  const value = BigInt(NUMBERS[random(NUMBERS.length)]);
  const bytes = Array.from({ length: width }, (_, i) => Number((value >> BigInt(8 * i)) & 255n));
  out.set(random(2) ? bytes : bytes.reverse(), at);
  return out;
}

/** One input, made of one of the corpus, the latest more often than the others. */
export function mutate(corpus, dictionary, random, longest) {
  const latest = Math.min(corpus.length, 8);
  let bytes = random(3) === 0 ? corpus[corpus.length - 1 - random(latest)] : corpus[random(corpus.length)];
  for (let n = 1 + random(1 + random(8)); n > 0; n--) {
    // headers are at the beginning of most files, directories at the end
    const near = random(2) ? bytes.length : Math.min(bytes.length, 256);
    const place = random(Math.max(1, near));
    const at = random(8) === 0 ? Math.max(0, bytes.length - 1 - place) : place;
    bytes = CHANGES[random(CHANGES.length)](bytes, at, random, corpus, dictionary);
    if (bytes.length > longest) bytes = bytes.subarray(0, longest);
  }
  return Buffer.from(bytes);
}
