/**
 * Declarations that are carried from cell to cell, statement by statement. A cell is compiled with those alone whose
 * names it mentions, and with what those mention in turn: otherwise all cells before it would be parsed, checked and
 * printed again with every cell.
 */
import type * as TS from "typescript";

/** One statement of a declaration file. */
export interface Carried {
  readonly text: string;
  /** what it declares; nothing for `declare global` and imports for their effect */
  readonly names: readonly string[];
  /** every word of it that could be a name */
  readonly words: ReadonlySet<string>;
  readonly isImport: boolean;
  /** modules that types in it name, as `import("...")` */
  readonly modules: readonly string[];
  readonly isNamespace: boolean;
}

const WORD = /[\p{ID_Start}$_][\p{ID_Continue}$\u200c\u200d]*/gu;

/**
 * The declarations `used` of `all` as a file. It imports every module that any of `all` names: TypeScript forgets a
 * library's files when nothing imports them, and finds and reads them anew with the next cell that does.
 */
export function print(used: readonly Carried[], all: readonly Carried[]): string {
  const modules = [...new Set(all.flatMap((declaration) => declaration.modules))].sort();
  const imports = modules.map((name) => `import ${JSON.stringify(name)};\n`);
  // only a module may declare globals
  const mark = used.some(({ names, isImport }) => names.length === 0 && !isImport) ? ["export {};\n"] : [];
  return [...imports, ...used.map(({ text }) => `${text}\n`), ...mark].join("");
}

/**
 * What of `all` the names in `source` may refer to, in the order of `all`; statements without a name always do. Imports
 * go with every cell: TypeScript takes over the structure of the program before as a whole only while the list of
 * modules is the same.
 */
export function mentioned(all: readonly Carried[], source: string): Carried[] {
  // A name may be spelled with escapes.
  if (source.includes("\\u")) return [...all];
  const byName = new Map<string, Carried[]>();
  const found = new Set<Carried>();
  const words = new Set(source.match(WORD));
  const take = (declaration: Carried) => {
    if (found.has(declaration)) return;
    found.add(declaration);
    // A set that grows while it is walked is walked to its new end.
    for (const word of declaration.words) words.add(word);
  };
  for (const declaration of all) {
    if (declaration.isImport || declaration.names.length === 0) take(declaration);
    for (const name of declaration.names) {
      const others = byName.get(name);
      if (others === undefined) byName.set(name, [declaration]);
      else others.push(declaration);
    }
  }
  for (const word of words) for (const declaration of byName.get(word) ?? []) take(declaration);
  return all.filter((declaration) => found.has(declaration));
}

/**
 * The declarations after a cell that was compiled with `used` of `all`.
 * @param output the cell's own declarations and what stays of `used`, as tslab gives them; it forgets namespaces and globals
 */
export function carry(ts: typeof TS, all: readonly Carried[], used: readonly Carried[], output: string): Carried[] {
  const gone = new Set(used);
  const own = split(ts, output);
  const declared = new Set(own.flatMap(({ names }) => names));
  const isGlobal = ({ names, isImport }: Carried) => names.length === 0 && !isImport;
  const stays = (old: Carried) =>
    !gone.has(old) ||
    (old.isNamespace && !old.names.some((name) => declared.has(name))) ||
    (isGlobal(old) && !own.some(({ text }) => text === old.text));
  return [...own, ...all.filter(stays)];
}

function split(ts: typeof TS, text: string): Carried[] {
  const file = ts.createSourceFile("carried.d.ts", text, ts.ScriptTarget.Latest);
  // one of these is the mark of `print`
  const declarations = file.statements.filter((statement) => !ts.isExportDeclaration(statement));
  return declarations.map((statement) => {
    const own = statement.getFullText(file).trim();
    const names = namesOf(ts, statement);
    const isNamespace = ts.isModuleDeclaration(statement) && names.length > 0;
    const isImport = ts.isImportDeclaration(statement) || ts.isImportEqualsDeclaration(statement);
    const modules = modulesOf(ts, statement);
    return { text: own, names, words: new Set(own.match(WORD)), isImport, modules, isNamespace };
  });
}

/** Modules of types such as `import("module").Type` in `node`. */
function modulesOf(ts: typeof TS, node: TS.Node): string[] {
  const found = new Set<string>();
  const visit = (at: TS.Node) => {
    if (ts.isImportTypeNode(at) && ts.isLiteralTypeNode(at.argument) && ts.isStringLiteral(at.argument.literal)) {
      found.add(at.argument.literal.text);
    }
    ts.forEachChild(at, visit);
  };
  visit(node);
  return [...found];
}

function namesOf(ts: typeof TS, statement: TS.Statement): string[] {
  if (ts.isVariableStatement(statement)) {
    return statement.declarationList.declarations.flatMap(({ name }) => (ts.isIdentifier(name) ? [name.text] : []));
  }
  if (ts.isImportDeclaration(statement)) {
    const { name, namedBindings } = statement.importClause ?? {};
    const named = namedBindings === undefined || ts.isNamespaceImport(namedBindings) ? [] : namedBindings.elements;
    const space = namedBindings !== undefined && ts.isNamespaceImport(namedBindings) ? [namedBindings] : [];
    return [...(name === undefined ? [] : [name.text]), ...[...space, ...named].map((element) => element.name.text)];
  }
  const isNamed =
    ts.isFunctionDeclaration(statement) ||
    ts.isClassDeclaration(statement) ||
    ts.isInterfaceDeclaration(statement) ||
    ts.isTypeAliasDeclaration(statement) ||
    ts.isEnumDeclaration(statement) ||
    ts.isImportEqualsDeclaration(statement) ||
    (ts.isModuleDeclaration(statement) && (statement.flags & ts.NodeFlags.GlobalAugmentation) === 0);
  return isNamed && statement.name !== undefined && ts.isIdentifier(statement.name) ? [statement.name.text] : [];
}
