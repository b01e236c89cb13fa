/** Programs that take this one's place at the terminal. */
import { spawn } from "node:child_process";

/**
 * Runs a program in the foreground; signals reach it as they reach this process.
 * @returns its exit code, that of the signal which ended it
 */
export async function foreground(
  program: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<number> {
  const child = spawn(program, args, { ...options, stdio: "inherit" });
  // The terminal sends its interrupt to both; this process waits for the other's end.
  let interrupted = false;
  const wait = () => {
    interrupted = true;
  };
  const pass = (signal: NodeJS.Signals) => child.kill(signal);
  process.on("SIGINT", wait);
  process.on("SIGTERM", pass);
  try {
    return await new Promise((done, reject) => {
      child.once("error", reject);
      child.once("exit", (code, signal) => {
        const ended = signal === "SIGINT" ? 130 : signal === "SIGTERM" ? 143 : 1;
        done(interrupted && code !== 0 ? 130 : (code ?? ended));
      });
    });
  } finally {
    process.off("SIGINT", wait);
    process.off("SIGTERM", pass);
  }
}
