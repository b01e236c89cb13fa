/**
 * `optimizer_zero`: each process keeps moments and averages of its part of the parameters alone, updates these, and gives them to the
 * others (Rajbhandari et al. 2020, stage 1). Parts are whole parameters, as in PyTorch's ZeroRedundancyOptimizer.
 */
import type { RunConfig } from "../config/types.js";
import type { Communicator } from "../distributed/index.js";
import type { Engine } from "../engine/engine.js";
import { frozenNames } from "./freeze.js";
import { type Layout, stepArrays } from "./sharedGradients.js";
import type { TrainState } from "./state.js";

/** True if no process has the whole state: what is done with it then needs all of them. */
export const isDivided = (
  { optimizer_zero }: Pick<RunConfig, "optimizer_zero">,
  { size }: Pick<Communicator, "size">,
): boolean => optimizer_zero && size > 1;

type Sizes = Readonly<Record<string, { size: number }>>;

/**
 * Names of the parameters whose state each process keeps, in the order of the parameters: parts of about as many numbers that are trained.
 * @returns null where every process keeps all
 */
export function ownersOf(
  params: Sizes,
  config: Pick<RunConfig, "optimizer_zero" | "freeze">,
  communicator: Pick<Communicator, "size">,
): string[][] | null {
  if (!isDivided(config, communicator)) return null;
  const { size } = communicator;
  const names = Object.keys(params);
  const frozen = frozenNames(config.freeze, names);
  const weight = (name: string) => (frozen.has(name) ? 0 : params[name].size);
  const total = names.reduce((sum, name) => sum + weight(name), 0);
  const owners: string[][] = Array.from({ length: size }, () => []);
  let before = 0;
  for (const name of names) {
    // by the middle of the parameter, so that no border lies further from its place than half of one
    const middle = before + weight(name) / 2;
    owners[Math.min(size - 1, Math.floor((middle * size) / Math.max(1, total)))].push(name);
    before += weight(name);
  }
  return owners;
}

/** Gives the parameters that each process has updated to the others; `state.params` takes those of the others. */
export async function gatherParameters(
  engine: Engine,
  communicator: Communicator,
  { params }: TrainState,
  { names, at, ends, own: [from, to] }: Layout,
): Promise<void> {
  const [values] = stepArrays(communicator, 1, at[names.length]);
  const tensors = (list: readonly string[]) => list.map((name) => params[name]);
  await engine.copyOut(tensors(names.slice(from, to)), values.subarray(at[from], at[to]));
  await communicator.gatherParts(values, ends, "all");
  for (const [first, last] of [
    [0, from],
    [to, names.length],
  ]) {
    const others = names.slice(first, last);
    const renewed = await engine.copyIn(tensors(others), values.subarray(at[first], at[last]));
    for (const [i, name] of others.entries()) params[name] = renewed[i];
  }
}
