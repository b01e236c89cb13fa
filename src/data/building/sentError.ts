/** An error as another thread or process is told it. */
import { AtmorepError, isAtmorepError } from "../../errors.js";

export interface SentError {
  message: string;
  stack?: string;
  code?: AtmorepError["code"];
  details?: AtmorepError["details"];
}

/** What can be sent; of a cause the system's number alone. */
export function sent(error: unknown): SentError {
  if (!(error instanceof Error)) return { message: String(error) };
  const { message, stack } = error;
  if (!isAtmorepError(error)) return { message, stack };
  const { where, found, expected, fix, cause } = error.details;
  const number = (cause as NodeJS.ErrnoException | undefined)?.code;
  const text = found === undefined || typeof found === "string" ? found : JSON.stringify(found);
  return {
    message,
    stack,
    code: error.code,
    details: { where, found: text, expected, fix, cause: number && { code: number } },
  };
}

export function restored({ message, stack, code, details }: SentError): Error {
  if (code === undefined) return Object.assign(new Error(message), { stack });
  const error = new AtmorepError(code, message, { ...details });
  // The text was already composed from the details.
  error.message = message;
  return error;
}
