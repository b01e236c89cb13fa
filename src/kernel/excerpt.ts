/** The typed lines around a place. */

const CONTEXT_LINES = 2;
export const RED = "\u001b[31m";
export const BOLD = "\u001b[1m";
export const PLAIN = "\u001b[0m";

/** With a mark below the place. @param line one-based @param column one-based */
export function excerpt(code: string, line: number, column: number): string[] {
  const lines = code.split("\n");
  const first = Math.max(1, line - CONTEXT_LINES);
  const last = Math.min(lines.length, line + CONTEXT_LINES);
  const width = String(last).length;
  const out: string[] = [];
  for (let n = first; n <= last; n++) {
    out.push(`${n === line ? "> " : "  "}${String(n).padStart(width)} | ${lines[n - 1]}`);
    if (n !== line) continue;
    // a tab stays one, so that the mark stands below its place however wide it is
    const before = lines[n - 1].slice(0, Math.max(0, column - 1));
    out.push(`${" ".repeat(width + 2)} | ${before.replace(/[^\t]/g, " ").padEnd(Math.max(0, column - 1))}^`);
  }
  return out;
}
