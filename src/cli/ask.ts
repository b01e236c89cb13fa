/** Questions on the terminal. */
import { createInterface } from "node:readline";

/**
 * The answer to a question, a line without the white space around it; null if the terminal has ended (Ctrl-D). Lines are the
 * terminal's own, so that Ctrl-C is the signal that it is everywhere else.
 */
export async function ask(question: string): Promise<string | null> {
  const lines = createInterface({ input: process.stdin, output: process.stderr, terminal: false });
  try {
    return await new Promise<string | null>((answer) => {
      lines.once("close", () => answer(null));
      lines.question(question, (line) => answer(line.trim()));
    });
  } finally {
    lines.close();
  }
}

/** True where somebody can be asked. */
export const canAsk = (): boolean => Boolean(process.stdin.isTTY && process.stderr.isTTY);
