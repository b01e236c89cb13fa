/** The variables of all cells. */

/**
 * One that a failed cell declared and never set is an error when it is read, not silently `undefined`: as in a program,
 * where nothing would have come after the failure. Named imports arrive as getters and are stored as values, so that
 * cells may redefine them.
 */
export class Variables {
  readonly #values: Record<string, unknown> = {};
  /** names that a failed cell has left without a value, with its number */
  readonly #unset = new Map<string, number>();
  /** names that the cell at work has set; the first time is the compiler's, which makes room for them */
  readonly #times = new Map<string, number>();

  /** What cells see as `exports`. */
  readonly exports: Record<string, unknown>;

  constructor() {
    const values = this.#values;
    const note = (key: string | symbol, value: unknown) => {
      if (typeof key !== "string") return;
      this.#times.set(key, value === undefined ? (this.#times.get(key) ?? 0) + 1 : 2);
      this.#unset.delete(key);
    };
    this.exports = new Proxy(values, {
      defineProperty(_target, key, attributes) {
        if (key === "__esModule") return true;
        const value = attributes.get ? attributes.get() : attributes.value;
        note(key, value);
        values[key as string] = value;
        return true;
      },
      get: (_target, key) => {
        const failed = this.#unset.get(key as string);
        if (failed !== undefined) throw new ReferenceError(withoutValue(String(key), failed));
        // what a cell has only declared anew, with `declare global`, tslab takes for a variable of that cell
        return key in values ? values[key as string] : Reflect.get(globalThis, key);
      },
    });
  }

  /** A cell begins. */
  begin(): void {
    this.#times.clear();
  }

  /**
   * It has failed.
   * @param names that it declared
   * @param count the number shown in `In [n]`
   */
  failed(names: readonly string[], count: number): void {
    for (const name of names) if (this.#times.get(name) === 1) this.#unset.set(name, count);
  }

  /** The value of a name, which is forgotten. */
  take(name: string): unknown {
    const value = this.#values[name];
    delete this.#values[name];
    return value;
  }
}

const withoutValue = (name: string, count: number) =>
  `${name} has no value: the cell that declares it, In [${count}], failed or was interrupted before it was set. Run that cell again.`;
