/** The packed package in an empty project, with npm's default settings. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { ROOT, runProgram } from "../support/cli.js";

let project: string;

const npm = (args: string[], cwd: string) => runProgram("npm", args, cwd);
const inProject = (...args: string[]) => runProgram(process.execPath, args, project);

beforeAll(async () => {
  project = mkdtempSync(join(tmpdir(), "atmorep-package-"));
  const packed = await npm(["pack", "--silent", "--pack-destination", project], ROOT);
  expect(packed.code, packed.stderr).toBe(0);
  const tarball = readdirSync(project).find((name) => name.endsWith(".tgz")) as string;
  writeFileSync(join(project, "package.json"), '{ "name": "empty", "private": true }\n');
  // Optional parts may fail to download; npm must leave them out and go on.
  const installed = await npm(["install", `./${tarball}`], project);
  expect(installed.code, installed.stderr).toBe(0);
});

afterAll(() => rmSync(project, { recursive: true, force: true }));

describe("the installed package", () => {
  it("has the program, which never builds", async () => {
    const { code, stdout, stderr } = await runProgram("npx", ["atmorep", "--version"], project);
    expect(stderr).not.toContain("building");
    expect(stdout.trim()).toBe(JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")).version);
    expect(code).toBe(0);
  });

  it("has no sources, tests or build leftovers in it", () => {
    const dir = join(project, "node_modules", "atmorep");
    for (const name of ["src", "test", "dist/.built", "dist/.tsbuildinfo", ".ci"]) {
      expect(existsSync(join(dir, name)), name).toBe(false);
    }
    for (const name of ["LICENSE", "NOTICE", "README.md", "configs"])
      expect(existsSync(join(dir, name)), name).toBe(true);
  });

  it("can be imported and required", async () => {
    writeFileSync(join(project, "a.mjs"), 'import { AtmorepError } from "atmorep"; console.log(AtmorepError.name);');
    writeFileSync(join(project, "b.cjs"), 'console.log(require("atmorep").AtmorepError.name);');
    expect((await inProject("a.mjs")).stdout).toBe("AtmorepError\n");
    expect((await inProject("b.cjs")).stdout).toBe("AtmorepError\n");
  });

  it("validates its default preset on the shipped sample", async () => {
    const { code, stderr } = await runProgram("npx", ["atmorep", "config", "validate", "--preset", "storm"], project);
    expect(code, stderr).toBe(0);
  });

  it("type-checks with the oldest TypeScript that is supported, 5.0, and node10 resolution", async () => {
    const installed = await npm(["install", "typescript@5.0.4", "@types/node@20"], project);
    expect(installed.code, installed.stderr).toBe(0);
    mkdirSync(join(project, "cell"), { recursive: true });
    writeFileSync(
      join(project, "cell", "cell.ts"),
      'import * as atmorep from "atmorep";\nimport * as scores from "atmorep/scores";\n' +
        'const error: Error = new atmorep.AtmorepError("usage", "x");\nconsole.log(error, scores);\n',
    );
    const flags = ["--noEmit", "--strict", "--module", "esnext", "--moduleResolution", "node", "--target", "es2022"];
    const compiler = join(project, "node_modules", "typescript", "bin", "tsc");
    // The declarations themselves are checked too: they must parse in TypeScript 5.0.
    const { code, stdout } = await inProject(compiler, ...flags, "--types", "node", "cell/cell.ts");
    expect(stdout.split("\n").filter((line) => line.includes("atmorep") || line.includes("cell.ts"))).toEqual([]);
    if (code !== 0) expect(stdout).not.toContain("atmorep");
  });
});
