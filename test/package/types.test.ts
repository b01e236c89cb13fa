/** The types of the built package, as the notebook's TypeScript reads them. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { loadTypeScript } from "../../src/kernel/compile/typescript.js";
import { ROOT } from "../support/cli.js";

const ts = loadTypeScript();
// inside the checkout, so that "atmorep" names the built package
const dir = mkdtempSync(join(ROOT, "test", "package", ".types-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const PROGRAM = `
import { type FieldEntry, resolveConfig, type RunConfig } from "atmorep";
const config: RunConfig = resolveConfig({ preset: "storm" }).config;
export const batch: number = config.batch_size;
export const box: [[number, number], [number, number]] = config.geo_range_sampling;
export const attention: "dense" | "axial" | "axial_parallel" = config.encoder_att_type;
export const seed: number | null = config.rng_seed;
export const shares: Partial<Record<"BERT" | "forecast" | "temporal_interpolation", number>> | null = config.BERT_strategy_mix;
export const field: FieldEntry = ["u", [1, 32, ["v"], 0, ["abcd1234", -2]], [96], [4, 2, 3], [3, 3, 4], [0.5, 0.9, 0.2, 0], "local"];
config.fields = [field, ["v", [0, 32, [], "cpu"], [96], [4, 2, 3], [3, 3, 4], [0.5, 0.9, 0.2, 0]]];
config.score_regions = ["nh", ["europe", [[35, 70], [-10, 40]]]];
// @ts-expect-error a number
export const wrong: string = config.batch_size;
// @ts-expect-error no attention of this name
config.encoder_att_type = "sparse";
// @ts-expect-error four places are missing
config.fields = [["u", [1, 32, [], 0]]];
`;

const OPTIONS = {
  strict: true,
  noEmit: true,
  skipLibCheck: true,
  target: ts.ScriptTarget.ES2022,
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
};

it("has a configuration whose keys have the schema's types", () => {
  const file = join(dir, "program.ts");
  writeFileSync(file, PROGRAM);
  const program = ts.createProgram([file], OPTIONS);
  expect(ts.getPreEmitDiagnostics(program).map(({ messageText }) => messageText)).toEqual([]);
  expect(program.getSourceFile(join(ROOT, "dist", "config", "types.d.ts"))).toBeDefined();
}, 120_000);

it("shows what a key means", () => {
  const file = join(dir, "shown.ts");
  const text = `${PROGRAM.split("// @ts-expect-error")[0]}\nconfig.num_samples_per_epoch;\n`;
  writeFileSync(file, text);
  const service = ts.createLanguageService({
    getCompilationSettings: () => OPTIONS,
    getScriptFileNames: () => [file],
    getScriptVersion: () => "1",
    getScriptSnapshot: (name) => {
      const content = ts.sys.readFile(name);
      return content === undefined ? undefined : ts.ScriptSnapshot.fromString(content);
    },
    getCurrentDirectory: () => ROOT,
    getDefaultLibFileName: (options) => ts.getDefaultLibFilePath(options),
    fileExists: ts.sys.fileExists,
    readFile: ts.sys.readFile,
    directoryExists: ts.sys.directoryExists,
    getDirectories: ts.sys.getDirectories,
  });
  const info = service.getQuickInfoAtPosition(file, text.lastIndexOf("num_samples_per_epoch"));
  expect(ts.displayPartsToString(info?.displayParts)).toMatch(/num_samples_per_epoch: number$/);
  expect(ts.displayPartsToString(info?.documentation)).toMatch(
    /^Most samples of a training epoch, over all processes\. Value: an integer of at least 1/,
  );
  service.dispose();
}, 120_000);

it("parses every declaration of the package", () => {
  const dist = join(ROOT, "dist");
  const files = readdirSync(dist, { recursive: true })
    .map(String)
    .filter((name) => name.endsWith(".d.ts"));
  expect(files.length).toBeGreaterThan(100);
  for (const name of files) {
    const path = join(dist, name);
    const source = ts.createSourceFile(path, ts.sys.readFile(path) ?? "", ts.ScriptTarget.Latest);
    const { parseDiagnostics } = source as unknown as { parseDiagnostics: unknown[] };
    expect(parseDiagnostics, name).toEqual([]);
  }
}, 120_000);
