/**
 * tslab compiles a cell twice: to learn what names it declares, and with all of them exported. The first time only the
 * cell itself is parsed, and its names are bound: a program for that alone takes a third of a cell's time.
 */
import type * as TS from "typescript";

/**
 * A stand-in for the program that tslab asks for names.
 * @param last the program of the cell before
 * @param file the cell, just read
 * @returns undefined if the cell declares nothing: then tslab takes the first program for the second too
 */
export function namesOnly<T extends TS.BuilderProgram>(ts: typeof TS, last: T, file: TS.SourceFile): T | undefined {
  const { bindSourceFile } = ts as unknown as {
    bindSourceFile(file: TS.SourceFile, options: TS.CompilerOptions): void;
  };
  bindSourceFile(file, last.getCompilerOptions());
  forgetGlobal(file);
  const { locals } = file as unknown as { locals?: ReadonlyMap<TS.__String, unknown> };
  if (locals === undefined || locals.size === 0) return undefined;
  // TypeScript keeps names that begin with two underscores with a third
  const named = new Map([...locals].map(([key, value]) => [ts.unescapeLeadingUnderscores(key), value]));
  const names = Object.create(file, { locals: { value: named } });
  return Object.assign(Object.create(last), {
    getSourceFile: (path: string) => (path === file.fileName ? names : last.getSourceFile(path)),
  });
}

/** `declare global` is no name that tslab could export. */
export function forgetGlobal(file: TS.SourceFile): void {
  const { locals } = file as unknown as { locals?: Map<string, unknown> };
  locals?.delete("__global");
}
