/**
 * libblosc2 (https://github.com/Blosc/c-blosc2, BSD-3), which decodes Blosc chunks, and of which most builds carry zstd
 * and lz4 too. Only calls that take the size of the source are bound: `blosc1_decompress` and `blosc1_getitem` read past
 * the end of damaged chunks.
 */
import { AtmorepError } from "../errors.js";
import { type FindOptions, type FoundLibrary, findLibraries, type LibraryKind } from "./find.js";
import { callAsync, declareStruct, loadLibrary, type NativeFunction, type NativeLibrary } from "./load.js";

/** Decodes `source` to `target`; resolves to the number of bytes written, below 0 for an error. */
export type NativeDecoder = (source: Uint8Array, target: Uint8Array) => Promise<number>;

export interface NativeBlosc {
  library: FoundLibrary;
  version: string;
  /** a Blosc chunk, whose header must have been checked */
  blosc: NativeDecoder;
  /** Zstandard frames; null where the library does not show its zstd */
  zstd: NativeDecoder | null;
  /** one LZ4 block; null where the library does not show its lz4 */
  lz4: NativeDecoder | null;
}

export const BLOSC: LibraryKind = {
  file: /^libblosc2(\.so(\.\d+)*|(\.\d+)*\.dylib)$/,
  variable: "ATMOREP_BLOSC",
  installed: "blosc2",
  python: "blosc2/lib",
};

/** From this many bytes on a call goes to another thread; below, handing it over costs more than the work. */
const ASYNC_BYTES = 1 << 16;

let opened: { native: NativeBlosc | null } | null = null;

/**
 * The library, looked for and tried once in a process; null where there is none that works.
 * @throws AtmorepError (usage) if `ATMOREP_BLOSC` names one that does not work
 */
export function openBlosc(): NativeBlosc | null {
  opened ??= { native: searchBlosc() };
  return opened.native;
}

/** The same, looked for anew. */
export function searchBlosc(options: FindOptions = {}): NativeBlosc | null {
  const { found, tried, asked } = findLibraries(BLOSC, options);
  const failures: string[] = [];
  for (const library of found) {
    try {
      return bind(library);
    } catch (error) {
      failures.push(`${library.path}: ${(error as Error).message}`);
    }
  }
  if (asked === null || asked === "none") return null;
  throw new AtmorepError("usage", "libblosc2 cannot be used", {
    where: BLOSC.variable,
    found: failures.join("; ") || `no such library at ${tried.join(", ")}`,
    expected: "libblosc2 2.0 or newer, as a file or its folder, or none",
    fix: "Fetch it with: atmorep engine install --only blosc; or unset the variable",
  });
}

function bind(library: FoundLibrary): NativeBlosc {
  const native = loadLibrary(library.path);
  // Older versions have an int for the threads and no item size; a struct of this size is passed by address, or on the
  // stack, and both read the same values then.
  declareStruct("atmorep_blosc2_dparams", {
    nthreads: "int32_t",
    schunk: "void *",
    postfilter: "void *",
    postparams: "void *",
    typesize: "int32_t",
  });
  const version = native.function<[], string>("const char *blosc2_get_version_string()");
  const create = native.function<[object], unknown>("void *blosc2_create_dctx(atmorep_blosc2_dparams parameters)");
  const free = native.function<[unknown], void>("void blosc2_free_ctx(void *context)");
  const decode = native.function<[unknown, Uint8Array, number, Uint8Array, number], number>(
    "int blosc2_decompress_ctx(void *context, const void *source, int32_t size, void *target, int32_t room)",
  );
  native.function<[], void>("void blosc2_init()")();
  const parameters = { nthreads: 1, schunk: null, postfilter: null, postparams: null, typesize: 8 };
  tryOut((source, target) => {
    const context = create(parameters);
    const result = decode(context, source, source.length, target, target.length);
    free(context);
    return result;
  });
  const blosc: NativeDecoder = async (source, target) => {
    if (source.length > MAX_INT || target.length > MAX_INT) return -1;
    // A context serves one call at a time; making one costs nothing beside a chunk.
    const context = create(parameters);
    if (!context) throw new Error("libblosc2 has no memory for a decoder");
    try {
      return await call(target.length, decode, context, source, source.length, target, target.length);
    } finally {
      free(context);
    }
  };
  return { library, version: version(), blosc, zstd: bindZstd(native), lz4: bindLz4(native) };
}

/** The numbers 0 to 255 as int32, with lz4 and shuffled bytes. */
const SAMPLE = Buffer.from(
  "AgEhBAAEAAAABAAARQEAABQAAAAAAQAAAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0+P0BBQkNERUZHSElKS0xNTk9QUVJTVFVWV1hZWltcXV5fYGFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6e3x9fn+AgYKDhIWGh4iJiouMjY6PkJGSk5SVlpeYmZqbnJ2en6ChoqOkpaanqKmqq6ytrq+wsbKztLW2t7i5uru8vb6/wMHCw8TFxsfIycrLzM3Oz9DR0tPU1dbX2Nna29zd3t/g4eLj5OXm5+jp6uvs7e7v8PHy8/T19vf4+fr7/P3+/wsAAAAfAAEA51AAAAAAAAsAAAAfAAEA51AAAAAAAAsAAAAfAAEA51AAAAAAAA==",
  "base64",
);

/** A library that is not what its name says shows it here. @throws Error */
function tryOut(decode: (source: Uint8Array, target: Uint8Array) => number): void {
  const out = new Int32Array(256);
  const target = new Uint8Array(out.buffer);
  const right = decode(SAMPLE, target) === target.length && out.every((value, i) => value === i);
  if (!right || decode(SAMPLE.subarray(0, SAMPLE.length - 1), target) >= 0) throw new Error("it does not decode Blosc");
}

const MAX_INT = 2 ** 31 - 1;

function call<A extends unknown[], R>(bytes: number, f: NativeFunction<A, R>, ...args: A): R | Promise<R> {
  return bytes < ASYNC_BYTES ? f(...args) : callAsync(f, ...args);
}

/** zstd is no promise of libblosc2: looked for by name. */
function bindZstd(native: NativeLibrary): NativeDecoder | null {
  const decode = native.optional<[Uint8Array, number, Uint8Array, number], number | bigint>(
    "size_t ZSTD_decompress(void *target, size_t room, const void *source, size_t size)",
  );
  const isError = native.optional<[number | bigint], number>("unsigned int ZSTD_isError(size_t code)");
  if (!decode || !isError) return null;
  return async (source, target) => {
    const result = await call(target.length, decode, target, target.length, source, source.length);
    return isError(result) !== 0 ? -1 : Number(result);
  };
}

function bindLz4(native: NativeLibrary): NativeDecoder | null {
  const decode = native.optional<[Uint8Array, Uint8Array, number, number], number>(
    "int LZ4_decompress_safe(const void *source, void *target, int size, int room)",
  );
  if (!decode) return null;
  return async (source, target) => {
    if (source.length > MAX_INT || target.length > MAX_INT) return -1;
    return call(target.length, decode, source, target, source.length, target.length);
  };
}
