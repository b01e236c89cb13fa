/** What a signal leaves of a command that keeps what is done. */
import { afterEach, expect, it, vi } from "vitest";
import { stoppable } from "../../src/cli/stoppable.js";
import { AtmorepError } from "../../src/errors.js";

const before = process.exitCode;
afterEach(() => {
  process.exitCode = before;
});

it("ends with the signal's code if the signal stopped it, and as ever if it had finished", async () => {
  const signalled = (code: string) => process.emit(code as "SIGINT");
  const finished = await stoppable(async () => {
    signalled("SIGINT");
    return "done";
  });
  expect(finished).toBe("done");
  expect(process.exitCode).toBe(before);
  const said = vi.spyOn(process.stderr, "write").mockReturnValue(true);
  const stopped = await stoppable(async (signal) => {
    signalled("SIGTERM");
    expect(signal.aborted).toBe(true);
    throw new AtmorepError("failed", "data import was stopped");
  });
  said.mockRestore();
  expect(stopped).toBe(null);
  expect(process.exitCode).toBe(143);
});
