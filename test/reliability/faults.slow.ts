/**
 * Every command that writes, with a fault at each operation on its files: the n-th fails, the disk is full from there on, or
 * the process is killed; and what a loss of power leaves after each of them. The old state is there or the new, and who
 * comes next goes on. ATMOREP_FAULTS says how many places a command and kind of fault are tried, spread evenly, or `all`.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { atmorep } from "../support/cli.js";
import { type Case, others, stores, together, training } from "./faults/cases.js";
import { Replay, type Tree, type View, writeTree } from "./faults/replay.js";
import { type Fault, watched } from "./faults/shim.js";

const asked = process.env.ATMOREP_FAULTS ?? "1";
const COUNT = asked === "all" ? Number.POSITIVE_INFINITY : Number(asked);
const KINDS: readonly Fault[] = ["eio", "full", "kill"];
const VIEWS: readonly View[] = ["synced", "names", "zeros", "killed"];

const root = mkdtempSync(join(tmpdir(), "atmorep-faults-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const GROUPS = { training, together, stores, others };
const NAMES: Record<keyof typeof GROUPS, string[]> = {
  training: ["train", "train --continue --in-place"],
  together: ["train, two processes"],
  stores: ["data import", "data import --overwrite", "data import to a zip file", "data normalize", "data rechunk"],
  others: [
    "weights convert to safetensors",
    "weights convert to PyTorch, over another file",
    "runs report",
    "engine install, over another version",
    "evaluate",
  ],
};

/** `count` of `total` numbers from 0, spread evenly; `phase`, between 0 and 1, moves them, so that kinds have other ones. */
const spread = (total: number, count: number, phase: number): number[] =>
  count >= total
    ? Array.from({ length: total }, (_, i) => i)
    : Array.from({ length: count }, (_, i) => Math.floor(((i + phase) * total) / count));

const phaseOf = <T>(list: readonly T[], item: T): number => (list.indexOf(item) + 0.5) / list.length;

beforeAll(async () => {
  const { code, stderr } = await atmorep(["--version"]);
  expect(code, stderr).toBe(0);
});

for (const [group, make] of Object.entries(GROUPS) as [keyof typeof GROUPS, (root: string) => Promise<Case[]>][]) {
  describe(group, () => {
    let cases: Case[] = [];
    beforeAll(async () => {
      cases = await make(join(root, group));
    });

    it.each(NAMES[group])("%s", async (name) => {
      const own = cases.find((known) => known.name === name) as Case;
      const tried = { power: 0, eio: 0, full: 0, kill: 0 };
      const faults: string[] = [];
      const reset = (tree: Tree) => {
        rmSync(own.folder, { recursive: true, force: true });
        writeTree(own.folder, tree);
      };
      const tell = (text: string) => {
        faults.push(text);
        console.error(`${name}: ${text}`);
      };
      const note = (where: string) => (error: Error) => tell(`${where}: ${error.message}`);

      reset(own.before);
      const log = join(root, `${group}.log`);
      rmSync(log, { force: true });
      const whole = await watched(own.line, own.folder, { log, env: own.env });
      expect(whole.code, whole.stderr).toBe(0);
      await own.check({ ended: true, promised: true }).catch(note("no fault"));

      for (const { tree, where, reached } of await states(log, own.before)) {
        reset(tree);
        tried.power += 1;
        await own.check(reached).catch(note(where));
      }
      for (const what of KINDS) {
        for (const place of spread(whole.operations, COUNT, phaseOf(KINDS, what))) {
          reset(own.before);
          const fault = { at: place + 1, what };
          const outcome = await watched(own.line, own.folder, { fault, env: own.env });
          tried[what] += 1;
          const where = `${what} at ${place + 1} of ${whole.operations}`;
          if (what !== "kill" && outcome.code !== 0 && !/^(error: |\{"type":"error"|\{"error")/m.test(outcome.stderr)) {
            tell(`${where}: exit ${outcome.code} ${outcome.signal ?? ""}, ${outcome.stderr.slice(-400)}`);
          }
          const promised = outcome.stdout.includes('"type":"started"');
          await own.check({ ended: outcome.code === 0, promised }).catch(note(where));
        }
      }
      const { power, eio, full, kill } = tried;
      const all = power + eio + full + kill;
      console.log(
        `${name}: ${whole.operations} operations; ${power} states after a loss of power or a kill, ${eio} failures, ` +
          `${full} full disks, ${kill} kills; ${all} tried, ${all - faults.length} survived`,
      );
      expect(faults.join("\n")).toBe("");
    });
  });
}

interface State {
  tree: Tree;
  where: string;
  reached: { ended: boolean; promised: boolean };
}

/** The states that a loss of power may leave after any operation, each once, or some of each kind. */
async function states(log: string, before: Tree): Promise<State[]> {
  const found: State[] = [];
  for (const view of VIEWS) {
    const replay = new Replay(log, before);
    const all: State[] = [];
    let promised = false;
    let last: Tree | null = null;
    let number = 0;
    for (let step = replay.next(); step !== null; step = replay.next()) {
      if (step.printed !== null) {
        const isFirst: boolean = !promised && step.printed.includes('"type":"started"');
        promised ||= isFirst;
        if (!isFirst) continue;
      } else number += 1;
      const tree = replay.tree(view);
      if (last && isSame(tree, last) && step.printed === null) continue;
      last = tree;
      all.push({ tree, where: `${view} after ${number} (${step.text})`, reached: { ended: false, promised } });
    }
    found.push(...spread(all.length, COUNT, phaseOf(VIEWS, view)).map((i) => all[i]));
    found.push({ tree: replay.tree(view), where: `${view} at the end`, reached: { ended: true, promised } });
  }
  return found;
}

/** The same bytes, but for a run's console log, which nothing goes on from. */
function isSame(a: Tree, b: Tree): boolean {
  if (a.size !== b.size) return false;
  for (const [path, bytes] of a) {
    const other = b.get(path);
    if (other === undefined || path.endsWith("/console.log")) {
      if (other === undefined) return false;
      continue;
    }
    if (bytes !== other && !(bytes && other && bytes.equals(other))) return false;
  }
  return true;
}
