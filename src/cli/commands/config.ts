/** `atmorep config show|validate|diff|docs` */
import type { Command } from "commander";
import type { ResolvedConfig } from "../../config/resolve.js";
import { collect, formatTable, note, print, printJson, withExamples } from "../output.js";

interface Flags {
  preset?: string;
  set: string[];
  data?: string;
  seed?: string;
  out: string;
  json?: boolean;
  raw?: boolean;
  docs?: boolean;
}

export function registerConfig(program: Command): void {
  const config = program.command("config").description("show, check, compare and document configurations");
  withExamples(config, [
    "config show --preset storm",
    "config validate my.json --data store.zarr",
    "config diff ab12cd34 ef56gh78",
    "config docs > docs/configuration.md",
  ]);
  const show = withSources(config.command("show"))
    .description("the complete configuration, with where each value comes from")
    .argument("[target]", "configuration file or run id (default: the storm preset)")
    .option("--docs", "what each key means, too")
    .option("--raw", "only the configuration, as it is written to files")
    .action(async (target: string | undefined, flags: Flags) => showAction(target, flags));
  withExamples(show, [
    "config show --preset single --set encoder_num_layers=4",
    "config show ab12cd34 --docs",
    "config show --preset storm --raw > my.json",
  ]);
  const validate = withSources(config.command("validate"))
    .description("all faults at once; with the store, also what can be drawn from it")
    .argument("[target]", "configuration file or run id (default: the storm preset)")
    .action(async (target: string | undefined, flags: Flags) => validateAction(target, flags));
  withExamples(validate, [
    "config validate my.json",
    "config validate --preset era5-slice --data era5.zarr",
    "config validate my.json --set 'fields[0][2]=[96,105]' --json",
  ]);
  const diff = withSources(config.command("diff"))
    .description("where two configurations differ: two files or runs, or one and a preset")
    .argument("<targets...>", "one or two configuration files or run ids")
    .action(async (targets: string[], flags: Flags) => diffAction(targets, flags));
  withExamples(diff, ["config diff ab12cd34 ef56gh78", "config diff my.json --preset storm"]);
  const docs = config
    .command("docs")
    .description("the reference page of all keys, or what single keys may be and mean")
    .argument("[keys...]", "names of keys, such as batch_size")
    .option("--json", "the schema as one JSON document")
    .option("--json-schema", "a JSON Schema that editors complete configurations from")
    .action(async (keys: string[], flags: DocsFlags) => docsAction(keys, flags));
  withExamples(docs, ["config docs", "config docs batch_size fields", "config docs --json-schema > schema.json"]);
}

function withSources(command: Command): Command {
  return command
    .option("--preset <name>", "a shipped configuration, such as storm, waves or coupled-storm")
    .option("--set <path=value>", "change a value (repeatable); config docs lists the keys", collect, [])
    .option("--data <store>", "path or http address of the store; overrides file_path")
    .option("--seed <n>", "sets torch_seed and rng_seed")
    .option("--out <dir>", "folder that holds results/ and models/ of runs", ".")
    .option("--json", "print one JSON document");
}

async function resolveTarget(target: string | undefined, flags: Flags): Promise<ResolvedConfig> {
  const [{ locateConfig }, { resolveConfig }, { seed }] = await Promise.all([
    import("../../config/locate.js"),
    import("../../config/resolve.js"),
    import("../train/options.js"),
  ]);
  return resolveConfig({
    file: target === undefined ? undefined : locateConfig(target, flags.out),
    preset: flags.preset ?? (target === undefined ? "storm" : undefined),
    set: flags.set,
    data: flags.data,
    seed: seed(flags.seed),
  });
}

async function showAction(target: string | undefined, flags: Flags): Promise<void> {
  const resolved = await resolveTarget(target, flags);
  const [{ describeConfig }, { configText }] = await Promise.all([
    import("../../config/describe.js"),
    import("../../config/text/files.js"),
  ]);
  for (const warning of resolved.warnings) note(`warning: ${warning}`);
  if (flags.raw) return print(configText(resolved.config));
  const keys = describeConfig(resolved.config, resolved.origins);
  if (flags.json) return printJson({ config: resolved.config, origins: resolved.origins, keys });
  const rows = keys.map(({ key, text, origin, doc }) => [key, shortened(text), origin, ...(flags.docs ? [doc] : [])]);
  for (const line of formatTable([["key", "value", "from", ...(flags.docs ? ["meaning"] : [])], ...rows])) print(line);
}

async function validateAction(target: string | undefined, flags: Flags): Promise<void> {
  const resolved = await resolveTarget(target, flags);
  const [{ inspectConfig }, { formatFault }] = await Promise.all([
    import("../../checks/inspect.js"),
    import("../../config/faults.js"),
  ]);
  const report = await inspectConfig(resolved, { requireStore: flags.data !== undefined });
  if (report.faults.length > 0) process.exitCode = 2;
  if (flags.json) return printJson({ ok: report.faults.length === 0, ...report });
  for (const warning of report.warnings) note(`warning: ${warning}`);
  if (report.faults.length > 0) {
    note(`${report.faults.length} ${report.faults.length === 1 ? "fault" : "faults"}`);
    for (const fault of report.faults) note(`  ${formatFault(fault)}`);
    return;
  }
  print("no faults");
  if (report.store === null) return;
  print(`store: ${report.store}`);
  for (const [split, counts] of Object.entries(report.draws)) {
    print(
      `${split}: ${counts.times} times, ${counts.rows} x ${counts.columns} = ${counts.places} places; ` +
        `${counts.samplesPerEpoch} samples in ${counts.batchesPerEpoch} batches an epoch`,
    );
  }
  const { gapLine } = await import("../../data/gaps.js");
  print(gapLine({ train: report.draws.train, validate: report.draws.validate, test: report.draws.test }));
}

async function diffAction(targets: string[], flags: Flags): Promise<void> {
  const [{ diffConfigs }, { AtmorepError }] = await Promise.all([
    import("../../config/diff.js"),
    import("../../errors.js"),
  ]);
  const names = flags.preset === undefined ? targets : [...targets, flags.preset];
  if (names.length !== 2) {
    throw new AtmorepError("usage", "a comparison needs two configurations", {
      where: "config diff",
      found: names.join(" ") || "none",
      expected: "two files or runs, or one and --preset NAME",
      fix: "npx atmorep config diff A.json B.json",
    });
  }
  const sides = await Promise.all([
    resolveTarget(targets[0], { ...flags, preset: undefined }),
    flags.preset === undefined ? resolveTarget(targets[1], flags) : resolveTarget(undefined, flags),
  ]);
  for (const warning of sides.flatMap((side) => side.warnings)) note(`warning: ${warning}`);
  const differences = diffConfigs(sides[0].config, sides[1].config);
  if (flags.json) return printJson({ a: names[0], b: names[1], differences });
  if (differences.length === 0) return print("the configurations are the same");
  const rows = differences.map(({ path, a, b }) => [
    path,
    ...[a, b].map((v) => shortened(JSON.stringify(v) ?? "absent")),
  ]);
  for (const line of formatTable([["key", ...names], ...rows])) print(line);
}

interface DocsFlags {
  json?: boolean;
  jsonSchema?: boolean;
}

async function docsAction(keys: string[], { json, jsonSchema: asSchema }: DocsFlags): Promise<void> {
  const [{ configDocs, describedKeys, keyDocs }, { jsonSchema }, { knownNames }] = await Promise.all([
    import("../../config/describe.js"),
    import("../../config/jsonSchema.js"),
    import("../../checks/knownNames.js"),
  ]);
  if (asSchema) return printJson(jsonSchema(knownNames()));
  const described = describedKeys(keys);
  if (json) return printJson(described);
  if (keys.length === 0) return print(configDocs(knownNames()).trimEnd());
  for (const text of described.map(keyDocs)) print(text);
}

/** A value in one column. */
function shortened(text: string): string {
  return text.length <= 72 ? text : `${text.slice(0, 69)}...`;
}
