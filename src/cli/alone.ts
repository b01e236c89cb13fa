/** Commands that work in one process refuse to do the same several times, perhaps into one folder. */
import type { Command } from "commander";
import { launchOf } from "../distributed/index.js";
import { AtmorepError } from "../errors.js";

/**
 * `train` trains together, `evaluate` predicts together, data commands build together, or each the part that it is told;
 * `doctor` looks at each process's machine.
 */
const TOGETHER = new Set(["train", "evaluate", "data import", "data normalize", "data rechunk", "doctor"]);

/**
 * @param command that is about to act
 * @throws AtmorepError (usage) if mpirun or srun has started several of it
 */
export function assertAlone(command: Command, env: Readonly<Record<string, string | undefined>> = process.env): void {
  const names: string[] = [];
  for (let at: Command | null = command; at?.parent; at = at.parent) names.unshift(at.name());
  const name = names.join(" ");
  const launch = launchOf(env);
  if (!launch || (TOGETHER.has(name) && command.opts().results === undefined)) return;
  throw new AtmorepError("usage", `atmorep ${name} works in one process`, {
    where: launch.variable,
    found: `${launch.size} processes`,
    fix: "Start one (srun -n 1, or without mpirun).",
  });
}
