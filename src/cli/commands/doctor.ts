/** `atmorep doctor` */
import type { Command } from "commander";
import { diagnose } from "../../doctor/index.js";
import { formatTable, print, printJson, withExamples } from "../output.js";

export function registerDoctor(program: Command): void {
  const command = program
    .command("doctor")
    .description("check this machine and say what to do about what is missing")
    .option("--json", "print one JSON document")
    .action(doctorAction);
  withExamples(command, ["doctor", "doctor --json"]);
}

async function doctorAction(flags: { json?: boolean }): Promise<void> {
  const checks = await diagnose();
  const problems = checks.filter((check) => check.status === "problem").length;
  if (flags.json) {
    printJson({ checks, problems });
  } else {
    const lines = formatTable(checks.map(({ name, status, found }) => [status, name, found]));
    for (const [i, line] of lines.entries()) {
      print(line);
      if (checks[i].fix) print(`           -> ${checks[i].fix}`);
    }
    print();
    print(
      problems === 0
        ? "Ready to train: npx atmorep train"
        : `${problems} problem${problems > 1 ? "s" : ""} to solve first.`,
    );
  }
  if (problems > 0) process.exitCode = 1;
}
