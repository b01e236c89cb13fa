/**
 * Files of the notebook's own that cells import, looked at before each cell. TypeScript's watchers tell of changes when
 * the system does, which may be after the cell that should have seen them, and in the middle of a compilation.
 */
import { statSync } from "node:fs";

type Changed = (path: string, kind: number) => void;

export class WatchedFiles {
  readonly #files = new Map<string, { stamp: string; listeners: Set<Changed> }>();

  /** In place of a watcher of the system. */
  watch(path: string, changed: Changed): { close(): void } {
    const file = this.#files.get(path) ?? { stamp: stampOf(path), listeners: new Set() };
    this.#files.set(path, file);
    file.listeners.add(changed);
    return {
      close: () => {
        file.listeners.delete(changed);
        if (file.listeners.size === 0) this.#files.delete(path);
      },
    };
  }

  /**
   * Tells the compiler of what has changed.
   * @param kinds numbers by which it knows what happened
   * @returns paths of files that changed, appeared or went
   */
  look(kinds: Readonly<Record<"Created" | "Changed" | "Deleted", number>>): string[] {
    const changed: string[] = [];
    for (const [path, file] of [...this.#files]) {
      const stamp = stampOf(path);
      if (stamp === file.stamp) continue;
      const kind = file.stamp === "" ? kinds.Created : stamp === "" ? kinds.Deleted : kinds.Changed;
      file.stamp = stamp;
      changed.push(path);
      for (const listener of [...file.listeners]) listener(path, kind);
    }
    return changed;
  }
}

/** Changes with every edit; empty for a file that is not there. */
function stampOf(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false, bigint: true });
  return found === undefined ? "" : `${found.mtimeNs} ${found.size} ${found.ino}`;
}
