/** Reading the positional entries of `fields` and `fields_prediction` into objects with names. */
import { AtmorepError } from "../errors.js";
import { nearestName } from "./nearest.js";
import type { Field, FieldEntry, PredictedField, RunConfig } from "./types.js";

/**
 * The fields of a configuration, in file order.
 *
 * Expects entries of the form that `validateConfig` accepts; a reference configuration may leave out the
 * pre-trained run and the normalisation (then `"global"`).
 */
export function parseFields(config: Pick<RunConfig, "fields">): Field[] {
  return config.fields.map(parseField);
}

function parseField(entry: FieldEntry, index: number): Field {
  const [name, [dynamic, width, coupled, , pretrained], levels, numTokens, tokenSize, rates, normalization] = entry;
  return {
    index,
    name,
    dynamic: Boolean(dynamic),
    width,
    coupled: [...coupled],
    pretrained: pretrained ? { runId: pretrained[0], epoch: pretrained[1] } : null,
    levels: [...levels],
    numTokens: [...numTokens],
    tokenSize: [...tokenSize],
    rates: { total: rates[0], mask: rates[1], noise: rates[2], coarse: rates[3] },
    normalization: normalization ?? "global",
    L: levels.length,
    N: product(numTokens),
    D: product(tokenSize),
  };
}

/**
 * The predicted fields with their loss weights, in the order of `fields_prediction`.
 *
 * @throws AtmorepError `config` if a predicted field is not among `fields`
 */
export function predictedFields(config: Pick<RunConfig, "fields" | "fields_prediction">): PredictedField[] {
  const fields = parseFields(config);
  return config.fields_prediction.map(([name, weight], index) => {
    const field = fields.find((candidate) => candidate.name === name);
    if (field) return { index, field, weight };
    const names = fields.map((candidate) => candidate.name);
    throw new AtmorepError("config", "predicted field is not among the fields", {
      where: `fields_prediction[${index}][0]`,
      found: name,
      expected: `one of ${names.join(", ")}`,
      fix: `Write ${nearestName(name, names) ?? names[0]}, or add the field to fields`,
    });
  });
}

const product = (numbers: readonly number[]) => numbers.reduce((a, b) => a * b, 1);
