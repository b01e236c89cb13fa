/** Printing: results go to standard output, messages to standard error. */
import { type Command, InvalidArgumentError } from "commander";
import { type AtmorepError, isAtmorepError } from "../errors.js";
import { systemFault } from "../formats/systemFault.js";
import { cut, pruned, shown, shownJson } from "../shown.js";

let closedPipe: "exit" | "continue" = "exit";

/** What to do when the reader of standard output goes away (`... | head`): printing commands end, training goes on. */
export function onClosedPipe(action: "exit" | "continue"): void {
  closedPipe = action;
}

let outputFailed = false;

/** True if something that was printed could not be written, as on a full disk: the program then ends with 1 at least. */
export const hasOutputFailed = (): boolean => outputFailed;

/**
 * Installs the handlers that keep a closed pipe or a full disk behind standard output or error from ending the program with
 * a stack trace. On a full disk the work goes on, since what it writes itself may lie elsewhere.
 */
export function guardPipes(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EPIPE") {
        if (stream === process.stdout && closedPipe === "exit") process.exit(process.exitCode ?? 0);
        return;
      }
      if (stream === process.stdout && !outputFailed) {
        note(`error: ${messageOf(error, "it cannot be written", "standard output")}`);
      }
      outputFailed = true;
    });
  }
}

const messageOf = (error: unknown, what: string, where: string): string =>
  (systemFault(error, "failed", what, { where, fix: "Make room or write elsewhere" }) as Error).message;

/** One line of a result. */
export function print(line = ""): void {
  process.stdout.write(`${shown(line)}\n`);
}

/** A result for programs: one JSON document. */
export function printJson(value: unknown): void {
  process.stdout.write(`${shownJson(value, 2)}\n`);
}

/** A message for people, beside the results. */
export function note(line: string): void {
  process.stderr.write(`${shown(line)}\n`);
}

/** Names in files can be of any length, and each row is padded to the longest. */
const WIDEST_CELL = 400;

/** Columns padded to their widest cell, two spaces apart. `right` lists the columns of numbers. */
export function formatTable(given: readonly (readonly string[])[], right: readonly number[] = []): string[] {
  const rows = given.map((row) => row.map((cell) => shown(cut(cell, WIDEST_CELL))));
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
export function reportError(given: unknown, json: boolean): number {
  const error = systemFault(given, "failed", "the command cannot go on", {
    where: "a file",
    fix: "Mend that and give the command again",
  });
  if (isAtmorepError(error)) {
    note(json ? shownJson({ error: describe(error) }) : `error: ${error.message}`);
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
  return { code: error.code, message: error.message, where, found: pruned(found), expected, fix };
}
