/**
 * The last step before a cell runs: ES module syntax becomes calls that the kernel answers, and every loop and every
 * `await` gets a check, so that an interrupt stops cell code where it stands, with its `finally` blocks.
 */
import type * as TS from "typescript";
import { SourceLines } from "./sourceLines.js";

/** Name under which running code reaches the kernel: `check`, `enter`, `resume`, `load`, `meta`, `thrown`, `left`. */
export const RUNTIME = "__kernel__";
/** Name under which an asynchronous function keeps the run that called it. */
export const RUN = "__run__";
/** Name of `require` in what static imports become; a cell may declare one of its own. */
export const REQUIRE = "__require__";
const ERROR = "__error__";
/** Lines that tslab writes above a cell. */
const LINES_ABOVE = 1;

export interface Instrumented {
  code: string;
  lines: SourceLines;
  /** specifiers of static imports */
  imports: string[];
}

/** @param innerMap base64 source map from `code` to what was typed */
export function instrument(
  ts: typeof TS,
  code: string,
  options: TS.TranspileOptions,
  innerMap: string | undefined,
): Instrumented {
  const imports: string[] = [];
  const out = ts.transpileModule(code, {
    ...options,
    compilerOptions: { ...options.compilerOptions, sourceMap: true },
    transformers: {
      before: [(context) => (file) => visitFile(ts, context, file, imports)],
      after: [(context) => (file) => renameRequire(ts, context, file)],
    },
  });
  const maps = out.sourceMapText === undefined ? [] : [out.sourceMapText];
  if (innerMap !== undefined) maps.push(Buffer.from(innerMap, "base64").toString("utf8"));
  const lines = new SourceLines(maps, LINES_ABOVE);
  return { code: out.outputText.replace(/\n\/\/# sourceMappingURL=.*\s*$/, "\n"), lines, imports };
}

function visitFile(
  ts: typeof TS,
  context: TS.TransformationContext,
  file: TS.SourceFile,
  imports: string[],
): TS.SourceFile {
  const { factory: f } = context;
  const call = (name: string, args: TS.Expression[]) =>
    f.createCallExpression(f.createPropertyAccessExpression(f.createIdentifier(RUNTIME), name), undefined, args);
  const run = () => f.createIdentifier(RUN);
  const guarded = (body: TS.Statement, name: "check" | "resume") => {
    const check = f.createExpressionStatement(call(name, name === "resume" ? [run()] : []));
    return f.createBlock([check, ...(ts.isBlock(body) ? body.statements : [body])], true);
  };
  const entering = (body: TS.ConciseBody) => {
    const declaration = f.createVariableDeclaration(RUN, undefined, undefined, call("enter", []));
    const enter = f.createVariableStatement(
      undefined,
      f.createVariableDeclarationList([declaration], ts.NodeFlags.Const),
    );
    const statements = ts.isBlock(body) ? body.statements : [f.createReturnStatement(body)];
    const rethrow = f.createThrowStatement(call("left", [run(), f.createIdentifier(ERROR)]));
    const caught = f.createCatchClause(f.createVariableDeclaration(ERROR), f.createBlock([rethrow]));
    return f.createBlock([enter, f.createTryStatement(f.createBlock(statements, true), caught, undefined)], true);
  };
  const visit = (node: TS.Node): TS.Node => {
    if ((ts.isImportDeclaration(node) || ts.isExportDeclaration(node)) && node.moduleSpecifier !== undefined) {
      if (ts.isStringLiteral(node.moduleSpecifier)) imports.push(node.moduleSpecifier.text);
    }
    const done = ts.visitEachChild(node, visit, context);
    const withBody = (body: TS.Node, made: TS.Node) =>
      ts.visitEachChild(done, (child) => (child === body ? made : child), context);
    if (ts.isIterationStatement(done, false)) {
      const waits = ts.isForOfStatement(done) && done.awaitModifier !== undefined;
      return withBody(done.statement, guarded(done.statement, waits ? "resume" : "check"));
    }
    if (isFunctionWithRun(ts, done) && done.body !== undefined && isAsync(ts, done)) {
      return withBody(done.body, entering(done.body));
    }
    if (ts.isMetaProperty(done) && done.keywordToken === ts.SyntaxKind.ImportKeyword) {
      return call("meta", [f.createIdentifier("__filename")]);
    }
    if (ts.isThrowStatement(done)) return f.updateThrowStatement(done, call("thrown", [done.expression]));
    if (ts.isAwaitExpression(done)) return call("resume", [run(), done]);
    if (ts.isCallExpression(done) && done.expression.kind === ts.SyntaxKind.ImportKeyword) {
      return call("load", [...done.arguments]);
    }
    return done;
  };
  // TypeScript exports `let a;` without setting it; set, it is told from what a cell that failed never came to.
  const withValue = (node: TS.Node) =>
    ts.isVariableDeclaration(node) && node.initializer === undefined
      ? f.updateVariableDeclaration(node, node.name, node.exclamationToken, node.type, f.createVoidZero())
      : node;
  const visitTop = (node: TS.Node): TS.Node => {
    const done = visit(node);
    if (!ts.isVariableStatement(done) || (done.declarationList.flags & ts.NodeFlags.BlockScoped) !== ts.NodeFlags.Let) {
      return done;
    }
    const list = ts.visitEachChild(done.declarationList, withValue, context);
    return f.updateVariableStatement(done, done.modifiers, list);
  };
  return ts.visitEachChild(file, visitTop, context);
}

/** The `require` that TypeScript writes, not that of the cell. */
function renameRequire(ts: typeof TS, context: TS.TransformationContext, file: TS.SourceFile): TS.SourceFile {
  const { factory: f } = context;
  const visit = (node: TS.Node): TS.Node => {
    const done = ts.visitEachChild(node, visit, context);
    if (!ts.isCallExpression(done) || !ts.isIdentifier(done.expression) || done.expression.pos >= 0) return done;
    if (done.expression.text !== "require") return done;
    return f.updateCallExpression(done, f.createIdentifier(REQUIRE), undefined, done.arguments);
  };
  return ts.visitEachChild(file, visit, context);
}

/** Functions that may be asynchronous; accessors and constructors may not. */
const isFunctionWithRun = (
  ts: typeof TS,
  node: TS.Node,
): node is TS.ArrowFunction | TS.FunctionExpression | TS.FunctionDeclaration | TS.MethodDeclaration =>
  ts.isArrowFunction(node) ||
  ts.isFunctionExpression(node) ||
  ts.isFunctionDeclaration(node) ||
  ts.isMethodDeclaration(node);

function isAsync(ts: typeof TS, node: { modifiers?: readonly { kind: TS.SyntaxKind }[] }): boolean {
  return node.modifiers?.some(({ kind }) => kind === ts.SyntaxKind.AsyncKeyword) === true;
}
