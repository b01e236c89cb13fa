/** Weight files, ours and PyTorch's. */
import type { TensorFile } from "../formats/tensors.js";
import type { PlainParams } from "../model/types.js";
import { runFolder } from "../runs/folder.js";
import { type RunReference, runPlace } from "../runs/locate.js";
import type { WeightTag } from "../runs/weightFiles.js";

/**
 * Opens a weights file (`.mod`, `.pt`, `.safetensors`) without reading its tensors; close it when done.
 * @throws AtmorepError (input) if it is damaged or of another kind
 * @example const file = await openWeights("weights.safetensors"); file.tensors.map(({ name }) => name); await file.close();
 */
export async function openWeights(path: string): Promise<TensorFile> {
  return (await import("../formats/weights.js")).openWeights(path);
}

/**
 * Converts between PyTorch and safetensors, bit for bit; the ending of `output` says the format.
 * @returns the number of tensors
 * @throws AtmorepError (input, usage)
 * @example await convertWeights("AtmoRep_idab12cd34.mod", "weights.safetensors");
 */
export async function convertWeights(input: string, output: string): Promise<number> {
  const [{ convertWeights }, { canonicalName }] = await Promise.all([
    import("../formats/weights.js"),
    import("../model/names.js"),
  ]);
  return convertWeights(input, output, canonicalName);
}

/**
 * Every tensor of a weights file in float32, by the network's names.
 * @throws AtmorepError (input) if the file is damaged or not a state dict
 * @example const weights = await readWeights(await weightPath("ab12cd34")); [...weights.keys()];
 */
export async function readWeights(path: string): Promise<PlainParams> {
  return (await import("../runs/weightFiles.js")).readWeights(path);
}

/**
 * Path of a run's weights.
 * @param which the last, the best, or those of an epoch
 * @example await weightPath("ab12cd34", "best");
 */
export async function weightPath(run: RunReference, which: WeightTag = "latest", out?: string): Promise<string> {
  const { id, out: folder } = runPlace(run, out);
  const { weightPath: path } = await import("../runs/weightFiles.js");
  return path(runFolder(folder, id).modelsDir, id, which);
}
