/** Preloaded by processes that train: a step takes at least so long, whatever the machine, so that a test can strike within a run. */
import files from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";

const LEAST_MS = 60;

const { appendFile } = files;
files.appendFile = async (path, ...rest) => {
  await appendFile(path, ...rest);
  if (String(path).endsWith("metrics.jsonl")) await new Promise((later) => setTimeout(later, LEAST_MS));
};
syncBuiltinESMExports();
