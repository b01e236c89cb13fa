/** What a page says first: who wins, the model or the best simple baseline, and on what that is told. */
import { averagingLine, toldOnLine } from "../../runs/toldOn.js";
import { escapeHtml } from "../figure/text.js";
import type { Evaluated } from "./evaluations.js";
import type { History } from "./history.js";
import { absent, aside } from "./html.js";

/** The sentence, its sign also in colour. */
export function verdictPart(sentence: string, of: string): string {
  const better = /\bbeats\b/.test(sentence);
  const worse = /\bloses\b/.test(sentence);
  const open = better === worse || sentence.includes("too few to tell");
  return `<p class="verdict${open ? "" : better ? " better" : " worse"}"><b>${escapeHtml(of)}</b><br>${escapeHtml(sentence)}</p>`;
}

/** Of a run: what it told at its end, else of its last validation; and of each evaluation. */
export function runVerdicts({ told, skills }: History, evaluations: readonly Evaluated[], id: string): string {
  const last = told?.validations.at(-1);
  const parts: string[] = [];
  if (told?.end?.verdict) {
    parts.push(verdictPart(told.end.verdict, `At the end, step ${told.end.step}`));
    if (told.end.toldOn) parts.push(aside(toldOnLine(told.end.toldOn)));
    if (told.end.averaging) parts.push(aside(averagingLine(told.end.averaging)));
  } else if (last) {
    parts.push(verdictPart(last.verdict, `The validation at step ${last.step}, before the run ended`));
    parts.push(aside(toldOnLine("validation")));
  } else {
    const why = told === null ? "an earlier version made the run, which kept none" : "the run has not been validated";
    parts.push(
      absent(
        `No verdict of training: ${why}${skills.length > 0 ? " since it was continued" : ""}. npx atmorep evaluate ${id} gives one.`,
      ),
    );
  }
  for (const { id: own, stored } of evaluations) {
    const { verdict, told_on } = stored.about;
    if (typeof verdict === "string") parts.push(verdictPart(verdict, `Evaluation ${own}, ${modeOf(stored.about)}`));
    if (typeof told_on === "string") parts.push(aside(told_on));
  }
  if (evaluations.length === 0) {
    parts.push(absent(`Not evaluated yet, so without intervals over a longer period: npx atmorep evaluate ${id}`));
  }
  return parts.join("\n");
}

/** `mode forecast, weights best`. */
export const modeOf = ({ mode, weights }: Record<string, unknown>): string =>
  `mode ${String(mode).replaceAll("_", " ")}, weights ${weights}`;
