/** What may stand at the cursor: names, keys, words in quotes, files, with what each is. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { homedir } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import type * as TS from "typescript";
import type { OpenCell } from "./cellService.js";

export interface Candidate {
  text: string;
  /** function, class, instance, ...: words that front ends of Jupyter know from IPython, and TypeScript's own */
  type: string;
  /** its type in TypeScript, where that is known */
  signature?: string;
}

export interface Completion {
  /** what the candidates replace, in UTF-16 units */
  start: number;
  end: number;
  candidates: Candidate[];
}

/** Of so many candidates the types are looked up. */
const MOST_SIGNATURES = 100;
const LONGEST_SIGNATURE = 200;
/** A string that is a path, and one whose last word is, such as a line for the shell. */
const BEGINS_AS_PATH = /^(?:\.{1,2}|~)?\//;
const LAST_PATH = /[\s=]((?:\.{1,2}|~)?\/\S*)$/;
const CALLABLE = /^(?:<.*>)?\(.*\) => /;

const TYPES: Readonly<Record<string, string>> = {
  "local function": "function",
  method: "function",
  construct: "function",
  "local class": "class",
  var: "instance",
  "local var": "instance",
  let: "instance",
  const: "instance",
  parameter: "instance",
  alias: "instance",
  "": "instance",
  "enum member": "property",
  getter: "property",
  setter: "property",
  accessor: "property",
  "external module name": "module",
  script: "path",
  directory: "path",
  "primitive type": "type",
  "type parameter": "type",
  string: "value",
};

/**
 * What may stand at `cursor`. Names that begin with what is typed come first, then those that hold it.
 * @param fallbackRoot folder whose packages cells may import as well
 */
export function completeCell(ts: typeof TS, cell: OpenCell, cursor: number, fallbackRoot?: string): Completion {
  const at = cursor + cell.offset;
  const info = cell.service.getCompletionsAtPosition(cell.path, at, { includeSymbol: true });
  const entries = info?.entries ?? [];
  const literal = literalAt(ts, cell.file, at);
  if (literal !== undefined) return inLiteral(ts, cell, literal, at, entries, fallbackRoot);
  const word = wordAt(ts, cell.file, at);
  const { start, end } = word ?? { start: at, end: at };
  const typed = cell.file.text.slice(start, word === undefined ? start : end);
  return result(cell, start, end, ranked(entries, typed), (entry, i) => candidateOf(ts, cell, entry, i));
}

const result = <T>(
  cell: OpenCell,
  start: number,
  end: number,
  all: readonly T[],
  make: (one: T, i: number) => Candidate,
) => ({
  start: start - cell.offset,
  end: end - cell.offset,
  candidates: all.map(make),
});

/** `import { na`, before the module is named: the word at the cursor, as a place in the cell. */
export function nameToImport(source: string, cursor: number): { start: number; end: number } | undefined {
  const before = /(?:^|[\n;])\s*import\s+(?:type\s+)?\{[^{}'"`;]*?([\p{ID_Continue}$]*)$/u.exec(
    source.slice(0, cursor),
  );
  if (before === null) return undefined;
  const after = /^([\p{ID_Continue}$]*)(.*)/u.exec(source.slice(cursor));
  if (/^[^;]*\}\s*from\s*["']/.test(after?.[2] ?? "")) return undefined;
  return { start: cursor - before[1].length, end: cursor + (after?.[1] ?? "").length };
}

/**
 * What modules export.
 * @param cell imports each of them and has nothing else
 */
export function exportsFor(ts: typeof TS, cell: OpenCell, typed: string): Candidate[] {
  const checker = cell.program.getTypeChecker();
  const found = new Map<string, TS.Symbol>();
  for (const statement of cell.file.statements) {
    const module = ts.isImportDeclaration(statement)
      ? checker.getSymbolAtLocation(statement.moduleSpecifier)
      : undefined;
    const exported = module === undefined ? [] : checker.getExportsOfModule(module);
    for (const symbol of exported) if (!found.has(symbol.name)) found.set(symbol.name, symbol);
  }
  const kindOf = (symbol: TS.Symbol) => {
    const { flags } = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
    const { Class, Function: Callable, Value, ValueModule } = ts.SymbolFlags;
    if (flags & Class) return "class";
    if (flags & ValueModule) return "module";
    return flags & Callable ? "function" : flags & Value ? "alias" : "interface";
  };
  const entries = [...found].map(([name, symbol]) => ({ name, sortText: "", kind: kindOf(symbol), symbol }));
  return ranked(entries, typed).map((entry, i) => candidateOf(ts, cell, entry as TS.CompletionEntry, i));
}

/** The package in `root` by its name and exports, and the packages that it uses. */
export function packagesOf(root: string | undefined): { own: string[]; used: string[] } {
  if (root === undefined || !existsSync(join(root, "package.json"))) return { own: [], used: [] };
  const { name, exports, dependencies } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const own = Object.keys(exports ?? {}).filter((path) => path.startsWith(".") && !path.endsWith(".json"));
  return { own: own.map((path) => name + path.slice(1)), used: Object.keys(dependencies ?? {}) };
}

/** In the order of the compiler, which is by nearness; without those that do not hold what is typed. */
function ranked<T extends { name: string; sortText?: string }>(entries: readonly T[], typed: string): T[] {
  const lower = typed.toLowerCase();
  const rank = ({ name }: T) =>
    name.startsWith(typed) ? 0 : name.toLowerCase().startsWith(lower) ? 1 : name.toLowerCase().includes(lower) ? 2 : 3;
  const order = (entry: T) => `${rank(entry)}${entry.sortText ?? ""}`;
  return entries
    .filter((entry) => rank(entry) < 3)
    .sort((a, b) => (order(a) < order(b) ? -1 : order(a) > order(b) ? 1 : a.name < b.name ? -1 : 1));
}

function candidateOf(
  ts: typeof TS,
  cell: OpenCell,
  entry: TS.CompletionEntry,
  i: number,
  text = entry.name,
): Candidate {
  const { kind, symbol } = entry;
  const signature = symbol === undefined || i >= MOST_SIGNATURES ? undefined : signatureOf(ts, cell, symbol);
  const named = TYPES[kind] ?? kind;
  const type = named === "instance" && CALLABLE.test(signature ?? "") ? "function" : named;
  return { text, type, ...(signature === undefined ? {} : { signature }) };
}

function signatureOf(ts: typeof TS, cell: OpenCell, symbol: TS.Symbol): string | undefined {
  const checker = cell.program.getTypeChecker();
  try {
    const target = symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
    if (!(target.flags & ts.SymbolFlags.Value) || target.flags & ts.SymbolFlags.ValueModule) return undefined;
    const whole = checker.typeToString(checker.getTypeOfSymbolAtLocation(target, cell.file));
    const text = target.flags & ts.SymbolFlags.Optional ? whole.replace(/ \| undefined$/, "") : whole;
    return text.length > LONGEST_SIGNATURE ? `${text.slice(0, LONGEST_SIGNATURE - 3)}...` : text;
  } catch {
    // Symbols of the language itself have no place.
    return undefined;
  }
}

/** The word that touches the position. */
function wordAt(ts: typeof TS, file: TS.SourceFile, at: number): { start: number; end: number } | undefined {
  const { text } = file;
  const isPart = (i: number) =>
    i >= 0 && i < text.length && ts.isIdentifierPart(text.charCodeAt(i), file.languageVersion);
  let [start, end] = [at, at];
  while (isPart(start - 1)) start--;
  while (isPart(end)) end++;
  return start === end ? undefined : { start, end };
}

/** The string, or the template without values, that the position is in. */
function literalAt(ts: typeof TS, file: TS.SourceFile, at: number): TS.StringLiteralLike | undefined {
  const find = (node: TS.Node): TS.StringLiteralLike | undefined => {
    if (at <= node.getStart(file) || at > node.end) return undefined;
    if (ts.isStringLiteralLike(node)) {
      const { isUnterminated } = node as { isUnterminated?: boolean };
      return at < node.end || isUnterminated === true ? node : undefined;
    }
    return ts.forEachChild(node, find);
  };
  return ts.forEachChild(file, find);
}

function inLiteral(
  ts: typeof TS,
  cell: OpenCell,
  literal: TS.StringLiteralLike,
  at: number,
  entries: readonly TS.CompletionEntry[],
  fallbackRoot: string | undefined,
): Completion {
  const begin = literal.getStart(cell.file) + 1;
  const { isUnterminated } = literal as { isUnterminated?: boolean };
  // An unterminated string reaches to the end of its line; only what is before the cursor has been typed.
  const end = isUnterminated === true ? at : literal.end - 1;
  const typed = cell.file.text.slice(begin, at);
  const isModule = isSpecifier(ts, literal);
  const path = BEGINS_AS_PATH.test(typed) ? typed : isModule ? undefined : LAST_PATH.exec(typed)?.[1];
  if (!isModule && path === undefined) {
    const words = ranked(entries, typed);
    return result(cell, begin, end, words, (entry, i) => candidateOf(ts, cell, entry, i));
  }
  // Of a path only its last part is replaced.
  const start = path === undefined ? begin : begin + typed.lastIndexOf("/") + 1;
  const part = cell.file.text.slice(start, at);
  if (path !== undefined && (!isModule || entries.length === 0)) {
    return result(cell, start, end, ranked(filesBelow(path), part), ({ name }) => ({ text: name, type: "path" }));
  }
  if (path !== undefined) {
    const shown = ranked(entries, part);
    return result(cell, start, end, shown, ({ name, kind }) => ({
      text: kind === "directory" ? `${name}/` : name,
      type: "path",
    }));
  }
  const { own, used } = packagesOf(fallbackRoot);
  const others = entries.filter(({ kind }) => kind !== "script").map(({ name }) => wholeName(typed, name));
  const modules = [...new Set([...own, ...used, ...others])].map((name) => ({ name }));
  return result(cell, begin, end, ranked(modules, typed), ({ name }) => ({ text: name, type: "module" }));
}

/** After `scope/` or `package/` the compiler gives what follows. */
const wholeName = (typed: string, name: string) => {
  const before = typed.slice(0, typed.lastIndexOf("/") + 1);
  return before === "" || name.startsWith(before) ? name : before + name;
};

/** Whether a string names a module. */
function isSpecifier(ts: typeof TS, literal: TS.StringLiteralLike): boolean {
  const { parent } = literal;
  if (ts.isImportDeclaration(parent) || ts.isExportDeclaration(parent) || ts.isExternalModuleReference(parent))
    return true;
  if (ts.isLiteralTypeNode(parent)) return ts.isImportTypeNode(parent.parent);
  if (!ts.isCallExpression(parent) || parent.arguments[0] !== literal) return false;
  const { expression } = parent;
  return (
    expression.kind === ts.SyntaxKind.ImportKeyword || (ts.isIdentifier(expression) && expression.text === "require")
  );
}

/** Files and folders of the folder that a path in quotes begins with. */
function filesBelow(typed: string): { name: string }[] {
  const path = typed.startsWith("~/") ? join(homedir(), typed.slice(1)) : typed;
  const folder = resolve(path.endsWith("/") ? path : dirname(path));
  const hidden = basename(typed).startsWith(".") && !typed.endsWith("/");
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter(({ name }) => hidden || !name.startsWith("."))
      .map((entry) => ({ name: entry.isDirectory() ? `${entry.name}/` : entry.name }));
  } catch {
    return [];
  }
}
