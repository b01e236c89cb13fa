/** The lint rules of the house catch what they are for: each violation is written into a copy of the set-up. */
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { ROOT, runProgram } from "../support/cli.js";
import { tempDir } from "../support/tempDir.js";

async function lint(path: string, source: string): Promise<string> {
  const root = tempDir();
  const config = JSON.parse(readFileSync(join(ROOT, "biome.json"), "utf8"));
  // The copy is not a git repository.
  delete config.vcs;
  writeFileSync(join(root, "biome.json"), JSON.stringify(config));
  cpSync(join(ROOT, "scripts", "lint"), join(root, "scripts", "lint"), { recursive: true });
  mkdirSync(join(root, dirname(path)), { recursive: true });
  writeFileSync(join(root, path), `${source}\n`);
  const biome = join(ROOT, "node_modules", "@biomejs", "biome", "bin", "biome");
  const { code, stdout, stderr } = await runProgram(process.execPath, [biome, "lint", "."], root);
  return code === 0 ? "" : stdout + stderr;
}

/** One tree with a file a case, `src/data/import0.ts` for the first one in `data`, and the modules that they import. */
async function violations(cases: readonly (readonly [room: string, specifier: string])[]) {
  const root = mkdtempSync(join(tmpdir(), "atmorep-imports-"));
  for (const file of [".dependency-cruiser.mjs", "tsconfig.json"]) cpSync(join(ROOT, file), join(root, file));
  symlinkSync(join(ROOT, "node_modules"), join(root, "node_modules"));
  const write = (path: string, source: string) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), source);
  };
  const files = cases.map(([room], i) => (room.endsWith(".ts") ? `src/${room}` : `src/${room}/import${i}.ts`));
  for (const [i, [, specifier]] of cases.entries()) {
    if (specifier.startsWith("."))
      write(join(dirname(files[i]), specifier.replace(/js$/, "ts")), "export type A = 1;\n");
  }
  for (const [i, [, specifier]] of cases.entries()) write(files[i], `export type { A } from "${specifier}";\n`);
  write("src/model/ring.ts", 'import type { B } from "./ringToo.js";\nexport type A = B;\n');
  write("src/model/ringToo.ts", 'import type { A } from "./ring.js";\nexport type B = A;\n');
  const program = join(ROOT, "node_modules", "dependency-cruiser", "bin", "dependency-cruise.mjs");
  const args = [program, "src", "--config", ".dependency-cruiser.mjs", "--output-type", "json"];
  const { stdout } = await runProgram(process.execPath, args, root);
  const found: { from: string; to: string; rule: { name: string } }[] = JSON.parse(stdout).summary.violations;
  rmSync(root, { recursive: true });
  return { files, found };
}

describe("imports", () => {
  const refused = [
    ["data", "../cli/output.js", "one-way-data"],
    ["training", "../notebook/index.js", "one-way-training"],
    ["model", "../training/step.js", "one-way-model"],
    ["batches", "../training/options.js", "one-way-batches"],
    ["results", "../evaluation/modes.js", "one-way-results"],
    ["notebook/report", "../../api/runs.js", "one-way-notebook"],
    ["config", "../data/index.js", "one-way-config"],
    ["engine/wasm", "../../model/index.js", "one-way-engine"],
    ["data", "../distributed/mpi.js", "one-way-data"],
    ["masking", "../model/index.js", "one-way-masking"],
    ["index.ts", "./cli/main.js", "one-way-index"],
    ["notebook", "../kernel/main.js", "one-way-notebook"],
    ["data", "../elsewhere/index.js", "room-of-the-list"],
    ["kernel", "../errors.js", "alone-kernel"],
    ["engine/tensorflow", "../types.js", "alone-engine-tensorflow"],
    ["engine/llvm", "../tensorflow/index.js", "alone-engine-llvm"],
    ["step", "../engine/jit/register.js", "engine-doors"],
    ["cli", "../engine/kernels/gelu.js", "engine-doors"],
    ["data", "@tensorflow/tfjs-core", "plain-arrays"],
    ["data", "koffi", "libraries"],
    ["step", "koffi", "libraries"],
  ] as const;
  const allowed = [
    ["cli", "../training/train.js"],
    ["cli", "../kernel/main.js"],
    ["training", "../model/index.js"],
    ["model", "@tensorflow/tfjs-core"],
    ["model", "../engine/kernels/index.js"],
    ["step", "../engine/engine.js"],
    ["engine/jit", "../tensorflow/index.js"],
    ["data", "../config/index.js"],
    ["data", "../native/blosc.js"],
    ["native", "koffi"],
    ["distributed", "koffi"],
    ["kernel", "./wire.js"],
    ["notebook/report", "../../errors.js"],
  ] as const;
  let cruised: Awaited<ReturnType<typeof violations>>;
  beforeAll(async () => {
    cruised = await violations([...refused, ...allowed].map(([room, specifier]) => [room, specifier]));
  });
  const rulesOf = (i: number) =>
    cruised.found.filter(({ from }) => from === cruised.files[i]).map(({ rule }) => rule.name);

  it.each(refused.map((one, i) => [...one, i] as const))("%s must not import %s: %s", (_room, _specifier, rule, i) => {
    expect(rulesOf(i)).toContain(rule);
  });

  it.each(allowed.map((one, i) => [...one, refused.length + i] as const))(
    "%s may import %s",
    (_room, _specifier, i) => {
      expect(rulesOf(i)).toEqual([]);
    },
  );

  it("files must not import types of each other", () => {
    const rings = cruised.found.filter(({ rule }) => rule.name === "no-cycles").map(({ from }) => from);
    expect(rings).toEqual(["src/model/ring.ts"]);
  });
});

describe("pinned mathematics", () => {
  it.each(["Math.sin(x)", "Math.exp(x)", "Math.log(x)", "Math.pow(x, 2)", "Math.tanh(x)", "x ** 0.5", "Math.random()"])(
    "%s is refused outside src/math",
    async (expression) => {
      const source = `export const f = (x: number) => ${expression} + x;`;
      expect(await lint("src/scores/x.ts", source)).toContain("plugin");
    },
  );

  it.each(["Math.sqrt(x)", "Math.abs(x)", "2 ** 10"])("%s is allowed", async (expression) => {
    expect(await lint("src/scores/x.ts", `export const f = (x: number) => ${expression} + x;`)).toBe("");
  });

  it("src/math may call the platform's functions", async () => {
    expect(await lint("src/math/x.ts", "export const f = (x: number) => Math.sin(x);")).toBe("");
  });
});
