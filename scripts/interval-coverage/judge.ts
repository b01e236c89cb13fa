/** What the intervals promise, and whether a simulated case keeps it. */
import type { Coverage } from "./simulate.js";

/** Where it must be possible to tell: by far enough times. */
const MUST_ANSWER: readonly [process: string, length: number][] = [
  ["white noise", 325],
  ["AR(1) 0.5", 325],
  ["AR(1) 0.9", 1000],
  ["overlap 2", 325],
  ["overlap 6", 1000],
  ["overlap 12", 1000],
];

/**
 * Errors of the other sign follow, so that a bias is known better than blocks of such a length say: its interval is wider than it need
 * be, and may cover more.
 */
const OSCILLATING = ["AR(2) 0, -0.8", "AR(2) 1, -0.9"];

/** Standard errors of a counted share that are put down to the number of histories. */
const CHANCE = 3;

/** What is wrong with a case, or null. */
export function faultOf(row: Coverage): string | null {
  const { process, length, question, histories, answered, covered, found, misled } = row;
  const slack = (share: number, of: number) => CHANCE * Math.sqrt((share * (1 - share)) / Math.max(1, of));
  const needed = MUST_ANSWER.some(([name, times]) => name === process && length >= times);
  if (needed && answered < 0.95) return "says too few to tell where it could tell";
  if (misled > 0.08 + slack(0.08, histories)) return "misleads";
  // where under 5 % is answered, or may be, what is answered is what looks tame by chance
  if (answered < 0.05 + slack(0.05, histories)) return null;
  const told = answered * histories;
  if (covered < 0.92 - slack(0.92, told)) return "covers too little";
  const cautious = question === "bias" && OSCILLATING.includes(process);
  if (!cautious && covered > 0.97 + slack(0.97, told)) return "covers too much";
  if (question !== "equal forecasts") return null;
  if (found < 0.03 - slack(0.03, told)) return "finds too little";
  return found > 0.08 + slack(0.08, told) ? "finds too much" : null;
}
