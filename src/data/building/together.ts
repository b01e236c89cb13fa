/** Building by the processes of a team: each works a part, the first begins and finishes. */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { hostname } from "node:os";
import { resolve } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { AtmorepError } from "../../errors.js";
import { WHOLE } from "../../parts.js";
import { finish } from "./finish.js";
import {
  allResults,
  bytesOf,
  canGoOn,
  doneOfAll,
  goesOn,
  isKept,
  stopped,
  type TakenPart,
  takeUnits,
  workPart,
  writeFault,
} from "./part.js";
import type { Team } from "./team.js";
import type { BuildOptions, Built, Request } from "./types.js";
import {
  compare,
  lockOf,
  readStored,
  removeUnfinished,
  type Stored,
  settle,
  storedOf,
  unfinishedFolder,
} from "./unfinished.js";

/** What every call that builds does first: ends what an earlier one has left but for its end. */
export async function settleFirst(out: string, { team, note }: BuildOptions): Promise<void> {
  if (!team) await settle(out, note);
  else await team.stage(async () => void (team.leads && (await settle(out, note))));
}

/** As `build`; every process of the team calls it with the same request. The results are those of the first. */
export async function buildTogether(request: Request, options: BuildOptions, team: Team): Promise<Built> {
  const { note, onProgress } = options;
  const { units } = request;
  const part = { number: team.rank + 1, of: team.size };
  const own: { taken?: TakenPart; results?: unknown[]; isWorking?: boolean } = {};
  try {
    const [first] = await team.stage(async () => (team.leads ? begin(request, { ...options, part }, own) : null));
    await team.stage(async () => void (first && !team.leads && (await requireSame(first, request, team))));
    let progress = { done: 0, total: bytesOf(request, part), before: 0 };
    const counts = await team.stage(
      async (signal) => {
        own.taken ??= await takeUnits(request, { ...options, part, restart: false, note: undefined });
        own.isWorking = true;
        try {
          const show = (done: number, total: number, before: number) => {
            progress = { done, total, before };
          };
          await workPart(request, own.taken, { ...options, signal, onProgress: show });
        } finally {
          // before the first removes the folder
          if (!team.leads) await own.taken.lock.release();
        }
        return { before: own.taken.before, jobs: own.taken.share.jobs };
      },
      {
        mendable: (error) => !own.isWorking || canGoOn(error, request),
        progress: () => progress,
        heard: (all) => team.leads && onProgress?.(...sumOf(all)),
      },
    );
    await team.stage(async () => void (team.leads && (await end(request, own))), {
      finishes: true,
      mendable: (error) => canGoOn(error, request),
    });
    const before = counts.reduce((sum, each) => sum + each.before, 0);
    return {
      unfinished: null,
      results: own.results ?? null,
      units: units.length,
      before,
      jobs: counts[team.rank].jobs,
    };
  } catch (error) {
    throw own.taken && team.leads ? await giveUp(request, own.taken, team, error, note) : error;
  }
}

/** Keeps what the same call can go on from, once the others have ended, and removes all else. @returns what to throw */
async function giveUp(
  request: Request,
  { folder, lock, stored }: TakenPart,
  { failure, isLost }: Team,
  error: unknown,
  note: BuildOptions["note"],
): Promise<unknown> {
  // finished but for its lock: nothing is kept, and nothing left to remove
  if (!existsSync(folder)) return error;
  const done = (await doneOfAll(stored, folder)).size;
  const isStopped = failure !== null && failure.signal !== null;
  const isMendable = isStopped || isLost || (done > 0 && failure?.mendable);
  if (isMendable) await lock.release();
  else await removeUnfinished(request.out, lock);
  if (isStopped) return stopped(request, WHOLE, done, request.units.length, folder);
  if (isMendable) note?.(isKept(done, request.units.length, folder));
  return error;
}

interface Begun {
  host: string;
  folder: string;
  /** what stands in the first one's lock, which no other has */
  lock: string;
}

async function begin(request: Request, options: BuildOptions, own: { taken?: TakenPart }): Promise<Begun> {
  own.taken = await takeUnits(request, options);
  const { folder, part, stored, fresh } = own.taken;
  const before = fresh ? 0 : (await doneOfAll(stored, folder)).size;
  if (before > 0) options.note?.(goesOn(before, request.units.length, folder));
  return { host: hostname(), folder: resolve(folder), lock: await readFile(lockOf(folder, part), "utf8") };
}

async function end({ out }: Request, own: { taken?: TakenPart; results?: unknown[] }): Promise<void> {
  const { stored, folder, lock } = own.taken as TakenPart;
  try {
    own.results = await allResults(stored, folder);
    await finish(stored, out, own.results);
    await removeUnfinished(out, lock);
  } catch (error) {
    throw writeFault(error, folder);
  }
}

/** What is written on one machine may be seen on another a moment later. */
const PATIENCE_MS = 5000;

/** @throws AtmorepError (usage) if this process sees another folder than the first has begun, or has another request */
async function requireSame({ host, folder, lock }: Begun, request: Request, { rank, size }: Team): Promise<void> {
  const seen = resolve(unfinishedFolder(request.out));
  const file = lockOf(seen, { number: 1, of: size });
  const until = Date.now() + PATIENCE_MS;
  while ((await readFile(file, "utf8").catch(() => null)) !== lock) {
    if (Date.now() > until) {
      throw new AtmorepError("usage", "the processes do not see one folder, in which they would build together", {
        where: seen,
        found: `process ${rank} on ${hostname()} does not see there what process 0 on ${host} has begun in ${folder}`,
        fix: "Choose a path of a file system that all machines share, or start one process",
      });
    }
    await pause(100);
  }
  compare(seen, (await readStored(seen)) as Stored, storedOf(request, await request.sources(), size));
}

function sumOf(all: readonly { done: number; total: number; before: number }[]): [number, number, number] {
  const sum = (of: "done" | "total" | "before") => all.reduce((total, each) => total + each[of], 0);
  return [sum("done"), sum("total"), sum("before")];
}
