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
  return `Scores and verdict are told on validation${both}; dates_test would be cleaner.`;
}

/** Validation losses of averaged weights and of those that training goes on from. */
export interface Averaging {
  averaged: number;
  raw: number;
}

/** `The averaged weights, which are saved, are better: 0.101, raw ones 0.120.`: validation losses, on one row of a terminal. */
export function averagingLine({ averaged, raw }: Averaging): string {
  const [a, r] = [averaged, raw].map((loss) => String(Number(loss.toPrecision(3))));
  if (raw < averaged) {
    return `The raw weights are better than the averaged ones saved: ${r} against ${a} (ema_decay).`;
  }
  return `The averaged weights, which are saved, are ${averaged < raw ? "better" : "as good"}: ${a}, raw ones ${r}.`;
}
