/** `atmorep bench prepare|step|read` */
import { type Command, InvalidArgumentError, Option } from "commander";
import { benchPrepare } from "../../bench/prepare.js";
import { benchRead } from "../../bench/read.js";
import { benchStep } from "../../bench/step.js";
import { checkConfig } from "../../checks/validate.js";
import { type ResolvedConfig, resolveConfig, resolveStorePath } from "../../config/resolve.js";
import { openData } from "../../data/openData.js";
import { type EngineName, openEngine } from "../../engine/index.js";
import type { TypeTime } from "../../engine/profile.js";
import { writeFileAtomic } from "../../formats/atomic.js";
import { withOffline } from "../offline.js";
import { collect, formatTable, note, parseCount, print, printJson, withExamples } from "../output.js";

/** Rows of the table of operations. */
const TYPES_SHOWN = 20;

interface Flags {
  config?: string;
  preset?: string;
  set: string[];
  data?: string;
  repeats: number;
  engine: "auto" | EngineName;
  profile?: string;
  json?: boolean;
}

export function registerBench(program: Command): void {
  const bench = program.command("bench").description("time batch preparation, the train step and reading");
  withExamples(bench, ["bench step --preset storm", "bench step --config small.json --repeats 20 --json"]);
  const step = addFlags(bench.command("step").description("one optimiser step on random batches; opens no store"))
    .addOption(
      new Option("--engine <name>", "engine to compute on").choices(["auto", "native", "wasm"]).default("auto"),
    )
    .option("--profile <file>", "also write the time of every operation of one step, to be opened in ui.perfetto.dev")
    .action(stepAction);
  const prepare = addFlags(bench.command("prepare").description("batch preparation by number of workers"))
    .option("--workers <list>", "numbers of workers to try, such as 0,1,2", parseWorkers, [0, 1, 2])
    .option("--cold", "as in a store larger than the cache of chunks: nearly every chunk is decoded")
    .action(prepareAction);
  withExamples(prepare, ["bench prepare --config prep.json --data store.zarr --json"]);
  const read = addFlags(bench.command("read").description("reading and decoding chunks of the store")).action(
    readAction,
  );
  withExamples(read, ["bench read --data store.zarr"]);
  withExamples(step, [
    "bench step --preset storm",
    "bench step --config small.json --set batch_size=2 --json",
    "bench step --profile step.json",
  ]);
}

function addFlags(command: Command): Command {
  return withOffline(command)
    .option("--config <file>", "configuration file (default: the storm preset)")
    .option("--preset <name>", "a shipped configuration")
    .option("--set <path=value>", "override one value (repeatable)", collect, [])
    .option("--data <store>", "input store, in place of file_path")
    .option("--repeats <n>", "measurements that count", parseCount, 10)
    .option("--json", "print one JSON document");
}

function parseWorkers(value: string): number[] {
  const counts = value.split(",").map(Number);
  if (counts.every((count) => Number.isInteger(count) && count >= 0)) return counts;
  throw new InvalidArgumentError("It must be a list of whole numbers, such as 0,1,2.");
}

function resolve({ config: file, preset, set, data }: Flags): ResolvedConfig {
  return resolveConfig({ file, preset: preset ?? (file ? undefined : "storm"), set, data });
}

function storeOf({ config, folder }: ResolvedConfig): string {
  return resolveStorePath(config.file_path, folder);
}

async function prepareAction(flags: Flags & { workers: number[]; cold?: boolean }): Promise<void> {
  const { config, folder } = resolve(flags);
  checkConfig(config);
  const store = await openData(config, folder);
  await store.close();
  const results = await benchPrepare({
    config: { ...config, rng_seed: config.rng_seed ?? 1 },
    storeLocation: store.location,
    statistics: store.statistics,
    workers: flags.workers,
    cold: flags.cold,
    batches: flags.repeats,
    masks: true,
  });
  if (flags.json) return printJson(results);
  const heading = ["workers", "masking", "median", "minimum", "processor", "samples/s", "MB/s of tokens"];
  const rows = results.map((r) => [
    String(r.workers),
    r.masking ? "yes" : "no",
    formatMs(r.medianSeconds),
    formatMs(r.minSeconds),
    formatMs(r.processorSeconds),
    r.samplesPerSecond.toFixed(1),
    r.megabytesPerSecond.toFixed(1),
  ]);
  for (const line of formatTable([heading, ...rows], [0, 2, 3, 4, 5, 6])) print(line);
}

async function readAction(flags: Flags): Promise<void> {
  const results = await benchRead(storeOf(resolve(flags)), flags.repeats);
  if (flags.json) return printJson(results);
  const heading = ["array", "chunk", "chunks", "median", "minimum", "MB/s"];
  const rows = results.map((r) => [
    r.array,
    `[${r.chunkShape.join(", ")}]`,
    String(r.chunks),
    formatMs(r.medianSeconds),
    formatMs(r.minSeconds),
    r.megabytesPerSecond.toFixed(1),
  ]);
  for (const line of formatTable([heading, ...rows], [2, 3, 4, 5])) print(line);
}

async function stepAction(flags: Flags): Promise<void> {
  if (flags.profile) {
    const { profileStep } = await import("../../bench/profile.js");
    const trace = await profileStep(resolve(flags).config, { engine: flags.engine });
    await writeFileAtomic(flags.profile, JSON.stringify(trace));
    note(`${trace.traceEvents.filter(({ ph }) => ph === "X").length} operations in ${flags.profile}`);
    const { timesByType } = await import("../../engine/profile.js");
    if (!flags.json) for (const line of typeTable(timesByType(trace))) print(line);
  }
  const { instead } = await openEngine(flags.engine);
  if (instead?.reason === "unusable") note(`warning: ${instead.text}`);
  const result = await benchStep(resolve(flags).config, { engine: flags.engine, repeats: flags.repeats });
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

/** What took longest inside compiled functions; nothing for other traces. */
function typeTable(types: readonly TypeTime[]): string[] {
  if (types.length === 0) return [];
  const all = types.reduce((sum, { total }) => sum + total, 0);
  const rows = types
    .slice(0, TYPES_SHOWN)
    .map(({ op, count, total }) => [op, String(count), formatMs(total / 1e6), `${((100 * total) / all).toFixed(1)} %`]);
  return formatTable([["operation", "calls", "time, all threads", "share"], ...rows], [1, 2, 3]);
}

const formatMs = (seconds: number) => `${(seconds * 1000).toFixed(1)} ms`;
