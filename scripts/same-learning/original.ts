/** The original's side of the comparison. */
import { execFileSync } from "node:child_process";
import type { StepLosses } from "./ours.js";

/**
 * Losses of the original on the material in `folder`, by the Python that PYTHON names.
 * @param moved adds one rounding step to one weight
 */
export function originalLosses(folder: string, moved: boolean): StepLosses[] {
  const script = "scripts/same-learning/original.py";
  const args = ["-W", "ignore", script, folder, ...(moved ? ["--moved"] : [])];
  const output = execFileSync(process.env.PYTHON ?? "python3", args, { encoding: "utf8", maxBuffer: 1 << 28 });
  return output
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));
}
