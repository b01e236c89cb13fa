/** Commands whose work several processes share: the first speaks for all, and all end with one exit code. */
import { hostname } from "node:os";
import { defaultMemory } from "../data/building/memory.js";
import { Team } from "../data/building/team.js";
import { openCommunicator } from "../distributed/index.js";
import { isAtmorepError } from "../errors.js";
import { endAll } from "./endAll.js";
import { note, reportError } from "./output.js";
import { EXIT_CODES, stopOnSignals } from "./signals.js";

/** What a process has of its machine, which it may share with others of the team. */
export interface Shares {
  cores: number;
  memory: number;
}

/** So that launchers, which end all once one has ended, have passed on what was said. */
const PASSED_ON_MS = 300;

/**
 * Does `work` in every process that mpirun or srun has started. Errors and signals end all of them, as one process ends; the first tells it.
 * @returns null if it was stopped or has failed, and in all processes but the first
 */
export async function together<T>(
  json: boolean,
  work: (team: Team, signal: AbortSignal, shares: Shares) => Promise<T>,
): Promise<T | null> {
  const communicator = await openCommunicator((text) => note(`warning: ${text}`), "building");
  const stop = stopOnSignals(null);
  const team = new Team(communicator, stop.signal);
  try {
    const { threadsOfEach } = await import("../training/threads.js");
    const cores = (await threadsOfEach(communicator)) ?? 1;
    const hosts = await communicator.gather(hostname());
    const memory = defaultMemory(hosts.filter((host) => host === hostname()).length);
    const result = await work(team, stop.signal, { cores, memory });
    // whoever fails after the work is done fails all
    await team.stage(async () => null, { finishes: true });
    await communicator.close();
    stop.release();
    return team.leads ? result : null;
  } catch (given) {
    const error = await team.fail(given);
    const { failure } = team;
    if (failure === null) {
      await endAll(communicator, error, json, stop.exitCode());
      throw error;
    }
    const code = EXIT_CODES[failure.signal as keyof typeof EXIT_CODES] ?? (isAtmorepError(error) ? error.exitCode : 1);
    if (team.leads) {
      if (failure.signal !== null) note((error as Error).message);
      else {
        if (failure.rank > 0 && !json) note(`process ${failure.rank} of ${team.size}:`);
        reportError(error, json);
      }
      await new Promise((resolve) => setTimeout(resolve, PASSED_ON_MS));
    }
    await communicator.close();
    process.exitCode = code;
    return null;
  }
}
