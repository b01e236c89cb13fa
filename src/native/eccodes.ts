/**
 * ecCodes (https://github.com/ecmwf/eccodes, Apache-2.0), which unpacks every packing of GRIB. Its calls are made in a
 * process of their own alone (`eccodesChild.ts`): messages that are damaged within their frame may still crash it.
 */
import { existsSync, readdirSync } from "node:fs";
import { dirname, join } from "node:path";
import { type FindOptions, findLibraries, type LibraryKind, type LibrarySearch } from "./find.js";
import { frameFault } from "./gribFrame.js";
import { loadLibrary } from "./load.js";

/** Python's wheel has its library there. */
const FOLDER = process.platform === "darwin" ? "eccodeslib/lib" : "eccodeslib/lib64";

export const ECCODES: LibraryKind = {
  file: /^libeccodes(\.so(\.\d+)*|(\.\d+)*\.dylib)$/,
  variable: "ATMOREP_ECCODES",
  installed: "eccodes",
  python: FOLDER,
  within: FOLDER,
};

/** What ecCodes makes of a message. */
export interface UnpackedMessage {
  /** in the order of the message's points, NaN where missing */
  values: Float64Array;
  /** time the field is valid at, as ecCodes reads it: 20190301 */
  date: number;
  /** 600 for 06:00 */
  time: number;
  /** such as `regular_ll` */
  grid: string;
}

export interface NativeEccodes {
  path: string;
  /** such as `2.50.0` */
  version: string;
  /**
   * @param points number of values that the message must have
   * @throws Error in ecCodes' words if it cannot be unpacked
   */
  unpack(message: Uint8Array, points: number): UnpackedMessage;
}

/** Where the library lies; none is loaded. */
export const findEccodes = (options: FindOptions = {}): LibrarySearch => findLibraries(ECCODES, options);

/** Values that are missing get this one, which no packing gives. */
const MISSING = -1.7976931348623157e308;

/** Loads the library. @throws Error that says why it cannot be used */
export function bindEccodes(path: string): NativeEccodes {
  for (const needed of besideIt(path)) loadLibrary(needed, { global: true });
  const native = loadLibrary(path);
  const version = native.function<[], number>("long codes_get_api_version()")();
  const open = native.function<[null, Uint8Array, number], unknown>(
    "void *codes_handle_new_from_message_copy(void *context, const void *data, size_t size)",
  );
  const close = native.function<[unknown], number>("int codes_handle_delete(void *handle)");
  const errorText = native.function<[number], string>("const char *codes_get_error_message(int code)");
  const setDouble = native.function<[unknown, string, number], number>(
    "int codes_set_double(void *handle, const char *key, double value)",
  );
  const getLong = native.function<[unknown, string, [number]], number>(
    "int codes_get_long(void *handle, const char *key, _Out_ long *value)",
  );
  const getString = native.function<[unknown, string, Uint8Array, [number]], number>(
    "int codes_get_string(void *handle, const char *key, void *out, _Inout_ size_t *size)",
  );
  const getSize = native.function<[unknown, string, [number | bigint]], number>(
    "int codes_get_size(void *handle, const char *key, _Out_ size_t *size)",
  );
  const getDoubles = native.function<[unknown, string, Float64Array, [number | bigint]], number>(
    "int codes_get_double_array(void *handle, const char *key, void *out, _Inout_ size_t *size)",
  );

  const check = (code: number, key: string) => {
    if (code !== 0) throw new Error(`${key}: ${errorText(code)}`);
  };
  const long = (handle: unknown, key: string) => {
    const value: [number] = [0];
    check(getLong(handle, key, value), key);
    return Number(value[0]);
  };
  const text = (handle: unknown, key: string) => {
    const out = Buffer.alloc(256);
    const size: [number] = [out.length];
    check(getString(handle, key, out, size), key);
    return out.toString("latin1", 0, Math.max(0, Math.min(out.length, Number(size[0])) - 1));
  };

  const read = (handle: unknown, points: number): UnpackedMessage => {
    const grid = text(handle, "gridType");
    check(setDouble(handle, "missingValue", MISSING), "missingValue");
    const size: [number | bigint] = [0];
    check(getSize(handle, "values", size), "values");
    // Before anything is allocated: a damaged message may ask for any size.
    if (Number(size[0]) !== points) throw new Error(`${size[0]} values on a grid of ${points} points`);
    const values = new Float64Array(points);
    size[0] = points;
    check(getDoubles(handle, "values", values, size), "values");
    if (Number(size[0]) !== points) throw new Error(`${size[0]} values came of ${points}`);
    for (let i = 0; i < points; i++) {
      if (values[i] === MISSING) values[i] = Number.NaN;
      else if (!Number.isFinite(values[i])) throw new Error("a value is not finite");
    }
    return { values, date: long(handle, "validityDate"), time: long(handle, "validityTime"), grid };
  };

  return {
    path,
    version: [version / 10_000, (version / 100) % 100, version % 100].map(Math.floor).join("."),
    unpack(message, points) {
      const fault = frameFault(message);
      if (fault) throw new Error(fault);
      const handle = open(null, message, message.length);
      if (!handle) throw new Error("it is no message");
      try {
        return read(handle, points);
      } finally {
        close(handle);
      }
    },
  };
}

/**
 * Libraries that Python's wheel needs from the wheel beside it. They are loaded first, by their paths: the wheel's own
 * list of places does not reach them, and names folders of /tmp.
 */
function besideIt(path: string): string[] {
  const folder = dirname(path).replace(/eccodeslib([/\\]lib(64)?)$/, "eckitlib$1");
  if (folder === dirname(path) || !existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => /^libeckit_geo\./.test(file))
    .map((file) => join(folder, file));
}
