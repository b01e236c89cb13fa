import { expect, it } from "vitest";
import { fairThreads, type Place } from "../../src/training/threads.js";

const place = (host: string, bound: string, cores: number, own = false): Place => ({ host, bound, cores, own });

it.each([
  ["two that may run on the same eight cores", [place("a", "0-7", 8), place("a", "0-7", 8)], 4],
  ["two that the launcher binds apart", [place("a", "0-3", 4), place("a", "4-7", 4)], 4],
  ["two machines", [place("a", "0-7", 8), place("b", "0-7", 8)], 8],
  ["machines of other sizes: the same for all", [place("a", "0-7", 8), place("b", "0-3", 4), place("b", "0-3", 4)], 2],
  ["more processes than cores", [place("a", "0", 1), place("a", "0", 1)], 1],
  ["tasks of srun -c 6 that nothing binds", [place("a", "0-15", 6, true), place("a", "0-15", 6, true)], 6],
])("%s", (_, places, threads) => {
  expect(fairThreads(places)).toBe(threads);
});
