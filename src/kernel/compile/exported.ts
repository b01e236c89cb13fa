/**
 * `export` in a cell: its declarations are seen by later cells anyway, and tslab exports all of them itself, so the
 * word is taken out, with everything else at its place.
 */
import type * as TS from "typescript";

/** The cell with its own exports as plain declarations: `export const`, `export default class A`, `export { a }`. */
export function withoutExports(ts: typeof TS, source: string): string {
  if (!/\bexport\b/.test(source)) return source;
  const file = ts.createSourceFile("cell.ts", source, ts.ScriptTarget.Latest, false, ts.ScriptKind.TS);
  let text = source;
  const blank = (node: TS.Node) => {
    const start = node.getStart(file);
    text = text.slice(0, start) + text.slice(start, node.end).replace(/[^\r\n]/g, " ") + text.slice(node.end);
  };
  for (const statement of file.statements) {
    if (ts.isExportDeclaration(statement) && isOfOwnNames(ts, statement)) blank(statement);
    else if (ts.isExportAssignment(statement) && !statement.isExportEquals) {
      for (const word of statement.getChildren(file).slice(0, 2)) blank(word);
    } else if (!isNameless(ts, statement)) {
      for (const word of modifiersOf(ts, statement)) if (isExport(ts, word)) blank(word);
    }
  }
  return text;
}

/** `export { a, b }`, not `export { a as b }` or of another module. */
const isOfOwnNames = (ts: typeof TS, { exportClause, moduleSpecifier }: TS.ExportDeclaration): boolean =>
  moduleSpecifier === undefined &&
  exportClause !== undefined &&
  ts.isNamedExports(exportClause) &&
  exportClause.elements.every(({ propertyName }) => propertyName === undefined);

/** `export default function () {}`: no declaration without its first words. */
const isNameless = (ts: typeof TS, node: TS.Statement): boolean =>
  (ts.isFunctionDeclaration(node) || ts.isClassDeclaration(node)) && node.name === undefined;

const modifiersOf = (ts: typeof TS, node: TS.Node): readonly TS.ModifierLike[] =>
  (ts.canHaveModifiers(node) ? ts.getModifiers(node) : undefined) ?? [];

const isExport = (ts: typeof TS, { kind }: TS.Node): boolean =>
  kind === ts.SyntaxKind.ExportKeyword || kind === ts.SyntaxKind.DefaultKeyword;
