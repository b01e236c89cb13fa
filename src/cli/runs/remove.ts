/** `runs rm ID...`, `runs prune [ID...]` */
import type { Command } from "commander";
import { AtmorepError } from "../../errors.js";
import { planPruning, planRemoval, type RemovalPlan, remove } from "../../runs/remove.js";
import { ask, canAsk } from "../ask.js";
import { note, print, printJson, withExamples } from "../output.js";

interface Flags {
  out: string;
  json?: boolean;
  yes?: boolean;
}

export function registerRemoval(runs: Command, addFlags: (command: Command) => Command): void {
  const rm = addFlags(runs.command("rm").description("remove runs with all their files; asks first"))
    .argument("<ids...>", "run ids")
    .option("--yes", "do not ask")
    .action(async (ids: string[], _: unknown, command: Command) => {
      const flags = command.optsWithGlobals<Flags>();
      await carryOut(await planRemoval(flags.out, ids), flags);
    });
  withExamples(rm, ["runs rm ab12cd34", "runs rm ab12cd34 ef56gh78 --yes"]);
  const prune = addFlags(
    runs.command("prune").description("remove numbered weights and former checkpoints of runs at rest; asks first"),
  )
    .argument("[ids...]", "run ids; default: every run")
    .option("--keep <n>", "keep the weights of the newest n epochs", "0")
    .option("--yes", "do not ask")
    .action(async (ids: string[], _: unknown, command: Command) => {
      const flags = command.optsWithGlobals<Flags & { keep: string }>();
      if (!/^\d{1,6}$/.test(flags.keep)) {
        throw new AtmorepError("usage", "not a number of epochs", { where: "--keep", found: flags.keep });
      }
      await carryOut(await planPruning(flags.out, ids, Number(flags.keep)), flags);
    });
  withExamples(prune, ["runs prune", "runs prune ab12cd34 --keep 2 --yes"]);
}

async function carryOut(plan: RemovalPlan, { out, json, yes }: Flags): Promise<void> {
  for (const { id, why } of plan.kept) note(`${id} stays as it is: ${why}`);
  const removed = plan.removals.length > 0 && (await agreed(plan, Boolean(yes)));
  if (removed) await remove(out, plan);
  if (json) return printJson({ ...plan, removed });
  if (plan.removals.length === 0) return note("nothing to remove");
  if (!removed) return note("nothing was removed");
  for (const { id, paths, bytes } of plan.removals) print(`${id}  ${paths.length} removed, ${megabytes(bytes)}`);
}

const megabytes = (bytes: number): string => `${(bytes / 1e6).toFixed(1)} MB`;

/** @throws AtmorepError (usage) if nobody can be asked */
async function agreed({ removals }: RemovalPlan, yes: boolean): Promise<boolean> {
  if (yes) return true;
  if (!canAsk()) {
    throw new AtmorepError("usage", "this removes files, and there is no terminal to ask at", {
      found: removals.map(({ id }) => id).join(", "),
      fix: "With --yes it is not asked.",
    });
  }
  for (const { id, paths, bytes } of removals) {
    const what = paths.length > 4 ? [...paths.slice(0, 3), `and ${paths.length - 3} more`] : paths;
    note(`${id}, ${megabytes(bytes)}: ${what.join(", ")}`);
  }
  const answer = await ask("Runs in other folders that start from these are not known. Remove? [y/N] ");
  if (answer === null) note("");
  return /^y(es)?$/i.test(answer ?? "");
}
