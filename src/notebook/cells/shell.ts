/** A line for the system's shell, for notebooks. */
import { type ChildProcess, spawn } from "node:child_process";
import { StringDecoder } from "node:string_decoder";
import { AtmorepError } from "../../errors.js";
import type { Displayable } from "../figure/display.js";
import { interruptible } from "../runs/interrupt.js";
import { told } from "./told.js";

/** What a shell line printed. */
export interface ShellOutput {
  /** its standard output; the end of it, where that is longer than 8 MiB of characters */
  text: string;
  /** the text's lines, without their ends */
  lines: string[];
}

const MOST_KEPT = 8 * 2 ** 20;
/** From the interrupt to the kill; the kernel gives a cell 1.2 s. */
const GRACE_MS = 600;

/**
 * Runs a line in the system's shell, in the notebook's folder. What it prints appears below the cell as it comes; its
 * standard input is empty. An interrupt of the cell ends it and what it has started. As a tag of a template it quotes
 * the values, so that a path with blanks is one argument.
 *
 * @returns what it printed on standard output
 * @throws AtmorepError (failed) if it ends with another exit code than 0, or by a signal
 * @example await sh("ls -l data");
 * @example const { lines } = await sh`grep -c ${pattern} ${file}`;
 */
export async function sh(
  line: string | TemplateStringsArray,
  ...values: readonly unknown[]
): Promise<ShellOutput & Displayable> {
  const command = typeof line === "string" ? line : quoted(line.raw, values);
  if (typeof command !== "string" || command.trim() === "") {
    throw new AtmorepError("usage", "no shell line", { where: "nb.sh", expected: 'a line, such as nb.sh("ls -l")' });
  }
  // Awaited here, so that a stack names the cell.
  const text = await interruptible(undefined, (signal) => run(command, signal));
  const lines = text === "" ? [] : text.replace(/\r?\n$/, "").split(/\r?\n/);
  return told({ text, lines }, () => text);
}

/** The template with its values quoted; each of a list by itself. */
function quoted(pieces: readonly string[], values: readonly unknown[]): string {
  const quote = (value: unknown): string =>
    Array.isArray(value) ? value.map(quote).join(" ") : `'${String(value).replaceAll("'", "'\\''")}'`;
  return pieces.map((piece, i) => piece + (i < values.length ? quote(values[i]) : "")).join("");
}

/** @returns standard output */
async function run(command: string, signal: AbortSignal): Promise<string> {
  signal.throwIfAborted();
  // Where Ctrl-C ends this process the line must hear it too; where it does not, as in the kernel, the line and what it
  // starts are a group, to be ended together.
  const grouped = process.platform !== "win32" && process.listenerCount("SIGINT") > 0;
  const child = spawn(command, { shell: true, stdio: ["ignore", "pipe", "pipe"], detached: grouped });
  const end = (name: NodeJS.Signals) => endAll(child, grouped, name);
  const onExit = () => end("SIGKILL");
  let last: NodeJS.Timeout | undefined;
  const onAbort = () => {
    end("SIGINT");
    last = setTimeout(onExit, GRACE_MS);
  };
  process.once("exit", onExit);
  signal.addEventListener("abort", onAbort, { once: true });
  let text = "";
  try {
    relay(child.stderr, process.stderr, () => {});
    relay(child.stdout, process.stdout, (more) => {
      text = (text + more).slice(-MOST_KEPT);
    });
    const [code, name] = await new Promise<[number | null, string | null]>((done, reject) => {
      child.once("error", reject);
      child.once("close", (...how) => done(how));
    });
    signal.throwIfAborted();
    if (code !== 0) throw failure(command, code, name);
    return text;
  } finally {
    clearTimeout(last);
    process.off("exit", onExit);
    signal.removeEventListener("abort", onAbort);
  }
}

function relay(from: NodeJS.ReadableStream, to: NodeJS.WriteStream, keep: (text: string) => void): void {
  const decoder = new StringDecoder("utf8");
  const pass = (text: string) => {
    if (text === "") return;
    to.write(text);
    keep(text);
  };
  from.on("data", (bytes: Buffer) => pass(decoder.write(bytes)));
  from.on("end", () => pass(decoder.end()));
}

function endAll(child: ChildProcess, grouped: boolean, name: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    if (grouped) process.kill(-child.pid, name);
    else child.kill(name);
  } catch {
    // It has ended by itself.
  }
}

function failure(command: string, code: number | null, name: string | null): AtmorepError {
  const found = code === null ? `ended by ${name}` : `exit code ${code}`;
  return new AtmorepError("failed", "the shell line failed", {
    where: command,
    found,
    fix: code === 127 ? "The shell does not know the command: install it, or correct its name." : undefined,
  });
}
