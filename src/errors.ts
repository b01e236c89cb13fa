/**
 * The one error class of the project. An error says what is wrong, where, what was found,
 * what was expected and what to do; the command line prints it without a stack.
 */
import { brief, cut, shownMessage } from "./shown.js";

/** `usage`, `config` and `input` are found before any work (exit 2); `failed` happens while running (exit 1). */
export type ErrorCode = "usage" | "config" | "input" | "failed";

export interface ErrorDetails {
  /** configuration path, file, tensor or array the fault is in */
  where?: string;
  /** whatever was found: messages show a bounded part of it */
  found?: unknown;
  expected?: string;
  /** what the reader can do about it */
  fix?: string;
  cause?: unknown;
}

export class AtmorepError extends Error {
  readonly code: ErrorCode;
  readonly details: Readonly<ErrorDetails>;

  constructor(code: ErrorCode, what: string, details: ErrorDetails = {}) {
    super(formatMessage(what, details), details.cause === undefined ? undefined : { cause: details.cause });
    this.name = "AtmorepError";
    this.code = code;
    this.details = details;
  }

  /** 2 for faults found before any work, 1 for failures while running */
  get exitCode(): 1 | 2 {
    return this.code === "failed" ? 1 : 2;
  }
}

function formatMessage(what: string, { where, found, expected, fix }: ErrorDetails): string {
  const parts = [where ? `${cut(where)}: ${what}` : what];
  if (found !== undefined) parts.push(`found ${brief(found)}`);
  if (expected) parts.push(`expected ${expected}`);
  return shownMessage(parts.join("; ") + (fix ? `. ${fix}` : ""));
}

/** True if `error` is an AtmorepError, also across copies of the package. */
export function isAtmorepError(error: unknown): error is AtmorepError {
  return error instanceof Error && error.name === "AtmorepError" && "code" in error;
}
