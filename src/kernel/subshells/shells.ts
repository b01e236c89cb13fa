/**
 * Shells of a kernel (Jupyter enhancement proposal 91): the main one, and those that clients make beside it. Each answers
 * its own messages one after the other, so that a cell of one answers while a cell of another waits.
 */
import { randomUUID } from "node:crypto";

/** @typeParam P a message and who sent it */
export interface Shell<P> {
  /** null for the main shell */
  readonly id: string | null;
  queue: P[];
  serving: boolean;
  /** number of the cell at work */
  running: number | undefined;
  /** an interrupt of it was asked for */
  interrupted: boolean;
}

const emptyShell = <P>(id: string | null): Shell<P> => ({
  id,
  queue: [],
  serving: false,
  running: undefined,
  interrupted: false,
});

export class Shells<P> {
  readonly main: Shell<P> = emptyShell(null);
  readonly #beside = new Map<string, Shell<P>>();

  /** @param id as a message's header has it; none is the main shell */
  find(id: unknown): Shell<P> | undefined {
    if (id === undefined || id === null) return this.main;
    return typeof id === "string" ? this.#beside.get(id) : undefined;
  }

  /** @returns the new shell's name */
  create(): string {
    const id = randomUUID();
    this.#beside.set(id, emptyShell(id));
    return id;
  }

  /** @returns the shell that is no more, or undefined if there was none */
  delete(id: unknown): Shell<P> | undefined {
    const shell = typeof id === "string" ? this.#beside.get(id) : undefined;
    if (shell?.id) this.#beside.delete(shell.id);
    return shell;
  }

  /** Names of those beside the main one. */
  list(): string[] {
    return [...this.#beside.keys()];
  }

  /** Those with a cell at work. */
  atWork(): Shell<P>[] {
    return [this.main, ...this.#beside.values()].filter(({ running }) => running !== undefined);
  }

  /**
   * Whose cells an interrupt is for: of the shell that it names; of none named, the main one's, or if that has none all.
   * @param id as its header has it
   */
  toInterrupt(id: unknown): Shell<P>[] {
    const named = id === undefined || id === null ? undefined : this.find(id);
    const working = this.atWork();
    if (named !== undefined) return working.filter((shell) => shell === named);
    return this.main.running === undefined ? working : [this.main];
  }
}

/** What a request gets that names a shell which is not there; as ipykernel's. */
export const unknownShell = (id: unknown) => ({
  status: "error",
  ename: "UnknownSubshellError",
  evalue: `Unknown subshell_id '${String(id)}'`,
  traceback: [],
});
