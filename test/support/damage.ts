/** Damaged copies of bytes, the same for the same seed. */

/** A sequence of numbers below `below`; a small congruential generator is enough to choose places. */
export function chooser(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

type Damage = (bytes: Uint8Array, choose: (below: number) => number) => Uint8Array;

const change = (edit: (copy: Uint8Array, choose: (below: number) => number) => void): Damage => {
  return (bytes, choose) => {
    const copy = bytes.slice();
    edit(copy, choose);
    return copy;
  };
};
const flip = (copy: Uint8Array, at: number, bit: number) => {
  copy[at] ^= 1 << bit;
};

export const DAMAGES: Readonly<Record<string, Damage>> = {
  truncated: (bytes, choose) => bytes.slice(0, choose(3) ? choose(bytes.length) : choose(Math.min(64, bytes.length))),
  "a byte short": (bytes) => bytes.slice(0, -1),
  "bytes after": (bytes, choose) => Uint8Array.from([...bytes, ...new Uint8Array(1 + choose(20)).fill(choose(256))]),
  twice: (bytes) => Uint8Array.from([...bytes, ...bytes]),
  "a bit flipped": change((copy, choose) => flip(copy, choose(copy.length), choose(8))),
  "a bit of the head flipped": change((copy, choose) => flip(copy, choose(Math.min(32, copy.length)), choose(8))),
  "a bit of the tail flipped": change((copy, choose) =>
    flip(copy, copy.length - 1 - choose(Math.min(32, copy.length)), choose(8)),
  ),
  "a number of the head at its largest": change((copy, choose) => {
    const at = choose(Math.min(32, copy.length));
    copy.fill(255, at, at + 1 + choose(8));
  }),
  "sixteen bytes": change((copy, choose) => {
    for (let i = 0; i < 16; i++) copy[choose(copy.length)] = choose(256);
  }),
  spliced: change((copy, choose) => {
    const length = choose(Math.min(4096, copy.length));
    copy.copyWithin(choose(copy.length), choose(copy.length - length), copy.length);
  }),
  zeros: change((copy, choose) => {
    const at = choose(copy.length);
    copy.fill(0, at, at + 1 + choose(64));
  }),
};

/** `count` damaged copies, each kind of damage in turn. */
export function* damaged(bytes: Uint8Array, count: number, seed: number): Generator<Uint8Array> {
  const kinds = Object.values(DAMAGES);
  const choose = chooser(seed);
  for (let i = 0; i < count; i++) yield kinds[i % kinds.length](bytes, choose);
}
