/** Whether typed code is whole, for consoles that ask before running it. */
import type { TypeScript } from "./tslab.js";

export type Completeness = { status: "complete" | "invalid" | "unknown" } | { status: "incomplete"; indent: string };

/** Diagnostics that say that something was still open at the end, wherever they point. */
const UNTERMINATED = new Set([1002, 1010, 1126, 1160, 1161, 17008, 17014]);

export function completeness(ts: TypeScript, code: string): Completeness {
  const file = ts.createSourceFile("cell.ts", code, ts.ScriptTarget.Latest, false, ts.ScriptKind.TS);
  const faults = (file as unknown as { parseDiagnostics: { start: number; length: number; code: number }[] })
    .parseDiagnostics;
  if (faults.length === 0) return { status: "complete" };
  const end = code.trimEnd().length;
  const open = faults.some(
    (fault) => fault.start >= end || (UNTERMINATED.has(fault.code) && !/^\s*["']/.test(lastLine(code))),
  );
  if (!open) return { status: "invalid" };
  const indent = /^\s*/.exec(lastLine(code))?.[0] ?? "";
  return { status: "incomplete", indent: /[{([]\s*$/.test(code) ? `${indent}  ` : indent };
}

function lastLine(code: string): string {
  return code.slice(code.trimEnd().lastIndexOf("\n") + 1);
}
