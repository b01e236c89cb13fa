/** `save_grads`: the gradients of an epoch's last step and the optimiser's second moments, under the reference's names. */
import { mkdir } from "node:fs/promises";
import { dirname, join } from "node:path";
import { writeNpy } from "../formats/npy.js";
import { toPlain } from "../model/index.js";
import type { PlainParams } from "../model/types.js";
import type { Session } from "./session.js";

/**
 * Writes `grads/id<ID>/<ID>_epoch<n>_<index>_<parameter>_grad.npy` for each parameter that has a gradient, and
 * `<ID>_epoch<n>_rmsprop.npy`, the mean second moment of each of them. `grads/` lies beside `results/`.
 * @param gradients averaged over the batches of the step and clipped
 */
export async function saveGradients({ folder, progress, state }: Session, gradients: PlainParams): Promise<void> {
  const dir = join(dirname(dirname(folder.resultsDir)), "grads", `id${folder.id}`);
  await mkdir(dir, { recursive: true });
  const name = (rest: string) => join(dir, `${folder.id}_epoch${progress.epoch}_${rest}.npy`);
  const means: number[] = [];
  const moments = await toPlain(state.optimizer.v);
  for (const parameter of gradients.keys()) {
    const { data } = moments.get(parameter)!;
    means.push(data.reduce((sum, value) => sum + value, 0) / data.length);
  }
  await writeNpy(name("rmsprop"), [means.length], Float32Array.from(means));
  for (const [index, [parameter, { shape, data }]] of [...gradients].entries()) {
    await writeNpy(name(`${String(index).padStart(5, "0")}_${parameter}_grad`), shape, data);
  }
}
