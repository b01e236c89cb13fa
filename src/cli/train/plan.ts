/** What a run would do and need, as lines for people. */
import type { Network } from "../../bench/scaling.js";
import type { PlanOptions } from "../../checks/plan.js";
import type { RunConfig } from "../../config/types.js";
import { note, print } from "../output.js";

/** What a plan for several processes may be told. */
export interface PrintedPlan extends PlanOptions {
  /** between processes, in bytes and seconds */
  network?: Network;
}

/**
 * Prints the plan of a run; of several processes also what a step costs on them, for which one is timed.
 * @throws AtmorepError (config, input) as `train`
 */
export async function printPlan(config: RunConfig, options: PrintedPlan): Promise<void> {
  const [{ planNetwork, planRun }, { gapLine }] = await Promise.all([
    import("../../checks/plan.js"),
    import("../../data/gaps.js"),
  ]);
  const mib = (bytes: number) => `${(bytes / 2 ** 20).toLocaleString("en-US", { maximumFractionDigits: 1 })} MiB`;
  // told before the store is opened: they are asked for where the data are not
  const { parameters, memory, stepFlops, days } = planNetwork(config);
  print(`parameters   ${parameters.toLocaleString("en-US")}`);
  print(
    `memory       about ${mib(memory.total)}: weights, gradients and moments ${mib(memory.parameters)}, one step ${mib(memory.activations)}`,
  );
  print(`time         ${(stepFlops / 1e9).toPrecision(3)} GFLOP a step: at least ${formatDays(days)} on WASM`);
  const plan = await planRun(config, options);
  for (const warning of plan.warnings) note(`warning: ${warning}`);
  print(`steps        ${plan.steps} (${plan.epochs} epochs of ${plan.stepsPerEpoch})`);
  print(`step         ${plan.samplesPerStep} samples`);
  if ((options.processes ?? 1) > 1) {
    const { batches, seconds } = plan.masking;
    const fewer = config.mask_streams === "run" ? "; --set mask_streams=batch: only its own" : "";
    const order = {
      tree: "the same bits on any number of processes",
      fast: "bits that depend on the number of processes",
    };
    print(`gradients    reduction ${config.reduction}: ${order[config.reduction]}`);
    print(`masks        ${batches} batches a step in each process, ${(batches * seconds).toPrecision(2)} s${fewer}`);
  }
  print(`validation   ${plan.validationSamples} samples`);
  print(`times        ${gapLine(plan.times)}`);
  print("first batch");
  for (const [name, { tokens, target }] of Object.entries(plan.firstBatch)) {
    print(`  ${name}  tokens [B, L, N, D] = [${tokens.join(", ")}], hidden [M, D] = [${target.join(", ")}]`);
  }
  if ((options.processes ?? 1) === 1) return;
  const { scalingLines } = await import("./scaling.js");
  for (const line of await scalingLines(config, plan, options.processes as number, options.network)) print(line);
}

/** The same as one object. @throws AtmorepError (config, input) as `train` */
export async function plainPlan(config: RunConfig, { network, ...options }: PrintedPlan): Promise<object> {
  const { planRun } = await import("../../checks/plan.js");
  const plan = await planRun(config, options);
  if ((options.processes ?? 1) === 1) return plan;
  const { planScaling } = await import("./scaling.js");
  return { ...plan, scaling: await planScaling(config, plan, options.processes as number, network) };
}

function formatDays(days: number): string {
  if (days >= 1) return `${days.toLocaleString("en-US", { maximumFractionDigits: days < 10 ? 1 : 0 })} days`;
  return days * 24 >= 1 ? `${(days * 24).toFixed(1)} hours` : `${Math.ceil(days * 24 * 60)} minutes`;
}
