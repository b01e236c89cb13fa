/** Predictions of a batch. */
import * as tf from "@tensorflow/tfjs-core";
import { forward } from "../model/forward.js";
import type { NetworkInputs, Params, Prediction } from "../model/types.js";
import type { StepContext } from "./batchGradients.js";
import { padInputs, tokenCounts } from "./pad.js";
import { preparedFor } from "./prepared.js";

/**
 * `forward` without dropout, one prediction a predicted field; one call where the engine compiles.
 * @returns tensors that the caller disposes
 */
export async function predictions(context: StepContext, params: Params, inputs: NetworkInputs): Promise<Prediction[]> {
  const { model } = context;
  const prepared = preparedFor(context, "predict", ({ engine }, label) =>
    engine.prepare(
      label,
      ({ params, inputs }: { params: Params; inputs: NetworkInputs }) => forward(params, model.spec, inputs),
      {
        pad({ params, inputs: given }, sizes) {
          const { inputs, release } = padInputs(given, tokenCounts(model, given), sizes);
          return { inputs: { params, inputs }, release };
        },
      },
    ),
  );
  const found = await prepared.call({ params, inputs });
  return found.map(({ mean, std, ens }, p) => {
    const [M] = inputs.rows[p].shape;
    return { mean: firstRows(mean, M), std: firstRows(std, M), ens: firstRows(ens, M) };
  });
}

/** The first rows of a tensor, which is released. */
function firstRows(tensor: tf.Tensor, rows: number): tf.Tensor {
  if (tensor.shape[0] === rows) return tensor;
  const [, ...rest] = tensor.shape;
  const kept = tf.slice(tensor, [0, ...rest.map(() => 0)], [rows, ...rest]);
  tensor.dispose();
  return kept;
}
