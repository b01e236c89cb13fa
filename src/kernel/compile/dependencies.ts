/**
 * What tslab's converter takes from the state of incremental builds, without that state, which is made anew for every
 * file at every cell: which files a file imports, and files whose names are bound.
 */
import type * as TS from "typescript";

/** The cell, and the declarations of the cells before it. */
export const CELL_FILES = /__(tslab|prev)__\.(d\.)?ts$/;

/** What TypeScript keeps in a source file beside its public properties. */
interface WithImports extends TS.SourceFile {
  imports?: readonly TS.StringLiteralLike[];
}

/** Binds the names of the files that are new with every cell; elsewhere the type checker does it, for all files. */
export function bindCells<T extends TS.BuilderProgram>(ts: typeof TS, builder: T): T {
  const { bindSourceFile } = ts as unknown as {
    bindSourceFile(file: TS.SourceFile, options: TS.CompilerOptions): void;
  };
  for (const file of builder.getSourceFiles()) {
    if (CELL_FILES.test(file.fileName)) bindSourceFile(file, builder.getCompilerOptions());
  }
  return builder;
}

/** Gives `builder` its answer to `getAllDependencies`. Declarations are not followed: tslab leaves them out. */
export function answerDependencies<T extends TS.BuilderProgram>(builder: T): T {
  builder.getAllDependencies = (file) => {
    const checker = builder.getProgram().getTypeChecker();
    const found = new Set<string>();
    const visit = (source: TS.SourceFile) => {
      if (found.has(source.fileName)) return;
      found.add(source.fileName);
      if (source.isDeclarationFile) return;
      for (const literal of (source as WithImports).imports ?? []) {
        for (const declaration of checker.getSymbolAtLocation(literal)?.declarations ?? []) {
          visit(declaration.getSourceFile());
        }
      }
    };
    visit(file);
    return [...found];
  };
  return builder;
}
