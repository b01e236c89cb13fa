/** What `atmorep evaluate` says: progress on standard error, then scores and verdict. */
import { CALIBRATION_KEY, calibrationLines } from "../evaluation/calibration.js";
import type { Evaluation } from "../evaluation/request.js";
import { evaluationTable } from "../evaluation/table.js";
import { formatTable, note, print, printJson } from "./output.js";

export function printEvaluation(result: Evaluation, { json }: { json?: boolean }): void {
  if (json) {
    const calibration = result.calibration && { [CALIBRATION_KEY]: result.calibration };
    printJson({ ...result.scores, _about: result.about, ...calibration });
    return;
  }
  print(`run ${result.run}@${result.weights}, ${result.mode}, ${result.samples} samples`);
  for (const line of formatTable(...evaluationTable(result.scores))) print(line);
  for (const line of calibrationLines(result.calibration)) print(line);
  print(result.verdict);
  print(result.toldOn);
  print(`written to ${result.resultsDir}`);
}

/** A line on standard error every two seconds, and at the end. */
export function progress(): (done: number, total: number) => void {
  let told = Date.now();
  return (done, total) => {
    if (done < total && Date.now() - told < 2000) return;
    told = Date.now();
    note(`batch ${done} of ${total}`);
  };
}
