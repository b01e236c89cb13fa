/** What `--dry-run --ranks N` says of the time of a step on 1 to N processes. */
import { processCosts } from "../../bench/processCosts.js";
import {
  type Division,
  halfLost,
  NETWORK,
  type Network,
  numbersUpTo,
  type Prediction,
  type ProcessCosts,
  predictStep,
  type StepParts,
} from "../../bench/scaling.js";
import type { Plan } from "../../checks/plan.js";
import type { RunConfig } from "../../config/types.js";
import { formatTable } from "../output.js";

export interface Scaling {
  costs: ProcessCosts;
  network: Network;
  predictions: Prediction[];
  /** fewest processes, a power of two, of which half wait; null if that is not within reach */
  halfLost: Prediction | null;
}

/** @returns null where a step is too large to be tried out here */
export async function planScaling(
  config: RunConfig,
  plan: Plan,
  processes: number,
  network: Network = NETWORK,
): Promise<Scaling | null> {
  const costs = await processCosts(config, { reading: plan.reading, masking: plan.masking.seconds });
  if (costs === null) return null;
  const division: Division = {
    samples: config.batch_size,
    accumulation: config.grad_accumulation,
    epochBatches: plan.batches.train,
    validationBatches: plan.batches.validate,
    workers: config.num_loader_workers,
    maskStreams: config.mask_streams,
    divided: config.optimizer_zero,
  };
  return {
    costs,
    network,
    predictions: numbersUpTo(processes).map((n) => predictStep(costs, division, network, n, processes)),
    halfLost: halfLost(costs, division, network),
  };
}

const WHAT: Record<keyof StepParts, string> = {
  gradients: "gradients",
  update: "update",
  sum: "sums",
  data: "data, masks",
  between: "validation, saving",
};

/** A table, what it stands on, and where it stops. */
export async function scalingLines(
  config: RunConfig,
  plan: Plan,
  processes: number,
  network = NETWORK,
): Promise<string[]> {
  const scaling = await planScaling(config, plan, processes, network);
  if (scaling === null)
    return ["scaling      a step is too large to be tried out here: plan on a machine that is to train"];
  const { costs, predictions, halfLost: limit } = scaling;
  const columns = Object.keys(WHAT) as (keyof StepParts)[];
  const head = ["processes", "step", ...columns.map((part) => WHAT[part]), "samples/s", "weak", "strong"];
  const rows = predictions.map(({ processes, step, parts, samplesPerSecond, efficiency, strong }) => [
    String(processes),
    seconds(step),
    ...columns.map((part) => seconds(parts[part])),
    samplesPerSecond.toPrecision(3),
    percent(efficiency),
    strong === null ? "-" : percent(strong),
  ]);
  return [
    `scaling      predicted, from a step, a batch read and its masks that were timed here with ${costs.threads} ${costs.threads > 1 ? "threads" : "thread"}`,
    `network      ${(network.bandwidth * 8) / 1e9} Gbit/s of each process and ${network.latency * 1e6} microseconds a message are assumed; --network GBIT`,
    "             weak: each process has as many samples a step; strong: a step has as many on any number",
    ...formatTable([head, ...rows], [...head.keys()]).map((line) => `  ${line}`),
    limitLine(limit),
  ];
}

function limitLine(limit: Prediction | null): string {
  if (limit === null) return "limit        an epoch has no steps for so many that half of them would wait";
  const { gradients: _, update: __, ...waits } = limit.parts;
  const [most] = (Object.entries(waits) as [keyof StepParts, number][]).toSorted(([, a], [, b]) => b - a)[0];
  return `limit        with ${limit.processes} processes more than half of the time goes to waiting, most of it for ${WHAT[most]}`;
}

const percent = (share: number) => `${(100 * share).toFixed(0)} %`;
const seconds = (value: number) =>
  value >= 1 ? `${value.toPrecision(3)} s` : `${(1000 * value).toPrecision(value < 0.001 ? 1 : 3)} ms`;
