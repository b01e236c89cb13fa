/** The kernel outlives the calls that end a program: with it all variables would be gone. */

/** Thrown where a cell asks for the end of the process. */
class Exit extends Error {
  override readonly name = "Exit";
}

/** From now on `process.exit` and `process.abort` are errors where they are called. The kernel itself ends otherwise. */
export function keepProcess(): void {
  const refuse = (call: string) => (): never => {
    throw new Exit(
      `${call} would end the kernel, with all variables; the cell was stopped instead. To stop a cell, throw an error; ` +
        "to begin anew, restart the kernel (0 0).",
    );
  };
  process.exit = refuse("process.exit");
  process.abort = refuse("process.abort");
}
