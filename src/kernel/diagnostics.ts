/** What the compiler refused, as Jupyter shows errors. */
import { advised } from "./advice.js";
import type { Diagnostic } from "./compile/tslab.js";
import { BOLD, excerpt, PLAIN, RED } from "./excerpt.js";
import { foreignAdvice } from "./foreign.js";
import type { ErrorContent } from "./traceback.js";

/** More help nobody. */
const SHOWN = 10;
/** What is said of TypeScript that was understood: it only looks like another language. */
const ABOUT_TYPES =
  /^(?:Type|Property|Argument|Operator|Object|Conversion|No overload|Expected \d+ arguments|'[^']*' is (?:possibly|of type))\b/;
/** Said of the line that tslab writes below a cell, when the cell does not end. */
const OF_BELOW = /^Circular definition of import alias/;

const content = (evalue: string, traceback: string[]): ErrorContent => ({
  ename: "TypeScriptError",
  evalue,
  traceback,
});
const head = (where: string, advice: string) => `${BOLD}${RED}TypeScriptError${PLAIN}: ${where} - ${advice}`;

/** Errors of a cell, the first of them, as the content of an `error` message. */
export function describeDiagnostics(diagnostics: readonly Diagnostic[], code: string): ErrorContent {
  const typed = code.split("\n");
  // one line of another language has many messages, of which none helps
  for (const { start, fileName, messageText } of diagnostics) {
    if (fileName !== undefined || ABOUT_TYPES.test(messageText)) continue;
    const advice = foreignAdvice(typed[start.line] ?? "");
    if (advice !== undefined) return refused(code, start.line, advice);
  }
  const told = diagnostics.filter(({ messageText }) => !OF_BELOW.test(messageText));
  const shown = (told.length > 0 ? told : diagnostics).slice(0, SHOWN);
  const more = told.length - shown.length;
  const rest = more > 0 ? [`and ${more} more`] : [];
  const advice = shown.map(({ messageText, fileName, start }) =>
    advised(messageText, fileName === undefined ? { line: typed[start.line] ?? "" } : { file: fileName }),
  );
  const lines = shown.flatMap(({ start, fileName }, i) => {
    if (fileName !== undefined) return [head(`${fileName}:${start.line + 1}:${start.character + 1}`, advice[i])];
    const { line, character } = inside(typed, start);
    return [head(`line ${line + 1}:${character + 1}`, advice[i]), ...excerpt(code, line + 1, character + 1)];
  });
  return content([...advice, ...rest].join("\n"), [...lines, ...rest]);
}

/** A cell refused because of one line. @param line zero-based */
export function refused(code: string, line: number, advice: string): ErrorContent {
  const column = 1 + (/\S/.exec(code.split("\n")[line] ?? "")?.index ?? 0);
  return content(advice, [head(`line ${line + 1}:${column}`, advice), ...excerpt(code, line + 1, column)]);
}

/** The place, or the end of the cell for one behind it. */
function inside(typed: readonly string[], place: Diagnostic["start"]): Diagnostic["start"] {
  if (place.line < typed.length) return place;
  const line = Math.max(
    0,
    typed.findLastIndex((text) => text.trim() !== ""),
  );
  return { line, character: (typed[line] ?? "").trimEnd().length };
}
