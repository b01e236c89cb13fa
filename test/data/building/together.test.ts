/** Building by several processes, here within one: what they say to each other is handed over by promises. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Team, type Voice } from "../../../src/data/building/team.js";
import { rechunkStore } from "../../../src/data/rechunk/index.js";
import { makeWaves } from "../../../src/data/waves.js";
import { AtmorepError } from "../../../src/errors.js";
import { filesOf } from "../../support/filesOf.js";
import { temporaryFolder } from "../support.js";

const folder = temporaryFolder();
afterAll(folder.remove);
const path = (name: string) => join(folder.path, name);

/** As many voices, whose `gather` ends once all have called it. */
function voices(size: number): Voice[] {
  let said: unknown[] = [];
  let waiting: ((all: unknown[]) => void)[] = [];
  return Array.from({ length: size }, (_, rank) => ({
    rank,
    size,
    gather: <T>(value: T) =>
      new Promise<T[]>((resolve) => {
        said[rank] = JSON.parse(JSON.stringify(value ?? null));
        waiting.push(resolve as (all: unknown[]) => void);
        if (waiting.length < size) return;
        const [all, told] = [said, waiting];
        [said, waiting] = [[], []];
        for (const tell of told) tell(all);
      }),
  }));
}

const NEVER = new AbortController().signal;
const teams = (size: number, signals: AbortSignal[] = []) =>
  voices(size).map((voice, rank) => new Team(voice, signals[rank] ?? NEVER));

const LAYOUT = { chunks: { time: 2, field: 1, level: 1 } };
let whole: Record<string, string>;
beforeAll(async () => {
  await makeWaves(path("waves.zarr"), { days: 6, res: [15, 15], levels: [96, 137] });
  await rechunkStore(path("waves.zarr"), path("whole.zarr"), LAYOUT);
  whole = filesOf(path("whole.zarr"));
});

describe("a team", () => {
  it("goes from stage to stage together, and tells each what all gave", async () => {
    const order: string[] = [];
    const all = await Promise.all(
      teams(3).map(async (team) => {
        const values = await team.stage(async () => {
          await pause(team.rank * 20);
          order.push(`first ${team.rank}`);
          return team.rank === 1 ? undefined : team.rank;
        });
        order.push("second");
        return values;
      }),
    );
    expect(order).toEqual(["first 0", "first 1", "first 2", "second", "second", "second"]);
    expect(all).toEqual(Array(3).fill([0, null, 2]));
  });

  it("ends with the error of the first that fails, once the work of all has ended", async () => {
    const ended: number[] = [];
    const fault = new AtmorepError("input", "no such value", { where: "u", found: { step: 3 }, fix: "Look" });
    const group = teams(3);
    const outcomes = await Promise.allSettled(
      group.map((team) =>
        team.stage(
          async (signal) => {
            if (team.rank > 0) await pause(30);
            if (team.rank > 0) throw team.rank === 1 ? fault : new Error("later");
            await new Promise((resolve) => signal.addEventListener("abort", resolve));
            await pause(30);
            ended.push(team.rank);
          },
          { mendable: () => false },
        ),
      ),
    );
    expect(ended).toEqual([0]);
    for (const [rank, outcome] of outcomes.entries()) {
      const { reason } = outcome as PromiseRejectedResult;
      expect([reason.message, reason.code]).toEqual([fault.message, "input"]);
      expect(group[rank].failure).toMatchObject({ rank: 1, mendable: false, signal: null });
    }
  });

  it("ends where one fails between two stages, or is told to stop while it waits for the others", async () => {
    const [a, b] = teams(2);
    const waits = a.stage(async () => null);
    const fault = new Error("not in a stage");
    expect(await b.fail(fault)).toBe(fault);
    await expect(waits).rejects.toThrow("not in a stage");
    expect(await b.fail(new Error("again"))).toMatchObject({ message: "again" });

    const stop = new AbortController();
    const [c, d] = teams(2, [stop.signal]);
    const works = d.stage((signal) => pause(60_000, null, { signal }));
    const done = c.stage(async () => null);
    stop.abort("SIGTERM");
    await expect(done).rejects.toThrow("stopped");
    await expect(works).rejects.toThrow("stopped");
    expect([c.failure?.signal, d.failure?.signal]).toEqual(["SIGTERM", "SIGTERM"]);
  });

  it("ends where a process is lost", async () => {
    const [a] = teams(1);
    const gone = new Error("process 1 is gone");
    const team = new Team({ rank: 0, size: 2, gather: () => Promise.reject(gone) }, NEVER);
    await expect(team.stage((signal) => pause(60_000, null, { signal }))).rejects.toBe(gone);
    expect([team.isLost, team.failure]).toEqual([true, null]);
    expect(await team.fail(gone)).toBe(gone);
    expect(await a.stage(async () => 1)).toEqual([1]);
  });
});

describe("a store", () => {
  it.each([1, 2, 3])("has the bytes of one process, by %i; notes and progress are those of the first", async (size) => {
    const out = path(`by${size}.zarr`);
    const progress: number[][] = [];
    const summaries = await Promise.all(
      teams(size).map((team) =>
        rechunkStore(path("waves.zarr"), out, {
          ...LAYOUT,
          team,
          onProgress: (...each) => {
            expect(team.leads).toBe(true);
            progress.push(each);
          },
        }),
      ),
    );
    expect(filesOf(out)).toEqual(whole);
    expect(existsSync(`${out}.unfinished`)).toBe(false);
    expect(summaries.map(({ unfinished }) => unfinished)).toEqual(Array(size).fill(null));
    const [done, total, before] = progress[progress.length - 1];
    expect([done, before]).toEqual([total, 0]);
  });

  it("that was stopped goes on with as many processes, and is refused with another number", async () => {
    const out = path("stopped.zarr");
    const stops = [new AbortController(), new AbortController()];
    const group = teams(
      2,
      stops.map(({ signal }) => signal),
    );
    const works = Promise.allSettled(group.map((team) => rechunkStore(path("waves.zarr"), out, { ...LAYOUT, team })));
    const journal = join(`${out}.unfinished`, "part-2-of-2.jsonl");
    while (!existsSync(journal) || statSync(journal).size === 0) await new Promise(setImmediate);
    stops[1].abort("SIGINT");
    const outcomes = await works;
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    const { reason } = outcomes[0] as PromiseRejectedResult;
    expect(reason.message).toMatch(/^data rechunk was stopped; found [1-9]\d* of \d+ parts of the work done, kept in/);
    const again = (size: number) =>
      Promise.all(teams(size).map((team) => rechunkStore(path("waves.zarr"), out, { ...LAYOUT, team })));
    await expect(again(3)).rejects.toThrow(/found 2 parts, now 3\. Go on with 2 processes/);
    await again(2);
    expect(filesOf(out)).toEqual(whole);
  });

  it("that one of them asks for otherwise is not begun", async () => {
    const out = path("other.zarr");
    const group = teams(2);
    const asked = [LAYOUT, { chunks: { time: 3 } }];
    const outcomes = await Promise.allSettled(
      group.map((team) => rechunkStore(path("waves.zarr"), out, { ...asked[team.rank], team })),
    );
    const message = /unfinished work of another request/;
    for (const outcome of outcomes) expect((outcome as PromiseRejectedResult).reason.message).toMatch(message);
    expect(readdirSync(folder.path).filter((name) => name.startsWith("other"))).toEqual([]);
  });
});
