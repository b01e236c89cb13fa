/** Learning rate schedules: `values.X.{config, first20, length, all}`. */
import type { RunConfig } from "../../config/types.js";
import { learningRates } from "../../step/schedule.js";
import { compare, compareJson } from "../compare.js";
import type { KindRunner } from "../types.js";

interface Schedule {
  config: RunConfig;
  first20: number[];
  length: number;
  all: number[] | null;
}

export const runner: KindRunner = async ({ values }) =>
  Object.entries(values).flatMap(([name, value]) => {
    const { config, first20, length, all } = value as Schedule;
    const rates = learningRates(config);
    const tolerance = { atol: 0, rtol: 1e-12 };
    return [
      compareJson(`${name}.length`, rates.length, length),
      compare(`${name}.first20`, rates.slice(0, first20.length), first20, tolerance),
      ...(all ? [compare(`${name}.all`, rates, all, tolerance)] : []),
    ];
  });
