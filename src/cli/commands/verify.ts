/** `atmorep verify DIR` */
import { type Command, Option } from "commander";
import { openEngine } from "../../engine/index.js";
import { formatResult, selectCases, type VerifyOptions, verifyCase } from "../../verify/index.js";
import { collect, note, print, printJson, withExamples } from "../output.js";

interface VerifyFlags {
  case: string[];
  engine: VerifyOptions["engine"];
  compile: boolean;
  json?: boolean;
}

export function registerVerify(program: Command): void {
  const command = program
    .command("verify")
    .description("run every case of a golden folder")
    .argument("<dir>", "folder with one folder a case")
    .option("--case <glob>", "run only the cases whose name matches (repeatable)", collect, [])
    .addOption(
      new Option("--engine <name>", "engine to compute on").choices(["auto", "native", "wasm"]).default("auto"),
    )
    .option("--no-compile", "run the native engine operation by operation, as ATMOREP_COMPILE=0 does")
    .option("--json", "print one JSON document instead of lines")
    .action(verifyAction);
  withExamples(command, [
    "verify test/golden",
    "verify test/golden --case 'mask_*' --case net_dense",
    "verify test/golden --engine native --no-compile",
  ]);
}

async function verifyAction(dir: string, flags: VerifyFlags): Promise<void> {
  const names = await selectCases(dir, flags.case);
  if (!flags.compile) process.env.ATMOREP_COMPILE = "0";
  const { name, description, compiles, instead } = await openEngine(flags.engine);
  if (instead?.reason === "unusable") note(`warning: ${instead.text}`);
  note(`engine: ${description}${name === "wasm" ? "" : compiles ? ", compiled" : ", operation by operation"}`);
  const results = [];
  for (const name of names) {
    const result = await verifyCase(dir, name, { engine: flags.engine });
    results.push(result);
    if (!flags.json) print(formatResult(result));
  }
  const passed = results.filter((result) => result.ok).length;
  const failed = results.length - passed;
  if (flags.json) printJson({ cases: results, passed, failed });
  else print(`${passed} passed, ${failed} failed`);
  if (failed > 0) process.exitCode = 1;
}
