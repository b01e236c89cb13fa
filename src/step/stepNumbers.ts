/** The numbers of one batch: on the engine they are one tensor, so that they are read at once; here they are a record. */
import * as tf from "@tensorflow/tfjs-core";
import type { TotalLoss } from "../losses/total.js";

/** As the engine has them, with what they stand for. */
export interface StepNumbers {
  /** total, the terms, then the mean squared error and the spread of each predicted field that has hidden tokens */
  values: tf.Tensor1D;
  /** loss and field of each term */
  terms: { loss: string; field: string }[];
  /** per predicted field: has it hidden tokens */
  hidden: boolean[];
}

/** Numbers of one batch. */
export interface BatchNumbers {
  /** weighted total */
  total: number;
  /** each loss of each field; a field without hidden tokens has none */
  terms: { loss: string; field: string; value: number }[];
  /** mean squared error of the ensemble mean, per predicted field; null without hidden tokens */
  mse: (number | null)[];
  /** mean spread, per predicted field; null without hidden tokens */
  spread: (number | null)[];
}

/** @returns a tensor that the caller disposes; nothing is read */
export function encodeNumbers({ total, terms, mse, spread }: TotalLoss): StepNumbers {
  const perField = [...mse, ...spread].filter((value) => value !== null);
  return {
    values: tf.stack([total, ...terms.map(({ value }) => value), ...perField]) as tf.Tensor1D,
    terms: terms.map(({ loss, field }) => ({ loss, field })),
    hidden: mse.map((value) => value !== null),
  };
}

/** Reads what `encodeNumbers` has written. */
export async function decodeNumbers({ values, terms, hidden }: StepNumbers): Promise<BatchNumbers> {
  const numbers = await values.data();
  let at = 0;
  const next = () => numbers[at++];
  const perField = () => hidden.map((present) => (present ? next() : null));
  return {
    total: next(),
    terms: terms.map(({ loss, field }) => ({ loss, field, value: next() })),
    mse: perField(),
    spread: perField(),
  };
}
