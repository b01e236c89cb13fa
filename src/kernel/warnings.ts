/** Node's warnings, without the one about the way in which cells import: it is about the kernel, not about the cell. */

/** Prints warnings as Node does, save experimental ones. */
export function quietWarnings(): void {
  process.removeAllListeners("warning");
  process.on("warning", (warning) => {
    if (warning.name !== "ExperimentalWarning") process.stderr.write(`${warning.name}: ${warning.message}\n`);
  });
}
