/** Starting weights from a run (`RUN[@EPOCH]`) or a weights file: weights only, strict. */
import { existsSync } from "node:fs";
import type { RunConfig } from "../config/types.js";
import { AtmorepError } from "../errors.js";
import { initParameters, type ModelSpec } from "../model/index.js";
import type { PlainParams } from "../model/types.js";
import { parseRunReference, runFolder } from "./runFolder.js";
import { matchWeights, readWeights, weightPath } from "./weightFiles.js";

/**
 * @param from a path to a `.mod` or `.safetensors` file, or `RUN`, `RUN@latest`, `RUN@best`, `RUN@EPOCH` below `out`
 * @throws AtmorepError (usage) if there is no such file, (input) listing every tensor that does not fit
 */
export async function readInitialWeights(
  out: string,
  from: string,
  config: RunConfig,
  spec: ModelSpec,
): Promise<PlainParams> {
  const path = /\.(mod|safetensors)$/.test(from) ? from : pathOfRun(out, from);
  if (!existsSync(path)) {
    throw new AtmorepError("usage", "there are no such weights", {
      where: "--init-from",
      found: path,
      fix: "Name a .mod or .safetensors file, or RUN@EPOCH of a run below --out.",
    });
  }
  return matchWeights(initParameters(spec, config.torch_seed as number), await readWeights(path), path);
}

function pathOfRun(out: string, reference: string): string {
  const { id, which } = parseRunReference(reference);
  const tag = which === "latest" || which === "best" ? which : Number(which);
  return weightPath(runFolder(out, id).modelsDir, id, tag);
}
