/**
 * What tslab asks of its own fork of TypeScript (5.0) and no other TypeScript has under that name, so that tslab's
 * converter works with any: five functions, of which `test/kernel/fork.test.ts` holds that they are all.
 */
import type * as TS from "typescript";

/** What TypeScript has beside its public types. */
interface Internals {
  nullTransformationContext: TS.TransformationContext;
}

/** Completion and tooltips of tslab's converter, which nobody asks: `assist.ts` answers. */
function unused(): never {
  throw new Error("tslab's own completion and tooltips are not used");
}

/** The functions of the fork, made of `ts`. */
export function forkOf(ts: typeof TS) {
  const { nullTransformationContext } = ts as unknown as Internals;
  return {
    getNullTransformationContext: () => nullTransformationContext,
    getDefaultTypeRoots: (folder: string) => ts.getEffectiveTypeRoots({}, { getCurrentDirectory: () => folder }),
    /** Errors of `files` alone: tslab drops those that have no file. */
    getPreEmitDiagnosticsOfFiles: (program: TS.Program, files: readonly TS.SourceFile[]) =>
      ts.sortAndDeduplicateDiagnostics(
        files.flatMap((file): TS.Diagnostic[] => [
          ...program.getSyntacticDiagnostics(file),
          ...program.getSemanticDiagnostics(file),
          ...program.getDeclarationDiagnostics(file),
        ]),
      ),
    getQuickInfoAtPosition: unused,
    Completions: { getCompletionsAtPositionForTslab: unused },
  };
}
