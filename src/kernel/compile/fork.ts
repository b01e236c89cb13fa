/**
 * What tslab asks of its own fork of TypeScript (5.0) and no other TypeScript has under that name, so that tslab's
 * converter works with any: five functions, of which `test/kernel/fork.test.ts` holds that they are all.
 */
import type * as TS from "typescript";
import { quickInfoAt } from "./quickInfo.js";

/** What TypeScript has beside its public types, and the functions here are made of. */
interface Internals {
  Completions: {
    /** host, program, log, file, position, preferences, trigger character, kind, token, format */
    getCompletionsAtPosition(...args: unknown[]): TS.CompletionInfo | undefined;
  };
  nullTransformationContext: TS.TransformationContext;
}

/** The functions of the fork, made of `ts`. */
export function forkOf(ts: typeof TS) {
  const { Completions, nullTransformationContext } = ts as unknown as Internals;
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
    getQuickInfoAtPosition: (file: TS.SourceFile, checker: TS.TypeChecker, _token: unknown, position: number) =>
      quickInfoAt(ts, file, checker, position),
    Completions: { ...Completions, getCompletionsAtPositionForTslab: Completions.getCompletionsAtPosition },
  };
}
