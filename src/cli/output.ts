/** Printing: results go to standard output, messages to standard error. */
import { type Command, InvalidArgumentError } from "commander";
import { type AtmorepError, isAtmorepError } from "../errors.js";

let closedPipe: "exit" | "continue" = "exit";

/** What to do when the reader of standard output goes away (`... | head`): printing commands end, training goes on. */
export function onClosedPipe(action: "exit" | "continue"): void {
  closedPipe = action;
}

/** Installs the handlers that keep a closed pipe from ending the program with a stack trace. */
export function guardPipes(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
      if (stream === process.stdout && closedPipe === "exit") process.exit(process.exitCode ?? 0);
    });
  }
}

/** One line of a result. */
export function print(line = ""): void {
  process.stdout.write(`${line}\n`);
}

/** A result for programs: one JSON document. */
export function printJson(value: unknown): void {
  process.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
}

/** A message for people, beside the results. */
export function note(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** Columns padded to their widest cell, two spaces apart. `right` lists the columns of numbers. */
export function formatTable(rows: readonly (readonly string[])[], right: readonly number[] = []): string[] {
  const widths: number[] = [];
  for (const row of rows) for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  return rows.map((row) =>
    row
      .map((cell, i) => (right.includes(i) ? cell.padStart(widths[i]) : cell.padEnd(widths[i])))
      .join("  ")
      .trimEnd(),
  );
}

/** Adds an "Examples:" paragraph to a command's help. */
export function withExamples(command: Command, examples: readonly string[]): Command {
  return command.addHelpText("after", `\nExamples:\n${examples.map((line) => `  $ npx atmorep ${line}`).join("\n")}`);
}

/** Parser of an option that may be repeated. */
export function collect(value: string, former: readonly string[]): string[] {
  return [...former, value];
}

/** Parser of a whole number from 1 on. */
export function parseCount(value: string): number {
  const count = Number(value);
  if (!Number.isInteger(count) || count < 1) throw new InvalidArgumentError("It must be a whole number from 1 on.");
  return count;
}

/** Prints an error on standard error, as one JSON line if `json`, and returns the exit code it asks for. */
export function reportError(error: unknown, json: boolean): number {
  if (isAtmorepError(error)) {
    note(json ? JSON.stringify({ error: describe(error) }) : `error: ${error.message}`);
    return error.code === "failed" ? 1 : 2;
  }
  const message = error instanceof Error ? error.message : String(error);
  if (json) {
    note(JSON.stringify({ error: { code: "internal", message } }));
  } else {
    note(`error: ${message}`);
    if (error instanceof Error && error.stack) note(error.stack.split("\n").slice(1).join("\n"));
    note(
      'This is a fault of the program. "npx atmorep doctor" shows the machine it ran on; please add it to a report.',
    );
  }
  return 1;
}

function describe(error: AtmorepError): Record<string, unknown> {
  const { where, found, expected, fix } = error.details;
  return { code: error.code, message: error.message, where, found, expected, fix };
}
