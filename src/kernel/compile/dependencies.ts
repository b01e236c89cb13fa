/**
 * What tslab's converter takes from the state of incremental builds, without that state, which is made anew for every
 * file at every cell: which files a file imports, and files whose names are bound.
 */
import type * as TS from "typescript";
import { forgetGlobal } from "./namesFirst.js";

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
    if (!CELL_FILES.test(file.fileName)) continue;
    bindSourceFile(file, builder.getCompilerOptions());
    forgetGlobal(file);
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
        const module = checker.getSymbolAtLocation(literal);
        for (const declaration of module?.declarations ?? []) visit(declaration.getSourceFile());
        // a file without exports is no module
        const script = module === undefined ? resolved(builder.getProgram(), source, literal) : undefined;
        if (script !== undefined) visit(script);
      }
    };
    visit(file);
    return [...found];
  };
  return builder;
}

function resolved(program: TS.Program, from: TS.SourceFile, literal: TS.StringLiteralLike): TS.SourceFile | undefined {
  const { getResolvedModuleFromModuleSpecifier: find } = program as unknown as {
    getResolvedModuleFromModuleSpecifier(
      literal: TS.StringLiteralLike,
      from: TS.SourceFile,
    ): TS.ResolvedModuleWithFailedLookupLocations | undefined;
  };
  const path = find(literal, from)?.resolvedModule?.resolvedFileName;
  return path === undefined ? undefined : program.getSourceFile(path);
}
