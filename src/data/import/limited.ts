/** Work in a library that damaged files may lead round in circles, ended when it takes too long. */
import { createContext, Script } from "node:vm";

/** The work did not end, and was stopped wherever it was: what it worked on is in no known state. */
export class NeverEnding extends Error {}

const script = new Script("work()");
const context = createContext({ work: null });

/**
 * Calls `work` and gives what it gives.
 * @param seconds that it may take; loops of WebAssembly are ended too
 * @throws NeverEnding after that; what `work` throws
 */
export function limited<T>(work: () => T, seconds: number): T {
  context.work = work;
  try {
    return script.runInContext(context, { timeout: 1000 * seconds }) as T;
  } catch (error) {
    if ((error as NodeJS.ErrnoException)?.code !== "ERR_SCRIPT_EXECUTION_TIMEOUT") throw error;
    throw new NeverEnding(`not done after ${seconds} s`);
  } finally {
    context.work = null;
  }
}
