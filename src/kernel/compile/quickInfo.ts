/**
 * What TypeScript's language service tells of a place, asked of a checker that is there: the service would read and
 * check everything a second time. As tslab's fork has it.
 */
import type * as TS from "typescript";

/** What TypeScript has beside its public types. */
interface Internals {
  getTouchingPropertyName(file: TS.SourceFile, position: number): TS.Node;
  getContainingObjectLiteralElement(node: TS.Node): TS.ObjectLiteralElement | undefined;
  getPropertySymbolsFromContextualType(
    node: TS.ObjectLiteralElement,
    checker: TS.TypeChecker,
    type: TS.Type,
    unionSymbolOk: boolean,
  ): readonly TS.Symbol[] | undefined;
  getContainerNode(node: TS.Node): TS.Declaration | undefined;
  createTextSpanFromNode(node: TS.Node, file: TS.SourceFile): TS.TextSpan;
  typeToDisplayParts(checker: TS.TypeChecker, type: TS.Type, at?: TS.Node): TS.SymbolDisplayPart[];
  isLabelName(node: TS.Node): boolean;
  isConstTypeReference(node: TS.Node): boolean;
  isInComment(file: TS.SourceFile, position: number): unknown;
  isImportMeta(node: TS.Node): boolean;
  SymbolDisplay: {
    getSymbolDisplayPartsDocumentationAndSymbolKind(
      checker: TS.TypeChecker,
      symbol: TS.Symbol,
      file: TS.SourceFile,
      container: TS.Node | undefined,
      node: TS.Node,
    ): Pick<TS.QuickInfo, "displayParts" | "documentation" | "tags"> & { symbolKind: TS.ScriptElementKind };
    getSymbolModifiers(checker: TS.TypeChecker, symbol: TS.Symbol): string;
  };
}

/** Signature and documentation of what stands at `position` of `file`. */
export function quickInfoAt(
  ts: typeof TS,
  file: TS.SourceFile,
  checker: TS.TypeChecker,
  position: number,
): TS.QuickInfo | undefined {
  const own = ts as unknown as Internals;
  const touched = own.getTouchingPropertyName(file, position);
  if (touched === file) return undefined;
  const node = describedBy(ts, touched);
  const textSpan = own.createTextSpanFromNode(node, file);
  const symbol = symbolAt(own, node, checker);
  if (symbol === undefined || isUnknown(checker, symbol)) {
    if (!hasType(ts, file, node, position)) return undefined;
    const type = checker.getTypeAtLocation(node);
    return {
      kind: ts.ScriptElementKind.unknown,
      kindModifiers: "",
      textSpan,
      displayParts: own.typeToDisplayParts(checker, type, own.getContainerNode(node)),
      documentation: type.symbol?.getDocumentationComment(checker),
      tags: type.symbol?.getJsDocTags(checker),
    };
  }
  const { symbolKind, displayParts, documentation, tags } =
    own.SymbolDisplay.getSymbolDisplayPartsDocumentationAndSymbolKind(
      checker,
      symbol,
      file,
      own.getContainerNode(node),
      node,
    );
  const kindModifiers = own.SymbolDisplay.getSymbolModifiers(checker, symbol);
  return { kind: symbolKind, kindModifiers, textSpan, displayParts, documentation, tags };
}

const isUnknown = (checker: TS.TypeChecker, symbol: TS.Symbol): boolean =>
  (checker as unknown as { isUnknownSymbol(symbol: TS.Symbol): boolean }).isUnknownSymbol(symbol);

/** The node that is told of where `node` is touched: of `new Thing()` the class. */
function describedBy(ts: typeof TS, node: TS.Node): TS.Node {
  const { parent } = node;
  if (ts.isNewExpression(parent) && node.pos === parent.pos) return parent.expression;
  const isWhole =
    (ts.isNamedTupleMember(parent) && node.pos === parent.pos) ||
    ((ts as unknown as Internals).isImportMeta(parent) && (parent as TS.MetaProperty).name === node);
  return isWhole ? parent : node;
}

function symbolAt(own: Internals, node: TS.Node, checker: TS.TypeChecker): TS.Symbol | undefined {
  const element = own.getContainingObjectLiteralElement(node);
  const type = element && checker.getContextualType(element.parent as TS.ObjectLiteralExpression);
  const properties = type && own.getPropertySymbolsFromContextualType(element, checker, type, false);
  return properties?.length === 1 ? properties[0] : checker.getSymbolAtLocation(node);
}

/** Whether something without a symbol has a type worth telling. */
function hasType(ts: typeof TS, file: TS.SourceFile, node: TS.Node, position: number): boolean {
  const own = ts as unknown as Internals;
  if (ts.isIdentifier(node)) return !own.isLabelName(node) && !own.isConstTypeReference(node.parent);
  if (ts.isPropertyAccessExpression(node) || ts.isQualifiedName(node)) return !own.isInComment(file, position);
  const { ThisKeyword, ThisType, SuperKeyword, NamedTupleMember } = ts.SyntaxKind;
  return [ThisKeyword, ThisType, SuperKeyword, NamedTupleMember].includes(node.kind) || own.isImportMeta(node);
}
