/**
 * A small assembler for WebAssembly: enough of it to write numeric loops as nested calls. Encodings follow the
 * WebAssembly core specification 2.0, chapter "Binary Format". Code is a list of bytes; every helper returns one.
 */
export type Code = number[];

export const I32 = 0x7f;
export const I64 = 0x7e;
export const V128 = 0x7b;

export interface WasmFunction {
  name: string;
  /** number of i32 parameters */
  params: number;
  /** true: gives an i32, by `giveBack` */
  result?: boolean;
  /** types of the locals after the parameters */
  locals: number[];
  body: Code;
}

function unsigned(value: number): Code {
  const bytes: Code = [];
  let rest = value >>> 0;
  do {
    const byte = rest & 0x7f;
    rest >>>= 7;
    bytes.push(rest === 0 ? byte : byte | 0x80);
  } while (rest !== 0);
  return bytes;
}

function signed(value: number): Code {
  const bytes: Code = [];
  for (let rest = value | 0; ; ) {
    const byte = rest & 0x7f;
    rest >>= 7;
    if ((rest === 0 && (byte & 0x40) === 0) || (rest === -1 && (byte & 0x40) !== 0)) return [...bytes, byte];
    bytes.push(byte | 0x80);
  }
}

/** Of a whole number of up to 53 bits. */
function signed64(value: number): Code {
  const bytes: Code = [];
  for (let rest = value; ; ) {
    const byte = ((rest % 128) + 128) % 128;
    rest = Math.floor(rest / 128);
    if ((rest === 0 && byte < 64) || (rest === -1 && byte >= 64)) return [...bytes, byte];
    bytes.push(byte | 0x80);
  }
}

export const get = (local: number): Code => [0x20, ...unsigned(local)];
export const set = (local: number, value: Code): Code => [...value, 0x21, ...unsigned(local)];
export const i32 = (value: number): Code => [0x41, ...signed(value)];
export const load = (at: Code, offset = 0): Code => [...at, 0x28, 2, ...unsigned(offset)];
export const add = (a: Code, b: Code): Code => [...a, ...b, 0x6a];
export const sub = (a: Code, b: Code): Code => [...a, ...b, 0x6b];
export const mul = (a: Code, b: Code): Code => [...a, ...b, 0x6c];

export const xor = (a: Code, b: Code): Code => [...a, ...b, 0x73];
export const and = (a: Code, b: Code): Code => [...a, ...b, 0x71];
/** the upper bits, moved down */
export const shiftRight = (a: Code, bits: number): Code => [...a, ...i32(bits), 0x76];
/** 1 if a >= b as numbers without sign */
export const atLeast = (a: Code, b: Code): Code => [...a, ...b, 0x4f];
export const select = (yes: Code, no: Code, condition: Code): Code => [...yes, ...no, ...condition, 0x1b];
export const store = (at: Code, value: Code, offset = 0): Code => [...at, ...value, 0x36, 2, ...unsigned(offset)];
export const or = (a: Code, b: Code): Code => [...a, ...b, 0x72];
/** 1 if a and b are the same */
export const equal = (a: Code, b: Code): Code => [...a, ...b, 0x46];
/** 1 if a > b as numbers without sign */
export const more = (a: Code, b: Code): Code => [...a, ...b, 0x4b];
/** one byte, or two, as a number without sign; the lowest byte stored */
export const load8 = (at: Code): Code => [...at, 0x2d, 0, 0];
export const load16 = (at: Code): Code => [...at, 0x2f, 0, 0];
export const store8 = (at: Code, value: Code): Code => [...at, ...value, 0x3a, 0, 0];

/** The 64 bits of a product of two numbers of 32 bits without sign, and their halves. */
export const wide = {
  mul: (a: Code, b: Code): Code => [...a, 0xad, ...b, 0xad, 0x7e],
  low: (a: Code): Code => [...a, 0xa7],
  high: (a: Code): Code => [...a, 0x42, 32, 0x88, 0xa7],
};

/** Numbers of 64 bits. */
export const i64 = {
  load: (at: Code, offset = 0): Code => [...at, 0x29, 3, ...unsigned(offset)],
  store: (at: Code, value: Code, offset = 0): Code => [...at, ...value, 0x37, 3, ...unsigned(offset)],
  add: (a: Code, b: Code): Code => [...a, ...b, 0x7c],
  mul: (a: Code, b: Code): Code => [...a, ...b, 0x7e],
  xor: (a: Code, b: Code): Code => [...a, ...b, 0x85],
  /** the upper `64 - bits` bits, moved down */
  shiftRight: (a: Code, bits: number): Code => [...a, 0x42, ...signed(bits), 0x88],
  rotateRight: (a: Code, bits: Code): Code => [...a, ...bits, 0x8a],
  /** the lower 32 bits */
  low: (a: Code): Code => [...a, 0xa7, 0xad],
  and: (a: Code, value: number): Code => [...a, 0x42, ...signed64(value), 0x83],
  shiftLeft: (a: Code, bits: number): Code => [...a, 0x42, ...signed(bits), 0x86],
  /** as a place in memory */
  wrap: (a: Code): Code => [...a, 0xa7],
  /** 1 if a < b as numbers without sign */
  less: (a: Code, b: Code): Code => [...a, ...b, 0x54, 0xad],
};

/** Single numbers of float64. */
export const f64 = {
  load: (at: Code, offset = 0): Code => [...at, 0x2b, 3, ...unsigned(offset)],
  mul: (a: Code, b: Code): Code => [...a, ...b, 0xa2],
  less: (a: Code, b: Code): Code => [...a, ...b, 0x63],
  /** of a number of 64 bits without sign */
  fromWhole: (a: Code): Code => [...a, 0xba],
  /** the bits of a float64, and back */
  bits: (a: Code): Code => [...a, 0xbd],
  ofBits: (a: Code): Code => [...a, 0xbf],
  /** rounds to float32 */
  storeDemoted: (at: Code, value: Code, offset = 0): Code => [...at, ...value, 0xb6, 0x38, 2, ...unsigned(offset)],
};

/** Adds a constant to a local. */
export const advance = (local: number, by: Code): Code => set(local, add(get(local), by));

/** Runs `body` while the local `counter`, above 0 at the start, counts down to 0. */
export const countDown = (counter: number, body: Code): Code => [
  ...[0x03, 0x40], // loop
  ...body,
  ...[...sub(get(counter), i32(1)), 0x22, ...unsigned(counter)], // counter = counter - 1, left on the stack
  ...[0x0d, 0, 0x0b], // repeat while it is not 0
];

/**
 * Runs `body` while `condition` is not 0 and then the local `counter`, above 0 at the start, has not come to 0.
 * @param look computed each time, before `condition`
 */
export const countDownWhile = (counter: number, look: Code, condition: Code, body: Code): Code => [
  ...[0x03, 0x40], // loop
  ...[...look, ...condition, 0x04, 0x40], // if
  ...body,
  ...[...sub(get(counter), i32(1)), 0x22, ...unsigned(counter)], // counter = counter - 1, left on the stack
  ...[0x0d, 1, 0x0b, 0x0b], // repeat while it is not 0
];

/** Runs `body` if `condition` is not 0. */
export const when = (condition: Code, body: Code): Code => [...condition, 0x04, 0x40, ...body, 0x0b];

/** Runs `body`, and again as long as `condition` is not 0 after it. */
export const repeatWhile = (body: Code, condition: Code): Code => [0x03, 0x40, ...body, ...condition, 0x0d, 0, 0x0b];

/** Runs `body` until it gives something back; the end of a function. */
export const forever = (body: Code): Code => [0x03, 0x40, ...body, 0x0c, 0, 0x0b, 0x00];

/** Ends a function with its result. */
export const giveBack = (value: Code): Code => [...value, 0x0f];

const simd = (opcode: number): Code => [0xfd, ...unsigned(opcode)];
const unary =
  (opcode: number) =>
  (a: Code): Code => [...a, ...simd(opcode)];
const binary =
  (opcode: number) =>
  (a: Code, b: Code): Code => [...a, ...b, ...simd(opcode)];

/** Four float32 lanes; `load` and `store` take a byte address and a constant offset. */
export const f32x4 = {
  load: (at: Code, offset = 0): Code => [...at, ...simd(0x00), 0, ...unsigned(offset)],
  /** one float32 in every lane */
  loadSplat: (at: Code, offset = 0): Code => [...at, ...simd(0x09), 0, ...unsigned(offset)],
  store: (at: Code, value: Code, offset = 0): Code => [...at, ...value, ...simd(0x0b), 0, ...unsigned(offset)],
  splat: (value: number): Code => {
    const bytes = new Uint8Array(Float32Array.of(value, value, value, value).buffer);
    return [...simd(0x0c), ...bytes];
  },
  add: binary(0xe4),
  sub: binary(0xe5),
  mul: binary(0xe6),
  div: binary(0xe7),
  min: binary(0xe8),
  max: binary(0xe9),
  abs: unary(0xe0),
  neg: unary(0xe1),
  nearest: unary(0x6a),
  greaterEqual: binary(0x46),
  /** bits of `a` where the mask is 1, of `b` elsewhere */
  select: (a: Code, b: Code, mask: Code): Code => [...a, ...b, ...mask, ...simd(0x52)],
  toInt: unary(0xf8),
  /** lanes of `a` (0 to 3) and `b` (4 to 7) in a new order */
  shuffle: (a: Code, b: Code, lanes: readonly number[]): Code => [
    ...a,
    ...b,
    ...simd(0x0d),
    ...lanes.flatMap((lane) => [0, 1, 2, 3].map((byte) => 4 * lane + byte)),
  ],
};

/** Two float64 lanes; they are loaded and stored as the lanes of `f32x4` are. */
export const f64x2 = {
  /** one float64 in both lanes */
  loadSplat: (at: Code, offset = 0): Code => [...at, ...simd(0x0a), 0, ...unsigned(offset)],
  splat: (value: number): Code => [...simd(0x0c), ...new Uint8Array(Float64Array.of(value, value).buffer)],
  add: binary(0xf0),
  sub: binary(0xf1),
  mul: binary(0xf2),
  div: binary(0xf3),
  /** the two lower float32 lanes as float64 */
  promoteLow: unary(0x5f),
  /** as float32 in the two lower lanes, 0 in the upper ones */
  demote: unary(0x5e),
};

/** Parts of a vector: loaded into its lower end, zeros above; the lower end stored. */
export const part = {
  load64: (at: Code, offset = 0): Code => [...at, ...simd(0x5d), 0, ...unsigned(offset)],
  store64: (at: Code, value: Code, offset = 0): Code => [...at, ...value, ...simd(0x5b), 0, ...unsigned(offset), 0],
  store32: (at: Code, value: Code, offset = 0): Code => [...at, ...value, ...simd(0x5a), 0, ...unsigned(offset), 0],
};

/** Sixteen bytes; they are loaded and stored as the lanes of `f32x4` are. */
export const i8x16 = {
  /** bytes of `a` (0 to 15) and `b` (16 to 31) in a new order */
  shuffle: (a: Code, b: Code, bytes: readonly number[]): Code => [...a, ...b, ...simd(0x0d), ...bytes],
};

export const i32x4 = {
  splat: (value: number): Code => [...simd(0x0c), ...new Uint8Array(Int32Array.of(value, value, value, value).buffer)],
  add: binary(0xae),
  shiftLeft: (a: Code, bits: number): Code => [...a, ...i32(bits), ...simd(0xab)],
};

const vector = (items: Code[]): Code => [...unsigned(items.length), ...items.flat()];
const text = (value: string): Code => {
  const bytes = [...new TextEncoder().encode(value)];
  return [...unsigned(bytes.length), ...bytes];
};
const section = (id: number, content: Code): Code => [id, ...unsigned(content.length), ...content];

/**
 * A module that imports its memory as `env.memory` and exports every function.
 * @param sharedPages the most pages of a memory that threads share; absent: it is not shared
 */
export function assemble(functions: WasmFunction[], sharedPages?: number): Uint8Array<ArrayBuffer> {
  const limits = sharedPages === undefined ? [0, 0] : [3, 0, ...unsigned(sharedPages)];
  const types = functions.map(({ params, result }) => [
    ...[0x60, ...vector(Array(params).fill([I32]))],
    ...(result ? [1, I32] : [0]),
  ]);
  const bodies = functions.map(({ locals, body }) => {
    const code = [...vector(locals.map((type) => [1, type])), ...body, 0x0b];
    return [...unsigned(code.length), ...code];
  });
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(1, vector(types)),
    ...section(2, vector([[...text("env"), ...text("memory"), 2, ...limits]])),
    ...section(3, vector(functions.map((_, i) => unsigned(i)))),
    ...section(7, vector(functions.map(({ name }, i) => [...text(name), 0, ...unsigned(i)]))),
    ...section(10, vector(bodies)),
  ]);
}
