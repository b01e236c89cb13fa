/** Who does what of a task that several threads share: whoever is free takes the next part. */

/** [the next part, who took part 0, part 1, ...], in memory that all of them see */
export type Parts = Int32Array;

/** Parts of a task, at most. */
export const MOST_PARTS = 4096;

/** Gives the number of the part that is to be done next; null: none is left. */
export type Claim = () => number | null;

/**
 * Takes parts of a task for one thread.
 * @param who 0 is the main thread
 */
export const claimer =
  (parts: Parts, count: number, who: number): Claim =>
  () => {
    const part = Atomics.add(parts, 0, 1);
    if (part >= count) return null;
    parts[1 + part] = who;
    return part;
  };
