/** Node's warnings, without those that are about the kernel, not about the cell. */

/** The first is of the way in which cells import; the second of promises that the kernel has already told of. */
const QUIET = new Set(["ExperimentalWarning", "PromiseRejectionHandledWarning"]);

/** Prints the other warnings as Node does. */
export function quietWarnings(): void {
  process.removeAllListeners("warning");
  process.on("warning", (warning) => {
    if (!QUIET.has(warning.name)) process.stderr.write(`${warning.name}: ${warning.message}\n`);
  });
}
