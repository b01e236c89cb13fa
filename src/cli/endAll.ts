/** The end of several processes of which one has failed. */
import type { Communicator } from "../distributed/index.js";
import { isAtmorepError } from "../errors.js";
import { reportError } from "./output.js";

/**
 * The processes that wait for this one would wait for ever. What all have found is told by the first alone.
 * @param stopped exit code of the signal that came, if one did
 */
export async function endAll(
  communicator: Communicator,
  error: unknown,
  json: boolean,
  stopped: number | null = null,
): Promise<void> {
  if (communicator.rank > 0) {
    // with this srun ends the others once the first has ended, which then has told it
    process.removeAllListeners("SIGTERM");
    process.once("SIGTERM", () => process.exit(stopped ?? (isAtmorepError(error) ? error.exitCode : 1)));
    await new Promise((resolve) => setTimeout(resolve, 2000));
    process.stderr.write(`process ${communicator.rank} of ${communicator.size}:\n`);
  }
  const code = reportError(error, json);
  // launchers that end everything at once lose what they have not passed on yet
  await new Promise((resolve) => setTimeout(resolve, 300));
  communicator.abort(stopped ?? code);
}
