/** Golden kind `run`: the files of a whole run of the original, read and written by ours. */
import type { Comparison, KindRunner } from "../types.js";
import { compareConsole } from "./runConsole.js";
import { compareStores } from "./runStores.js";
import { compareWeightFiles } from "./runWeights.js";

export const runner: KindRunner = async (golden): Promise<Comparison[]> => [
  ...(await compareWeightFiles(golden)),
  ...(await compareStores(golden)),
  ...(await compareConsole(golden)),
];
