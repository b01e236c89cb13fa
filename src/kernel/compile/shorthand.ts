/**
 * `{ name }` where an earlier cell declared `name`. tslab asks for the symbol at the name, which in a shorthand is the
 * property, not the variable, and so leaves a variable that does not exist here; spelled out as `name: exports.name`.
 */
import type * as TS from "typescript";

/** File in which tslab keeps the declarations of earlier cells. */
const EARLIER_CELLS = /(^|\/)__prev__\.d\.ts$/;

/** Has every emit of `program` spell such shorthands out, before the transformers that the caller passes. */
export function spellOutShorthands<T extends TS.BuilderProgram>(ts: typeof TS, program: T): T {
  const emit = program.emit;
  program.emit = (file, writeFile, cancellation, onlyDeclarations, transformers) => {
    const after = [spellOut(ts, program.getProgram().getTypeChecker()), ...(transformers?.after ?? [])];
    return emit.call(program, file, writeFile, cancellation, onlyDeclarations, { ...transformers, after });
  };
  return program;
}

function spellOut(ts: typeof TS, checker: TS.TypeChecker): TS.TransformerFactory<TS.SourceFile> {
  const isEarlier = (node: TS.ShorthandPropertyAssignment) => {
    const variable = checker.getShorthandAssignmentValueSymbol(ts.getOriginalNode(node));
    return variable?.declarations?.some((place) => EARLIER_CELLS.test(place.getSourceFile().fileName)) === true;
  };
  return (context) => {
    const { factory: f } = context;
    const visit = (node: TS.Node): TS.Node => {
      const done = ts.visitEachChild(node, visit, context);
      if (!ts.isShorthandPropertyAssignment(done) || !isEarlier(done)) return done;
      const variable = f.createPropertyAccessExpression(f.createIdentifier("exports"), done.name.text);
      // `({ name = 1 } = value)` assigns, with a default.
      const fallback = done.objectAssignmentInitializer;
      const value = fallback === undefined ? variable : f.createAssignment(variable, fallback);
      return ts.setTextRange(f.createPropertyAssignment(done.name.text, value), done);
    };
    return (file) => ts.visitEachChild(file, visit, context);
  };
}
