/** Options of the data commands that build: workers, memory, parts; and how their work is shown and stopped. */
import { type Command, InvalidArgumentError } from "commander";
import { parseMemory } from "../../data/building/memory.js";
import type { Team } from "../../data/building/team.js";
import { launchOf } from "../../distributed/index.js";
import { AtmorepError, isAtmorepError } from "../../errors.js";
import { type Part, parsePart } from "../../parts.js";
import { parseCount } from "../output.js";
import { ByteProgress } from "../progress.js";
import { stoppable } from "../stoppable.js";
import { type Shares, together } from "../together.js";

export interface WorkFlags {
  jobs?: number;
  memory?: number;
  part?: Part;
  restart?: boolean;
  json?: boolean;
}

/** What `build` takes of the command line. */
export interface WorkOptions {
  jobs: number | null;
  memory: number | null;
  part: Part | null;
  /** the processes that mpirun or srun has started, unless each is told its part */
  team: Team | null;
  cores: number | null;
  restart: boolean;
  signal: AbortSignal;
  onProgress(done: number, total: number, before: number): void;
  note(line: string): void;
}

/** Adds the options that all of them take. */
export function withWork<C extends Command>(command: C): C {
  return command
    .option("--jobs <n>", "workers (default: as many as there are cores and memory for)", parseCount)
    .option(
      "--memory <size>",
      "bound of the memory taken, such as 2GiB (default: a quarter of the machine's)",
      (text) => asArgument(() => parseMemory(text)),
    )
    .option("--part <i/N>", "this part of the work only; data finalise ends it when all are done", (text) =>
      asArgument(() => parsePart(text)),
    )
    .option("--restart", "throw away what an earlier call that did not end has done") as C;
}

function asArgument<T>(parse: () => T): T {
  try {
    return parse();
  } catch (error) {
    if (isAtmorepError(error)) throw new InvalidArgumentError(`Expected ${error.details.expected}.`);
    throw error;
  }
}

/**
 * Does the work with its progress shown.
 * @returns null if a signal stopped it, and where several processes have done it together in all but the first
 */
export async function worked<T>(
  what: string,
  { jobs, memory, part, restart = false, json = false }: WorkFlags,
  work: (options: WorkOptions) => Promise<T>,
): Promise<T | null> {
  if (restart && part && part.of > 1) {
    throw new AtmorepError("usage", "one part cannot throw away the work of the others", {
      where: "--restart with --part",
      fix: "Remove the .unfinished folder before the parts begin",
    });
  }
  const progress = new ByteProgress(what);
  const doIt = async (signal: AbortSignal, team: Team | null = null, shares?: Shares) => {
    try {
      return await work({
        jobs: jobs ?? null,
        memory: memory ?? shares?.memory ?? null,
        part: part ?? null,
        team,
        cores: shares?.cores ?? null,
        restart,
        signal,
        onProgress: progress.show,
        note: (line) => (team === null || team.leads ? progress.note(line) : undefined),
      });
    } finally {
      progress.end();
    }
  };
  if (part !== undefined || launchOf() === null) return stoppable((signal) => doIt(signal));
  return together(json, (team, signal, shares) => doIt(signal, team, shares));
}

/** After a part: what comes next. */
export const partLine = ({ number, of }: Part, unfinished: string, target: string): string =>
  `part ${number} of ${of} is done, in ${unfinished}; when all are: npx atmorep data finalise ${target}`;
