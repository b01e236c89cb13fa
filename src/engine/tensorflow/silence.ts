/** Keeping a library quiet while it is loaded. */
import { openSync } from "node:fs";

type System = import("koffi").LibraryHandle;

const STANDARD_ERROR = 2;

/**
 * Runs `work` with standard error going nowhere: TensorFlow's start-up messages about oneDNN come before its log level
 * holds. Errors are exceptions here, so nothing else is lost.
 */
export function silently<T>(system: System, work: () => T): T {
  const [dup, dup2, close] = [
    system.func("dup", "int", ["int"]),
    system.func("dup2", "int", ["int", "int"]),
    system.func("close", "int", ["int"]),
  ];
  const kept = dup(STANDARD_ERROR) as number;
  if (kept < 0) return work();
  const nowhere = openSync("/dev/null", "w");
  dup2(nowhere, STANDARD_ERROR);
  close(nowhere);
  try {
    return work();
  } finally {
    dup2(kept, STANDARD_ERROR);
    close(kept);
  }
}
