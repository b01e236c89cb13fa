/**
 * Builds a folder from units: in workers, with a journal that the next same call goes on from, whole or a part of it.
 * What is done stands in `NAME.unfinished` until all is; then it takes the target's place in one step.
 */

import { finish } from "./finish.js";
import type { Entry } from "./journal.js";
import { canGoOn, goesOn, isKept, stopped, takeUnits, workPart, writeFault } from "./part.js";
import { buildTogether } from "./together.js";
import type { BuildOptions, Built, Request } from "./types.js";
import { removeUnfinished } from "./unfinished.js";

/**
 * Works the units that are not done yet, and finishes if all of them are this call's to do, or that of the processes of its team.
 * @throws AtmorepError (usage) if another process is at work on it or another request was begun there; (failed) if it was
 *   stopped or a file cannot be written: the same call then goes on; what a unit throws
 */
export async function build(request: Request, options: BuildOptions = {}): Promise<Built> {
  const { team, signal, note } = options;
  if (team) return buildTogether(request, options, team);
  const taken = await takeUnits(request, options);
  const { part, folder, lock, done, units, before, stored } = taken;
  let removed = false;
  try {
    if (!taken.fresh && before > 0) note?.(goesOn(before, units, folder));
    await workPart(request, taken, options);
    const counts = { units, before, jobs: taken.share.jobs };
    if (part.of > 1) return { unfinished: folder, results: null, ...counts };
    const results = request.units.map((_, unit) => (done.get(unit) as Entry).result);
    await finish(stored, request.out, results);
    await removeUnfinished(request.out, lock);
    removed = true;
    return { unfinished: null, results, ...counts };
  } catch (error) {
    if (signal?.aborted) throw stopped(request, part, done.size, units, folder);
    if (part.of === 1 && !(done.size > 0 && canGoOn(error, request))) {
      await removeUnfinished(request.out, lock);
      removed = true;
    } else note?.(isKept(done.size, units, folder));
    throw writeFault(error, folder);
  } finally {
    if (!removed) await lock.release();
  }
}
