/** What is under the cursor: its type, what it does, its parameters, units, errors and examples. */
import type * as TS from "typescript";
import type { OpenCell } from "./cellService.js";
import type { LibraryDocs } from "./docComments.js";

export interface Inspection {
  markdown: string;
  plain: string;
}

const HEADINGS: Readonly<Record<string, string>> = {
  param: "Parameters",
  returns: "Returns",
  return: "Returns",
  throws: "Throws",
  example: "Example",
  see: "See",
  deprecated: "Deprecated",
};

/**
 * Signature and documentation of what the cursor is on or behind; between the brackets of a call those of the function.
 * @param docs is asked for the documentation of the files that declare it, before it is read
 */
export function inspectCell(ts: typeof TS, cell: OpenCell, cursor: number, docs: LibraryDocs): Inspection | undefined {
  const { service, path } = cell;
  const at = cursor + cell.offset;
  const places = [at, at - 1, ...calleesAround(ts, cell.file, at)];
  for (const place of places.filter((one) => one >= cell.offset)) {
    readDocs(cell, place, docs);
    const info = service.getQuickInfoAtPosition(path, place);
    if (info !== undefined && info.displayParts !== undefined) return describe(ts, info);
  }
  return undefined;
}

/** Places of the names of functions between whose brackets `at` is, the innermost first. */
function calleesAround(ts: typeof TS, file: TS.SourceFile, at: number): number[] {
  const found: number[] = [];
  const visit = (node: TS.Node): void => {
    if (at <= node.getStart(file) || at > node.end) return;
    if ((ts.isCallExpression(node) || ts.isNewExpression(node)) && at > node.expression.end) {
      found.unshift(node.expression.end - 1);
    }
    ts.forEachChild(node, visit);
  };
  ts.forEachChild(file, visit);
  return found;
}

/** TypeScript keeps the documentation of a name from its first question on. */
function readDocs({ service, program, path }: OpenCell, place: number, docs: LibraryDocs): void {
  const names = new Set(service.getDefinitionAtPosition(path, place)?.map(({ fileName }) => fileName));
  docs.addAll([...names].flatMap((name) => program.getSourceFile(name) ?? []));
}

function describe(ts: typeof TS, info: TS.QuickInfo): Inspection {
  // Which import gave the name is seen in the cell.
  const signature = ts
    .displayPartsToString(info.displayParts)
    .replace(/^\(alias\) /, "")
    .replace(/\n(?:import|export) .*$/, "");
  const text = prose(info.documentation);
  const sections = sectionsOf(info.tags ?? []);
  const markdown = [
    `\`\`\`typescript\n${signature}\n\`\`\``,
    ...(text === "" ? [] : [text]),
    ...sections.map(
      ({ heading, items, isCode }) =>
        `**${heading}**\n\n${items.map((item) => (isCode ? fenced(item) : `- ${item}`)).join("\n")}`,
    ),
  ];
  const plain = [
    signature,
    ...(text === "" ? [] : [text]),
    ...sections.map(
      ({ heading, items }) => `${heading}:\n${items.map((item) => `  ${item.replaceAll("\n", "\n  ")}`).join("\n")}`,
    ),
  ];
  return { markdown: markdown.join("\n\n"), plain: plain.join("\n\n") };
}

interface Section {
  heading: string;
  items: string[];
  isCode: boolean;
}

/** Tags of one name together, in the order of the comment. */
function sectionsOf(tags: readonly TS.JSDocTagInfo[]): Section[] {
  const sections = new Map<string, Section>();
  for (const { name, text } of tags) {
    const heading = Object.hasOwn(HEADINGS, name) ? HEADINGS[name] : name;
    const isCode = name === "example";
    const own = sections.get(heading) ?? { heading, items: [], isCode };
    sections.set(heading, own);
    own.items.push(name === "param" ? parameter(text) : prose(text));
  }
  return [...sections.values()];
}

/** The name as code, then what it is. */
function parameter(parts: readonly TS.SymbolDisplayPart[] = []): string {
  const name = parts.find(({ kind }) => kind === "parameterName")?.text;
  const rest = prose(parts.filter(({ kind }) => kind !== "parameterName"));
  return name === undefined ? rest : `\`${name}\`${rest === "" ? "" : `: ${rest}`}`;
}

/** Text without the signs of links, whose names stay. */
const prose = (parts: readonly TS.SymbolDisplayPart[] = []) =>
  parts
    .map(({ kind, text }) => (kind === "link" ? "" : kind === "linkName" ? `\`${text}\`` : text))
    .join("")
    .trim();

const fenced = (text: string) => (text.includes("```") ? text : `\`\`\`typescript\n${text}\n\`\`\``);
