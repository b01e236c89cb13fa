/** Binary values inside JSON, as Jupyter's widgets carry them: taken out, and named by their paths. */

type Path = (string | number)[];
type State = Record<string, unknown>;

export interface Separated {
  /** without them: left out of objects, null in lists */
  state: State;
  buffer_paths: Path[];
  buffers: ArrayBufferView[];
}

/** Takes the typed arrays out of a state; what holds none of them is not copied. */
export function separateBuffers(state: State): Separated {
  const buffer_paths: Path[] = [];
  const buffers: ArrayBufferView[] = [];
  const part = (value: unknown, path: Path): unknown => {
    if (ArrayBuffer.isView(value)) {
      buffer_paths.push(path);
      buffers.push(value);
      return undefined;
    }
    if (Array.isArray(value)) return value.map((one, i) => part(one, [...path, i]) ?? null);
    if (!isPlain(value)) return value;
    const parts = Object.entries(value).map(([key, one]) => [key, part(one, [...path, key])]);
    return Object.fromEntries(parts.filter(([, one]) => one !== undefined));
  };
  return { state: part(state, []) as State, buffer_paths, buffers };
}

/** Puts them back where their paths say; a path that leads nowhere is left. */
export function placeBuffers(state: State, paths: unknown, buffers: readonly Uint8Array[]): State {
  if (!Array.isArray(paths)) return state;
  for (const [i, path] of paths.entries()) {
    if (!Array.isArray(path) || path.length === 0 || buffers[i] === undefined) continue;
    const holder = path.slice(0, -1).reduce<unknown>((at, key) => (isHolder(at) ? own(at, key) : undefined), state);
    const last = String(path[path.length - 1]);
    if (isHolder(holder) && last !== "__proto__") Reflect.set(holder, last, buffers[i]);
  }
  return state;
}

const isHolder = (value: unknown): value is object => typeof value === "object" && value !== null;

const own = (holder: object, key: unknown): unknown =>
  Object.hasOwn(holder, String(key)) ? Reflect.get(holder, String(key)) : undefined;

function isPlain(value: unknown): value is State {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
