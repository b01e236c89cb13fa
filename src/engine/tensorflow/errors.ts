/** What can go wrong between JavaScript and TensorFlow. */

/** Names of TensorFlow's status codes, by number. */
export const CODES = [
  "OK",
  "CANCELLED",
  "UNKNOWN",
  "INVALID_ARGUMENT",
  "DEADLINE_EXCEEDED",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "PERMISSION_DENIED",
  "RESOURCE_EXHAUSTED",
  "FAILED_PRECONDITION",
  "ABORTED",
  "OUT_OF_RANGE",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
  "UNAUTHENTICATED",
] as const;

/** A call into TensorFlow that failed, in TensorFlow's own words. */
export class TensorflowError extends Error {
  override name = "TensorflowError";

  constructor(
    /** one of `CODES`; `NOT_LOADED` if there is no library to call */
    readonly code: (typeof CODES)[number] | "NOT_LOADED",
    /** the operation or the function of the C API */
    readonly operation: string,
    detail: string,
  ) {
    super(`${operation}: ${detail}`);
  }
}
