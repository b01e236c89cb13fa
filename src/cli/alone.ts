/** Commands that work in one process refuse to do the same several times, perhaps into one folder. */
import type { Command } from "commander";
import { launchOf } from "../distributed/index.js";
import { AtmorepError } from "../errors.js";

/** `train` trains together, `evaluate` predicts together; `doctor` looks at each process's machine. */
const TOGETHER = new Set(["train", "evaluate", "doctor"]);

/**
 * @param command that is about to act
 * @throws AtmorepError (usage) if mpirun or srun has started several of it, and none is told to do a part
 */
export function assertAlone(command: Command, env: Readonly<Record<string, string | undefined>> = process.env): void {
  const names: string[] = [];
  for (let at: Command | null = command; at?.parent; at = at.parent) names.unshift(at.name());
  const launch = launchOf(env);
  if (!launch || (TOGETHER.has(names[0]) && command.opts().results === undefined) || command.opts().part !== undefined)
    return;
  const parts = command.options.some(({ long }) => long === "--part");
  throw new AtmorepError("usage", `atmorep ${names.join(" ")} works in one process`, {
    where: launch.variable,
    found: `${launch.size} processes`,
    fix: parts
      ? "Start one, or give each a part of its own: --part i/N, and data finalise when all are done."
      : "Start one (srun -n 1, or without mpirun).",
  });
}
