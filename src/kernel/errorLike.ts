/** Thrown values that look like errors, in whatever context they were made. */

export interface ErrorLike {
  name: unknown;
  message: unknown;
  stack?: unknown;
  cause?: unknown;
  /** of an AggregateError */
  errors?: unknown;
  /** of a SuppressedError: what was thrown last, and what that hid */
  error?: unknown;
  suppressed?: unknown;
}

export function isErrorLike(value: unknown): value is ErrorLike {
  return typeof value === "object" && value !== null && "message" in value && "name" in value;
}

/** Its class where nothing else is given: `class Late extends Error {}` is a Late. */
export function nameOf(error: ErrorLike): string {
  const { name } = error;
  if (typeof name === "string" && name !== "" && name !== "Error") return name;
  const made: unknown = error.constructor?.name;
  return typeof made === "string" && made !== "" && made !== "Object" ? made : "Error";
}

/** @param stack of an error whose message may look like frames */
export function framesOf(stack: string, message: unknown): string[] {
  const at = typeof message === "string" ? stack.indexOf(message) : -1;
  return stack
    .slice(at < 0 ? 0 : at + String(message).length)
    .split("\n")
    .filter((line) => /^\s+at /.test(line));
}
