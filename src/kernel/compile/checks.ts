/** How strictly cells are checked: as `tsconfig.json` beside the notebook says, else by everything that `strict` is. */
import { statSync } from "node:fs";
import { join } from "node:path";
import type * as TS from "typescript";

/** Options of a `tsconfig.json` that count for cells: what is an error, and which decorators. */
const COUNT = [
  "strict",
  "noImplicitAny",
  "noImplicitThis",
  "strictNullChecks",
  "strictFunctionTypes",
  "strictBindCallApply",
  "strictPropertyInitialization",
  "strictBuiltinIteratorReturn",
  "useUnknownInCatchVariables",
  "exactOptionalPropertyTypes",
  "noUncheckedIndexedAccess",
  "noPropertyAccessFromIndexSignature",
  "noImplicitOverride",
  "noImplicitReturns",
  "noFallthroughCasesInSwitch",
  "experimentalDecorators",
  "emitDecoratorMetadata",
] as const;

const FILE = "tsconfig.json";

export class Checks {
  readonly #ts: typeof TS;
  readonly #folder: string;
  #stamp = "";
  /** the cell at hand asks for none */
  off = false;
  /** for TypeScript, on top of the kernel's own */
  options: TS.CompilerOptions = { strict: true };
  /** what is wrong with the file */
  faults: readonly TS.Diagnostic[] = [];

  /** @param folder the notebook's */
  constructor(ts: typeof TS, folder: string) {
    this.#ts = ts;
    this.#folder = folder;
    this.look();
  }

  /** Reads the file if it has changed. */
  look(): void {
    const path = join(this.#folder, FILE);
    const found = statSync(path, { throwIfNoEntry: false, bigint: true });
    const stamp = found?.isFile() === true ? `${found.mtimeNs} ${found.size} ${found.ino}` : "";
    if (stamp === this.#stamp) return;
    this.#stamp = stamp;
    this.options = { strict: true };
    this.faults = [];
    if (stamp !== "") this.#read(path);
  }

  #read(path: string): void {
    const ts = this.#ts;
    const file = ts.readJsonConfigFile(path, (name) => ts.sys.readFile(name));
    // no files: they are not this kernel's, and looking for them takes long in a folder of data
    const host = { ...ts.sys, useCaseSensitiveFileNames: true, readDirectory: () => [] };
    const { options, errors } = ts.parseJsonSourceFileConfigFileContent(file, host, this.#folder, undefined, path);
    const parsed = (file as unknown as { parseDiagnostics: TS.Diagnostic[] }).parseDiagnostics;
    this.faults = [...parsed, ...errors.filter(({ code }) => !NO_FILES.has(code))];
    for (const name of COUNT) if (options[name] !== undefined) this.options[name] = options[name];
  }
}

/** "No inputs were found in config file", "The 'files' list in config file is empty" */
const NO_FILES = new Set([18002, 18003]);
