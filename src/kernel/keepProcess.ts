/** The kernel outlives what ends a program: with it all variables would be gone. */
import { constants } from "node:os";
import { Readable } from "node:stream";

/** Thrown where a cell asks for the end of the process. */
class Exit extends Error {
  override readonly name = "Exit";
}

const DEADLY = ["SIGTERM", "SIGKILL", "SIGHUP", "SIGABRT", "SIGQUIT", "SIGSEGV", "SIGSTOP"] as const;
type Refused = (call: string) => never;

/**
 * From now on `process.exit`, `process.abort` and a signal that would end this process are errors where they are called.
 * The kernel itself ends otherwise.
 */
export function keepProcess(): void {
  const refuse: Refused = (call) => {
    throw new Exit(
      `${call} would end the kernel, with all variables; the cell was stopped instead. To stop a cell, throw an error; ` +
        "to begin anew, restart the kernel (0 0).",
    );
  };
  process.exit = () => refuse("process.exit");
  process.abort = () => refuse("process.abort");
  const { kill } = process;
  process.kill = (pid, signal = "SIGTERM") => {
    const deadly = DEADLY.find((name) => name === signal || constants.signals[name] === signal);
    if (pid === process.pid && deadly !== undefined && process.listenerCount(deadly) === 0) {
      refuse(`${deadly} to the kernel's own process`);
    }
    return kill.call(process, pid, signal);
  };
}

/** Listens to `process`, also after a cell has removed all listeners. */
export function keepListening(events: readonly string[], listener: (value: unknown) => void): void {
  for (const event of events) process.on(event, listener);
  process.on("removeListener", (event: string, removed: unknown) => {
    if (events.includes(event) && removed === listener) process.on(event, listener);
  });
}

/** Standard input of a kernel has no end and nobody at it: who reads it is told whom to ask. */
export function closeInput(): void {
  const input = new Readable({
    read() {
      this.destroy(new Error("a cell has no standard input. Ask with await jupyter.input(question)"));
    },
  });
  Object.defineProperty(process, "stdin", { value: Object.assign(input, { fd: 0, isTTY: false }), configurable: true });
}
