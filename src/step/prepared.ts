/** The functions that engines have prepared of a model; they live as long as both. */
import type { Engine, Prepared } from "../engine/engine.js";
import type { StepContext, StepModel } from "./batchGradients.js";

const known = new WeakMap<Engine, WeakMap<StepModel, Map<string, unknown>>>();

/**
 * The function called `label` of a model, which `prepare` makes the first time.
 * @param label belongs to one type of function
 */
export function preparedFor<I, O>(
  context: StepContext,
  label: string,
  prepare: (context: StepContext, label: string) => Prepared<I, O>,
): Prepared<I, O> {
  const { engine, model } = context;
  const models = known.get(engine) ?? new WeakMap<StepModel, Map<string, unknown>>();
  known.set(engine, models);
  const functions = models.get(model) ?? new Map<string, unknown>();
  models.set(model, functions);
  const found = (functions.get(label) as Prepared<I, O> | undefined) ?? prepare(context, label);
  functions.set(label, found);
  return found;
}
