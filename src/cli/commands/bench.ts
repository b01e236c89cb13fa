/** `atmorep bench step` */
import { type Command, Option } from "commander";
import { resolveConfig } from "../../config/index.js";
import type { RunConfig } from "../../config/types.js";
import type { EngineName } from "../../engine/index.js";
import { benchStep } from "../../training/bench.js";
import { collect, formatTable, parseCount, print, printJson, withExamples } from "../output.js";

interface Flags {
  config?: string;
  preset?: string;
  set: string[];
  data?: string;
  repeats: number;
  engine: "auto" | EngineName;
  json?: boolean;
}

export function registerBench(program: Command): void {
  const bench = program.command("bench").description("time batch preparation, the train step and reading");
  withExamples(bench, ["bench step --preset storm", "bench step --config small.json --repeats 20 --json"]);
  const step = addFlags(bench.command("step").description("one optimiser step on random batches; opens no store"))
    .addOption(
      new Option("--engine <name>", "engine to compute on").choices(["auto", "native", "wasm"]).default("auto"),
    )
    .action(stepAction);
  withExamples(step, ["bench step --preset storm", "bench step --config small.json --set batch_size=2 --json"]);
}

function addFlags(command: Command): Command {
  return command
    .option("--config <file>", "configuration file (default: the storm preset)")
    .option("--preset <name>", "a shipped configuration")
    .option("--set <path=value>", "override one value (repeatable)", collect, [])
    .option("--data <store>", "input store, in place of file_path")
    .option("--repeats <n>", "measurements that count", parseCount, 10)
    .option("--json", "print one JSON document");
}

function resolve({ config: file, preset, set, data }: Flags): RunConfig {
  return resolveConfig({ file, preset: preset ?? (file ? undefined : "storm"), set, data }).config;
}

async function stepAction(flags: Flags): Promise<void> {
  const result = await benchStep(resolve(flags), { engine: flags.engine, repeats: flags.repeats });
  if (flags.json) return printJson(result);
  print(
    `${result.description}; ${result.parameters} parameters, ${result.tokens} tokens a sample, batch ${result.samples}`,
  );
  const rows = [
    ["step, median", formatMs(result.step.median)],
    ["step, minimum", formatMs(result.step.min)],
    ["  forward", formatMs(result.parts.forward)],
    ["  backward", formatMs(result.parts.backward)],
    ["  optimiser", formatMs(result.parts.optimiser)],
    ["first step", formatMs(result.firstStep)],
    ["samples/s", result.samplesPerSecond.toFixed(2)],
    ["peak memory", `${(result.peakRss / 2 ** 20).toFixed(0)} MiB`],
  ];
  for (const line of formatTable(rows, [1])) print(line);
}

const formatMs = (seconds: number) => `${(seconds * 1000).toFixed(1)} ms`;
