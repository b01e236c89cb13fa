/** The reference's console lines, with Python's number formats. The configuration's lines are `consoleLines` of config. */
import { pythonFloat } from "../config/text/python.js";

export interface StepLine {
  epoch: number;
  /** batch of the epoch, from 0 */
  k: number;
  batches: number;
  /** mean weighted total since the last line */
  total: number;
  /** mean squared error of the ensemble mean since the last line */
  mse: number;
  /** spread of this batch, first predicted field */
  spread: number;
  samplesPerSecond: number;
}

/** True if a line is due after batch `k` (from 0) of an epoch in which `printed` lines stand already. */
export function lineIsDue(k: number, batchSize: number, printed: number): boolean {
  return Math.trunc((k * batchSize) / 8) > printed;
}

/** `epoch: 0 [2/8 (25%)]<TAB>Loss: 1.16342 : 1.00308 :: 0.50988 (25.04 s/sec)` */
export function stepLine({ epoch, k, batches, total, mse, spread, samplesPerSecond }: StepLine): string {
  const percent = pythonFixed((100 * k) / batches, 0);
  const losses = `${pythonFixed(total, 5)} : ${pythonFixed(mse, 5)} :: ${pythonFixed(spread, 5)}`;
  return `epoch: ${epoch} [${k}/${batches} (${percent}%)]\tLoss: ${losses} (${pythonFixed(samplesPerSecond, 2)} s/sec)`;
}

/** `0 : 11:39:14 :: batch_size = 4, lr = 0.0001` */
export function epochLine(epoch: number, time: Date, batchSize: number, learningRate: number): string {
  return `${epoch} : ${clock(time)} :: batch_size = ${batchSize}, lr = ${pythonFloat(learningRate)}`;
}

/** `Number of trainable parameters: 36,112` */
export function parametersLine(count: number): string {
  return `Number of trainable parameters: ${String(count).replace(/\B(?=(\d{3})+$)/g, ",")}`;
}

/** The lines after a validation: the mean over the fields, then each field. */
export function validationLines(
  strategy: string,
  epoch: number,
  loss: number,
  fields: readonly { name: string; loss: number }[],
): string[] {
  return [
    `validation loss for strategy=${strategy} at epoch ${epoch} : ${pythonNumber(loss)}`,
    ...fields.map((field) => `validation loss for ${field.name} : ${pythonNumber(field.loss)}`),
  ];
}

/** `Finished training at 11:39:15 with test loss = 0.7646123170852661.` */
export function finishedLine(time: Date, loss: number): string {
  return `Finished training at ${clock(time)} with test loss = ${pythonNumber(loss)}.`;
}

/** Local time of day, `HH:MM:SS`. */
export function clock(time: Date): string {
  return [time.getHours(), time.getMinutes(), time.getSeconds()].map((n) => String(n).padStart(2, "0")).join(":");
}

function pythonNumber(value: number): string {
  return Number.isFinite(value) ? pythonFloat(value) : pythonFixed(value, 0);
}

/**
 * Python's `{:.<digits>f}`: the exact value of the number, halves to even (JavaScript's `toFixed` rounds them up).
 */
export function pythonFixed(value: number, digits: number): string {
  if (Number.isNaN(value)) return "nan";
  if (!Number.isFinite(value)) return value < 0 ? "-inf" : "inf";
  const sign = value < 0 || Object.is(value, -0) ? "-" : "";
  const size = Math.abs(value);
  if (size >= 1e21) return `${sign}${BigInt(size)}${digits > 0 ? `.${"0".repeat(digits)}` : ""}`;
  const rounded = size.toFixed(digits);
  // An exact half of the last digit has one digit more, a 5, and nothing but zeros after it.
  const exact = size.toFixed(100);
  const cut = exact.length - 100 + digits;
  if (!/^50*$/.test(exact.slice(cut))) return sign + rounded;
  const truncated = digits > 0 ? exact.slice(0, cut) : exact.slice(0, cut - 1);
  return sign + (Number(truncated[truncated.length - 1]) % 2 === 0 ? truncated : rounded);
}
