/** `runs show`: what made a run; `runs verify ID`, `runs reproduce ID`. */
import type { Command } from "commander";
import { loadCheckpoint } from "../../runs/checkpoint.js";
import { runFolder } from "../../runs/folder.js";
import { type MadeBy, madeByRows } from "../../runs/madeBy.js";
import { verifyRun } from "../../runs/verifyRun.js";
import { note, print, printJson, withExamples } from "../output.js";
import { stopOnSignals } from "../signals.js";

interface Flags {
  out: string;
  json?: boolean;
}

export function registerVerifyAndReproduce(runs: Command, addFlags: (command: Command) => Command): void {
  const verify = addFlags(
    runs.command("verify").description("compare weights, checkpoints and data with their digests"),
  )
    .argument("<id>", "run id, 8 characters of a-z and 0-9")
    .option("--no-data", "leave out the data that the run has read")
    .action(async (id: string, _: unknown, command: Command) =>
      verifyAction(id, command.optsWithGlobals<Flags & { data: boolean }>()),
    );
  withExamples(verify, ["runs verify ab12cd34", "runs verify ab12cd34 --no-data"]);
  const reproduce = addFlags(
    runs.command("reproduce").description("run it again, aside: equal to the bit, or where it first differs"),
  )
    .argument("<id>", "run id, 8 characters of a-z and 0-9")
    .action(async (id: string, _: unknown, command: Command) => reproduceAction(id, command.optsWithGlobals<Flags>()));
  withExamples(reproduce, ["runs reproduce ab12cd34"]);
}

/** Lines for a person. */
export const provenanceLines = (told: MadeBy | null): string[] =>
  madeByRows(told).map(([what, how]) => `${what.padEnd(9)} ${how}`);

async function verifyAction(id: string, { out, json, data }: Flags & { data: boolean }): Promise<void> {
  const files = [];
  for await (const file of verifyRun(out, id, data)) {
    files.push(file);
    if (!json)
      print(`${file.status === "none" ? "no digest" : file.status}  ${file.what}${file.told ? `: ${file.told}` : ""}`);
  }
  const wrong = files.filter(({ status }) => status === "changed" || status === "missing").length;
  if (json) printJson({ id, files, wrong });
  else print(wrong === 0 ? `${files.length} checked, none differs` : `${wrong} of ${files.length} differ`);
  if (wrong > 0) process.exitCode = 1;
}

async function reproduceAction(id: string, { out, json }: Flags): Promise<void> {
  const { step } = (await loadCheckpoint(runFolder(out, id).checkpointDir, "latest")).state;
  const stop = stopOnSignals("ending");
  const { reproduceRun } = await import("../../training/reproduce.js");
  try {
    let told = Date.now();
    const result = await reproduceRun(out, id, {
      signal: stop.signal,
      onEvent(event) {
        if (event.type === "warning") note(`warning: ${event.message}`);
        if (event.type !== "step" || Date.now() - told < 10_000) return;
        told = Date.now();
        note(`step ${event.step} of ${step}`);
      },
    });
    if (!result.equal) process.exitCode = 1;
    if (json) return printJson(result);
    for (const line of result.otherwise) note(`not as it was: ${line}`);
    const { processes } = result;
    if (processes > 1)
      note(
        `${processes} processes trained it; made again in one, which takes ${processes} times the batches to a step`,
      );
    if (result.equal) return print(`equal to the bit: ${result.steps} steps, every row of metrics and every tensor`);
    const { row, tensor } = result;
    if (row) {
      print(
        `differs first at step ${row.step}: ${row.series} is ${JSON.stringify(row.found) ?? "absent"}, was ${JSON.stringify(row.expected)}`,
      );
    } else print("every row of metrics is equal");
    if (tensor) print(`first tensor that differs: ${tensor.name} in ${tensor.file}`);
    else print("every tensor is equal");
  } catch (error) {
    process.exitCode = stop.exitCode() ?? undefined;
    throw error;
  } finally {
    stop.release();
  }
}
