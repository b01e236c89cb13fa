/** The variables of all cells. */

/**
 * One that a failed cell declared and never set is an error when it is read, not silently `undefined`: as in a program,
 * where nothing would have come after the failure. Named imports arrive as getters and are stored as values, so that
 * cells may redefine them.
 */
export class Variables {
  /** by name */
  readonly values: Record<string, unknown> = {};
  /** names that a failed cell has left without a value, with its number */
  readonly #unset = new Map<string, number>();

  /** @param resultName under which the cell leaves the value of its last expression */
  ofCell(resultName: string | undefined): CellVariables {
    return new CellVariables(this.values, this.#unset, resultName);
  }
}

/** The same, as one cell sees them: several may be at work, of different shells. */
export class CellVariables {
  /** names that the cell has set; the first time is the compiler's, which makes room for them */
  readonly #times = new Map<string, number>();
  readonly #unset: Map<string, number>;

  /** what the cell sees as `exports` */
  readonly exports: Record<string, unknown>;
  /** value of its last expression */
  result: unknown;

  constructor(values: Record<string, unknown>, unset: Map<string, number>, resultName: string | undefined) {
    this.#unset = unset;
    const note = (key: string | symbol, value: unknown) => {
      if (typeof key !== "string") return;
      this.#times.set(key, value === undefined ? (this.#times.get(key) ?? 0) + 1 : 2);
      unset.delete(key);
    };
    this.exports = new Proxy(values, {
      defineProperty: (_target, key, attributes) => {
        if (key === "__esModule") return true;
        const value = attributes.get ? attributes.get() : attributes.value;
        if (key === resultName) {
          this.result = value;
          return true;
        }
        note(key, value);
        values[key as string] = value;
        return true;
      },
      get: (_target, key) => {
        const failed = unset.get(key as string);
        if (failed !== undefined) throw new ReferenceError(withoutValue(String(key), failed));
        if (key === resultName) return this.result;
        // what a cell has only declared anew, with `declare global`, tslab takes for a variable of that cell
        return key in values ? values[key as string] : Reflect.get(globalThis, key);
      },
    });
  }

  /**
   * The cell has failed.
   * @param names that it declared
   * @param count the number shown in `In [n]`
   */
  failed(names: readonly string[], count: number): void {
    for (const name of names) if (this.#times.get(name) === 1) this.#unset.set(name, count);
  }

  /** The value of its last expression, which is forgotten. */
  take(): unknown {
    const { result } = this;
    this.result = undefined;
    return result;
  }
}

const withoutValue = (name: string, count: number) =>
  `${name} has no value: the cell that declares it, In [${count}], failed or was interrupted before it was set. Run that cell again.`;
