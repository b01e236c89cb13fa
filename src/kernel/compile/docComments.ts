/**
 * Documentation of libraries. Reading it takes a third of the time in which TypeScript reads their declarations, and
 * only completion and inspection ask for it: until then it is left out.
 */
import type * as TS from "typescript";

/** What TypeScript keeps in a node beside its public properties. */
interface Documented {
  jsDoc?: TS.JSDoc[];
  flags: TS.NodeFlags;
}

const DOC_COMMENT = /^([ \t]*)\/\*\*(?!\/)/gm;

/** Declarations with every documentation comment made a plain one, all other text at its place. */
export function withoutDocs(text: string): string {
  return text.replace(DOC_COMMENT, "$1/* ");
}

/** The documentation of the libraries that one converter reads. */
export class LibraryDocs {
  readonly #ts: typeof TS;
  readonly #read: (path: string) => string | undefined;
  /** paths of libraries that were read without */
  readonly #bare = new Set<string>();
  readonly #done = new WeakSet<TS.SourceFile>();

  /** @param read the whole text of a file */
  constructor(ts: typeof TS, read: (path: string) => string | undefined) {
    this.#ts = ts;
    this.#read = read;
  }

  /** What of the text of library `path` TypeScript reads. */
  textOf(path: string, text: string): string {
    this.#bare.add(path);
    return withoutDocs(text);
  }

  /** Gives those libraries among `files` their documentation. */
  addAll(files: readonly TS.SourceFile[]): void {
    while (this.addNext(files));
  }

  /** Gives one library among `files` its documentation. @returns false if all have it */
  addNext(files: readonly TS.SourceFile[]): boolean {
    const file = files.find((one) => this.#bare.has(one.fileName) && !this.#done.has(one));
    if (file === undefined) return false;
    this.#done.add(file);
    const text = this.#read(file.fileName);
    // Otherwise it has changed since, and is about to be read anew.
    if (text !== undefined && withoutDocs(text) === file.text) addDocs(this.#ts, file, text);
    return true;
  }
}

/** Gives `file` the documentation that {@link withoutDocs} left out. @param text the whole text */
export function addDocs(ts: typeof TS, file: TS.SourceFile, text: string): void {
  const { Deprecated = 0 } = ts.NodeFlags as unknown as Record<string, number | undefined>;
  const add = (node: TS.Node, documented: TS.Node) => {
    const own = node as unknown as Documented;
    const { jsDoc, flags } = documented as unknown as Documented;
    own.flags |= flags & Deprecated;
    if (jsDoc !== undefined) {
      own.jsDoc = jsDoc;
      for (const doc of jsDoc) Object.assign(doc, { parent: node });
    }
    const children = childrenOf(ts, documented);
    for (const [i, child] of childrenOf(ts, node).entries()) add(child, children[i]);
  };
  add(file, ts.createSourceFile(file.fileName, text, file.languageVersion, true));
}

function childrenOf(ts: typeof TS, node: TS.Node): TS.Node[] {
  const children: TS.Node[] = [];
  ts.forEachChild(node, (child) => {
    children.push(child);
  });
  return children;
}
