/**
 * What an optimiser step costs on n processes that train together: a model of docs/scaling.md, of what is measured in one process and
 * assumed of the network between them.
 */
import { BUCKET_BYTES } from "../distributed/treeSum.js";

/** What one process needs by itself; seconds and bytes. */
export interface ProcessCosts {
  /** threads that computed while it was measured */
  threads: number;
  /** of one batch: both passes, and the forward pass alone */
  gradients: number;
  forward: number;
  /** of all parameters, once a step */
  update: number;
  /** of one batch, on one thread */
  reading: number;
  masking: number;
  /** of all gradients, and of what is saved after each epoch */
  gradientBytes: number;
  savedBytes: number;
}

/** How a run divides its batches, as its configuration says. */
export interface Division {
  /** of one batch */
  samples: number;
  /** batches of a process in one step (`grad_accumulation`) */
  accumulation: number;
  /** batches of an epoch, and of a validation */
  epochBatches: number;
  validationBatches: number;
  /** `num_loader_workers`: threads that read, and mask where streams are `batch`, while a step is computed */
  workers: number;
  maskStreams: "run" | "batch";
  /** `optimizer_zero`: each updates its part */
  divided: boolean;
}

/** Between processes. */
export interface Network {
  /** bytes a second of one process, each way */
  bandwidth: number;
  /** seconds of a message */
  latency: number;
}

/** Where nothing is said of the network: 25 Gbit/s and 20 microseconds, as TCP has on clusters. */
export const NETWORK: Network = { bandwidth: 25e9 / 8, latency: 20e-6 };

/** Seconds a step, by what they go to. */
export interface StepParts {
  gradients: number;
  update: number;
  /** sums of gradients over the processes */
  sum: number;
  /** masks drawn while nothing is computed, and waiting for data */
  data: number;
  /** validation and saving after an epoch, spread over its steps */
  between: number;
}

export interface Prediction {
  processes: number;
  parts: StepParts;
  /** seconds */
  step: number;
  samplesPerSecond: number;
  /** samples a second beside those of as many processes that wait for nobody */
  efficiency: number;
  /** the same where a step has as many samples on any number of processes; null if they cannot be dealt evenly */
  strong: number | null;
}

/** Bytes a second at which gradients are added up, and files written with their digests; measured on slow machines. */
const ADDING = 5e9;
/** Seconds in which processes tell each other in every step whether it is sound, and whether to stop; measured between two. */
const TELLING = 5e-3;
const SAVING = 0.3e9;

/** @param processes that train together, `accumulation` batches a step each */
export function stepParts(costs: ProcessCosts, division: Division, network: Network, processes: number): StepParts {
  const { accumulation, workers, maskStreams, epochBatches, validationBatches } = division;
  const others = (processes - 1) / processes;
  const gradients = accumulation * costs.gradients;
  const update = costs.update / (division.divided ? processes : 1);
  const messages = 2 * (processes - 1) * Math.ceil(costs.gradientBytes / BUCKET_BYTES);
  const sent = others * costs.gradientBytes * (2 / network.bandwidth + 1 / ADDING) + messages * network.latency;
  const sum = processes > 1 ? sent + TELLING : 0;
  // streams that run on are drawn for all processes, by the thread that also gives steps to the engine
  const drawn = maskStreams === "run" ? accumulation * processes * costs.masking : 0;
  const made = accumulation * (costs.reading + (maskStreams === "run" ? 0 : costs.masking));
  const waited = workers === 0 ? made : Math.max(0, made / workers - gradients - update - sum - drawn);
  const steps = Math.max(1, Math.floor(epochBatches / (accumulation * processes)));
  // the first process reads and masks all batches of a validation, each predicts its share
  const validation =
    validationBatches * (costs.reading + costs.masking) + Math.ceil(validationBatches / processes) * costs.forward;
  const between = (validation + costs.savedBytes / SAVING) / steps;
  return { gradients, update, sum, data: drawn + waited, between };
}

const total = (parts: StepParts) => Object.values(parts).reduce((a, b) => a + b, 0);

/**
 * Times of a step on `processes`.
 * @example
 * predictStep(costs, division, { bandwidth: 3.1e9, latency: 2e-5 }, 8).efficiency;
 */
export function predictStep(
  costs: ProcessCosts,
  division: Division,
  network: Network,
  processes: number,
  /** of the largest number of processes that is looked at: what `strong` deals */
  most = processes,
): Prediction {
  const parts = stepParts(costs, division, network, processes);
  const step = total(parts);
  const alone = total(stepParts(costs, division, network, 1));
  const batches = division.accumulation * most;
  const dealt = (n: number) => total(stepParts(costs, { ...division, accumulation: batches / n }, network, n));
  return {
    processes,
    parts,
    step,
    samplesPerSecond: (processes * division.accumulation * division.samples) / step,
    efficiency: alone / step,
    strong: batches % processes === 0 ? dealt(1) / dealt(processes) / processes : null,
  };
}

/** 1, 2, 4, ... and `processes` itself. */
export function numbersUpTo(processes: number): number[] {
  const numbers = [];
  for (let n = 1; n < processes; n *= 2) numbers.push(n);
  return [...numbers, processes];
}

const MOST_PROCESSES = 2 ** 16;

/** The first power of two of processes of which half wait; null if there is none below 65,536, or no epoch has a step for so many. */
export function halfLost(costs: ProcessCosts, division: Division, network: Network): Prediction | null {
  for (let n = 2; n <= MOST_PROCESSES && n * division.accumulation <= division.epochBatches; n *= 2) {
    const predicted = predictStep(costs, division, network, n);
    if (predicted.efficiency < 0.5) return predicted;
  }
  return null;
}
