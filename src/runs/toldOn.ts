/** Which times scores are told on, and which weights predict better, in one line each. */

/** `own dates`: times that the caller of an evaluation named. */
export type ToldOn = "test" | "validation" | "own dates";

/** What the reader must know of the scores; `which` of a run's weights, as `RUN@best` names them. */
export function toldOnLine(told: ToldOn, which?: string): string {
  if (told === "test") {
    const chosen = which === undefined || which === "best" ? "; the best weights were chosen on validation" : "";
    return `Scores and verdict are told on the test (dates_test)${chosen}.`;
  }
  if (told === "own dates") return "Scores and verdict are told on the dates that were asked for.";
  const both = which === "best" ? ", which the best weights were chosen on" : "";
  return `Scores and verdict are told on validation${both}; dates_test would tell them on times that no choice has seen.`;
}

/** Validation losses of averaged weights and of those that training goes on from. */
export interface Averaging {
  averaged: number;
  raw: number;
}

/** `On validation the averaged weights, which are saved, are better: loss 0.101, raw ones 0.120.` */
export function averagingLine({ averaged, raw }: Averaging): string {
  const [a, r] = [averaged, raw].map((loss) => String(Number(loss.toPrecision(3))));
  if (raw < averaged) {
    return `On validation the raw weights are better than the averaged ones, which are saved: loss ${r} against ${a}; ema_decay is too close to 1 for so many steps.`;
  }
  return `On validation the averaged weights, which are saved, are ${averaged < raw ? "better" : "as good"}: loss ${a} against ${r} of the raw ones.`;
}
