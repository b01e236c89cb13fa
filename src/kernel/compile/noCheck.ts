/** `// @ts-nocheck` at the head of a cell. TypeScript looks for it at the head of the file, where tslab has a line. */
import type * as TS from "typescript";

const NO_CHECK = /^\/\/\/?\s*@ts-nocheck\b/;

/** Whether the comments above the first statement of `source` ask for no type errors. */
export function asksForNoCheck(ts: typeof TS, source: string): boolean {
  if (!source.includes("@ts-nocheck")) return false;
  const comments = ts.getLeadingCommentRanges(source, 0) ?? [];
  return comments.some(({ pos, end }) => NO_CHECK.test(source.slice(pos, end)));
}

/** Turns type errors off for `file`, as the directive does. */
export function turnOffChecks(file: TS.SourceFile): void {
  Object.assign(file, { checkJsDirective: { enabled: false, pos: 0, end: 0 } });
}
