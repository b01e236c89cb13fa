/** Loading a native library and binding functions of it. koffi itself is loaded with the first library. */
import { createRequire } from "node:module";

/** A C function: called at once, or with `async` on another thread, which calls back. */
export interface NativeFunction<A extends unknown[], R> {
  (...args: A): R;
  async(...args: [...A, (error: Error | null, result: R) => void]): void;
}

/** A loaded library; it stays loaded until the process ends. */
export interface NativeLibrary {
  path: string | null;
  /** @param prototype in C, such as `int32_t sum(const void *bytes, int32_t count)`. @throws Error if there is no such function */
  function<A extends unknown[], R>(prototype: string): NativeFunction<A, R>;
  /** the same, or null where the library has no such function */
  optional<A extends unknown[], R>(prototype: string): NativeFunction<A, R> | null;
}

type Koffi = typeof import("koffi");

const loaded = new Map<string | null, NativeLibrary>();
const structs = new Set<string>();

/** koffi, loaded when it is needed. @throws Error if the package has no binary for this system */
function koffi(): Koffi {
  return createRequire(import.meta.url)("koffi") as Koffi;
}

/**
 * Loads a library once.
 * @param path null for the process itself, whose C library is meant
 * @param global other libraries that are loaded later find it by its name
 * @throws Error that says why it cannot be loaded
 */
export function loadLibrary(path: string | null, { global = false } = {}): NativeLibrary {
  const known = loaded.get(path);
  if (known) return known;
  const handle = koffi().load(path, { global });
  const bind = <A extends unknown[], R>(prototype: string) => handle.func(prototype) as unknown as NativeFunction<A, R>;
  const library: NativeLibrary = {
    path,
    function: bind,
    optional(prototype) {
      try {
        return bind(prototype);
      } catch {
        return null;
      }
    },
  };
  loaded.set(path, library);
  return library;
}

/** `errno` as the last call on this thread left it. */
export const lastErrno = (): number => koffi().errno();

/** Names a C struct for prototypes, once for the process. */
export function declareStruct(name: string, members: Record<string, string>): void {
  if (structs.has(name)) return;
  koffi().struct(name, members);
  structs.add(name);
}

/** The result of a call on another thread. Arguments must not be let go, or used by other calls, before it has come. */
export function callAsync<A extends unknown[], R>(f: NativeFunction<A, R>, ...args: A): Promise<R> {
  return new Promise((resolve, reject) => {
    f.async(...args, (error, result) => (error ? reject(error) : resolve(result)));
  });
}
