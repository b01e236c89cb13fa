/** Which times an evaluation draws from. */
import { AtmorepError } from "../errors.js";
import type { ToldOn } from "../runs/toldOn.js";

export interface SplitRequest {
  /** as asked for; null: the test where there is one */
  asked: "validation" | "test" | null;
  /** the configuration's test */
  dates_test?: unknown;
  /** the caller overwrote the period of validation: that is what is asked for */
  validationGiven: boolean;
  /** the mode's options name the times */
  ownTimes: boolean;
}

/** @throws AtmorepError `usage` for a test that the configuration does not have, or a split where the times are named */
export function toldOn({ asked, dates_test, validationGiven, ownTimes }: SplitRequest): ToldOn {
  if (ownTimes && asked !== null) {
    throw new AtmorepError("usage", "the options name the times, so that no split is drawn from", {
      where: "--split",
      found: asked,
      fix: "Leave out --split, or the option that names times.",
    });
  }
  if (asked === "test" && !dates_test) {
    throw new AtmorepError("usage", "the run has no test", {
      where: "--split",
      found: asked,
      expected: "dates_test in the configuration",
      fix: `--set dates_test='[["2020-01-01","2020-12-31"]]' with times that were neither trained nor chosen on`,
    });
  }
  if (ownTimes) return "own dates";
  return asked ?? (dates_test && !validationGiven ? "test" : "validation");
}
