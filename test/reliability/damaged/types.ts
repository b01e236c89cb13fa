/** One damaged input and what must be said of it. */
export interface DamagedCase {
  name: string;
  kind: "store" | "file";
  /** Makes it in a folder of its own. @returns its path */
  make(dir: string): string;
  /**
   * The first command that must refuse it, where one must: those before may not see it (`info` does not read every chunk
   * with `--no-values`, and no one sees a changed bit among values without a checksum). `null`: none has to.
   */
  refused: "info" | "verify" | "train" | "import" | null;
  /** the file or chunk that a message names, where it is known; else the store or file */
  names?: RegExp;
}

export const store = (
  name: string,
  refused: DamagedCase["refused"],
  names: RegExp | undefined,
  make: DamagedCase["make"],
): DamagedCase => ({ name, kind: "store", refused, names, make });
export const file = (name: string, refused: DamagedCase["refused"], make: DamagedCase["make"]): DamagedCase => ({
  name,
  kind: "file",
  refused,
  make,
});
