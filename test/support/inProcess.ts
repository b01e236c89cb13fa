/** The program inside the test's process: quick, for what does not depend on being a process. */
import { vi } from "vitest";
import { run } from "../../src/cli/main.js";
import type { Outcome } from "./cli.js";

/** Runs `atmorep` with `args`; `code` is the exit code it would have ended with. */
export async function runCli(...args: string[]): Promise<Outcome> {
  const outcome: Outcome = { code: null, stdout: "", stderr: "" };
  const capture = (stream: "stdout" | "stderr") =>
    vi.spyOn(process[stream], "write").mockImplementation((chunk) => {
      outcome[stream] += String(chunk);
      return true;
    });
  const spies = [capture("stdout"), capture("stderr")];
  const before = process.exitCode;
  process.exitCode = undefined;
  try {
    outcome.code = await run(args);
  } finally {
    process.exitCode = before;
    for (const spy of spies) spy.mockRestore();
  }
  return outcome;
}
