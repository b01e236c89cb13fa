/** The lint rules of the house catch what they are for: each violation is written into a copy of the set-up. */
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, it } from "vitest";
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

describe("import direction", () => {
  it.each([
    ["src/data/x.ts", "../cli/output.js"],
    ["src/training/x.ts", "../notebook/index.js"],
    ["src/model/x.ts", "../training/step.js"],
    ["src/losses/x.ts", "../evaluation/index.js"],
    ["src/config/x.ts", "../data/index.js"],
    ["src/engine/wasm/x.ts", "../../model/index.js"],
    ["src/data/x.ts", "@tensorflow/tfjs-core"],
    ["src/masking/x.ts", "../engine/index.js"],
    ["src/kernel/x.ts", "../errors.js"],
    ["src/engine/tensorflow/x.ts", "../index.js"],
    ["src/engine/llvm/x.ts", "../tensorflow/index.js"],
    ["src/index.ts", "./cli/main.js"],
  ])("%s must not import %s", async (path, specifier) => {
    expect(await lint(path, `export { a } from "${specifier}";`)).toContain("noRestrictedImports");
  });

  it.each([
    ["src/cli/x.ts", "../training/step.js"],
    ["src/training/x.ts", "../model/index.js"],
    ["src/model/x.ts", "@tensorflow/tfjs-core"],
    ["src/data/x.ts", "../config/index.js"],
    ["src/kernel/x.ts", "./wire.js"],
  ])("%s may import %s", async (path, specifier) => {
    expect(await lint(path, `export { a } from "${specifier}";`)).toBe("");
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
