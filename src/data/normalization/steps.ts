/** Which times statistics are computed from. */
import { defaultRng } from "../../random/index.js";
import type { Store } from "../storeTypes.js";
import { mostOf } from "../zarr/array.js";

const MONTHS = 12;

/**
 * So many of some steps, as many of each calendar month as there are, or as near to it as can be, taken from few chunks:
 * a source that decodes many times together would else be read whole for a few of them. Within a month the chunks are one
 * of each of equal parts, drawn from a fixed seed, so that the months are of different years; within a chunk the steps
 * are one of each of equal parts, so that no hour of the day is preferred.
 * @param steps time indices, ascending
 * @param together consecutive time indices that are decoded together
 */
export function evenSteps(
  store: Pick<Store, "calendar">,
  steps: readonly number[],
  most: number,
  together = 1,
): number[] {
  if (steps.length <= most) return [...steps];
  const byMonth = Array.from({ length: MONTHS }, (_, m) =>
    steps.filter((t) => store.calendar.monthOfYear[t] === m + 1),
  ).filter((own) => own.length > 0);
  const chosen: number[] = [];
  let [left, months] = [most, byMonth.length];
  // Months with few steps give all of them; what they leave goes to the others.
  for (const own of [...byMonth].sort((a, b) => a.length - b.length)) {
    const take = Math.min(own.length, Math.floor(left / months));
    const random = defaultRng([0, store.calendar.monthOfYear[own[0]]]);
    const from = together > 1 ? fewChunks(own, take, together, (n) => random.random(n)) : own;
    chosen.push(...oneOfEach(from, take, random.random(take)));
    left -= take;
    months -= 1;
  }
  return chosen.sort((a, b) => a - b);
}

/** The steps of as few chunks as hold `take` of them; of the chunks that hold the most. */
function fewChunks(
  own: readonly number[],
  take: number,
  together: number,
  random: (n: number) => ArrayLike<number>,
): number[] {
  const chunks = new Map<number, number[]>();
  for (const t of own) {
    const chunk = Math.floor(t / together);
    const steps = chunks.get(chunk);
    if (steps) steps.push(t);
    else chunks.set(chunk, [t]);
  }
  const fullest = mostOf(chunks.values(), ({ length }) => length);
  const full = [...chunks.values()].filter(({ length }) => 2 * length > fullest);
  const least = full.reduce((least, { length }) => Math.min(least, length), fullest);
  const count = Math.ceil(take / least);
  // the rest of a month whose full chunks do not suffice
  if (count > full.length) return [...own];
  return oneOfEach(full, count, random(count)).flat();
}

/** One of each of `count` equal parts, at the place that a number from 0 to 1 says. */
function oneOfEach<T>(all: readonly T[], count: number, shares: ArrayLike<number>): T[] {
  const start = (k: number) => Math.floor((k * all.length) / count);
  return Array.from({ length: count }, (_, k) => all[start(k) + Math.floor(shares[k] * (start(k + 1) - start(k)))]);
}
