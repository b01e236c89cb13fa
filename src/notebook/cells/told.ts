/** Values of calls that have printed what they found: where they end the cell that made them, they show nothing more. */
import { DISPLAY, type Displayable } from "../figure/display.js";

/** Each cell has a signal of its own; without a kernel there is none. */
const ownSignal = () => (globalThis as { jupyter?: { signal?: AbortSignal } }).jupyter?.signal;

/**
 * Has `value` show `text`, but not in the cell at work.
 * @returns the value
 */
export function told<T extends object>(value: T, text: () => string): T & Displayable {
  const made = ownSignal();
  const bundle = async () => (made !== undefined && ownSignal() === made ? null : { "text/plain": text() });
  return Object.defineProperty(value, DISPLAY, { value: bundle, enumerable: false }) as T & Displayable;
}
