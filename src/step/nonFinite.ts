/** Finding the numbers that made a step go wrong. */
import type { Tensor } from "@tensorflow/tfjs-core";
import type { StepBatch } from "../batches/tensors.js";
import { AtmorepError } from "../errors.js";
import type { Params } from "../model/types.js";
import type { StepModel } from "./batchGradients.js";

/** A tensor with NaN or infinite elements. */
interface BadTensor {
  kind: "input" | "target" | "parameter" | "gradient";
  name: string;
  /** elements that are NaN or infinite */
  bad: number;
  size: number;
}

interface NonFinite {
  terms: { loss: string; field: string; value: number }[];
  tensors: BadTensor[];
}

/** What to look through; gradients are absent where none were taken. */
export interface Suspects {
  terms: readonly { loss: string; field: string; value: number }[];
  batches: readonly StepBatch[];
  /** names of all fields and of the predicted ones */
  names: { fields: readonly string[]; predicted: readonly string[] };
  params: Params;
  /** of one batch, or of several that were added up apart */
  grads: readonly Params[];
}

/** Named tensors shown in the message; the error's `found` has no more. */
const SHOWN = 8;

/** The loss terms and tensors that are not finite: inputs and targets first, then parameters, then gradients. */
async function findNonFinite({ terms, batches, names, params, grads }: Suspects): Promise<NonFinite> {
  const tensors: BadTensor[] = [];
  const look = async (kind: BadTensor["kind"], name: string, tensor: Tensor) => {
    const values: ArrayLike<number> = await tensor.data();
    let bad = 0;
    for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) bad++;
    if (bad > 0) tensors.push({ kind, name, bad, size: tensor.size });
  };
  for (const { inputs, targets } of batches) {
    for (const [f, { tokens, infos }] of inputs.fields.entries()) {
      await look("input", `tokens of ${names.fields[f]}`, tokens);
      await look("input", `token infos of ${names.fields[f]}`, infos);
    }
    for (const [p, { target }] of targets.entries()) await look("target", names.predicted[p], target);
  }
  for (const [name, tensor] of Object.entries(params)) await look("parameter", name, tensor);
  for (const part of grads) for (const [name, tensor] of Object.entries(part)) await look("gradient", name, tensor);
  return { terms: terms.filter(({ value }) => !Number.isFinite(value)), tensors };
}

/** The same of a step's own batches: the error, and how many of its numbers and tensors are to blame. */
export async function nonFiniteOf(
  { config, predicted }: StepModel,
  suspects: Omit<Suspects, "names">,
  step: number,
): Promise<{ error: AtmorepError; found: number }> {
  const names = { fields: config.fields.map(([name]) => name), predicted: predicted.map(({ field }) => field.name) };
  const bad = await findNonFinite({ ...suspects, names });
  return { error: nonFiniteError(step, bad), found: bad.terms.length + bad.tensors.length };
}

/** The error that stops a run at `step`. */
function nonFiniteError(step: number, { terms, tensors }: NonFinite): AtmorepError {
  const losses = terms.map(({ loss, field, value }) => `${loss} of ${field} is ${value}`);
  const shown = tensors.slice(0, SHOWN).map(({ kind, name, bad, size }) => `${kind} ${name} (${bad} of ${size})`);
  if (tensors.length > SHOWN) shown.push(`${tensors.length - SHOWN} tensors more`);
  return new AtmorepError("failed", "a number is NaN or infinite; the parameters stay as they were before this step", {
    where: `step ${step}`,
    found: [...losses, ...shown].join(", ") || "the norm of the gradients",
    expected: "finite losses and gradients",
    fix: adviceFor(tensors),
  });
}

function adviceFor(tensors: readonly BadTensor[]): string {
  const kinds = new Set(tensors.map(({ kind }) => kind));
  if (kinds.has("input") || kinds.has("target")) {
    return 'The data hold bad values: look at them with data info, or set missing_values to "skip".';
  }
  if (kinds.has("parameter")) return "The parameters were bad before this step: start from another checkpoint.";
  return "Lower lr_max or set grad_clip (1, say), and continue from the last checkpoint.";
}
