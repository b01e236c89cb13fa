/** Whether typed code is whole, for consoles that ask before running it. */
import type { TypeScript } from "./typescript.js";

export type Completeness = { status: "complete" | "invalid" | "unknown" } | { status: "incomplete"; indent: string };

/** Unterminated comment, unterminated template: open, wherever they point. */
const OPEN = new Set([1010, 1160]);
/** Unterminated string, unterminated regular expression: another line does not end them. */
const ENDED_BY_LINE = new Set([1002, 1161]);

export function completeness(ts: TypeScript, code: string): Completeness {
  const file = ts.createSourceFile("cell.ts", code, ts.ScriptTarget.Latest, false, ts.ScriptKind.TS);
  const faults = (file as unknown as { parseDiagnostics: { start: number; length: number; code: number }[] })
    .parseDiagnostics;
  if (faults.length === 0) return { status: "complete" };
  const end = code.trimEnd().length;
  const open =
    faults.some((fault) => fault.start >= end || OPEN.has(fault.code)) &&
    !faults.some((fault) => ENDED_BY_LINE.has(fault.code));
  if (!open) return { status: "invalid" };
  const indent = /^\s*/.exec(lastLine(code))?.[0] ?? "";
  return { status: "incomplete", indent: /[{([]\s*$/.test(code) ? `${indent}  ` : indent };
}

function lastLine(code: string): string {
  return code.slice(code.trimEnd().lastIndexOf("\n") + 1);
}
