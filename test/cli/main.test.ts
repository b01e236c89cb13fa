import { spawn } from "node:child_process";
import { beforeAll, describe, expect, it } from "vitest";
import { COMMANDS } from "../../src/cli/main.js";
import { reportError } from "../../src/cli/output.js";
import { AtmorepError } from "../../src/errors.js";
import { atmorep, LAUNCHER, runProgram } from "../support/cli.js";
import { runCli } from "../support/inProcess.js";
import { tempDir } from "../support/tempDir.js";

beforeAll(async () => {
  const { code, stderr } = await atmorep(["--version"]);
  expect(code, stderr).toBe(0);
});

describe("help", () => {
  it("lists every command of the program", async () => {
    const { code, stdout } = await runCli("--help");
    expect(code).toBe(0);
    for (const name of Object.keys(COMMANDS)) expect(stdout).toMatch(new RegExp(`^ {2}${name} `, "m"));
  });

  it.each([
    ...Object.keys(COMMANDS).map((name) => [name]),
    ["runs", "show"],
    ["runs", "compare"],
    ["bench", "step"],
    ["bench", "prepare"],
    ["bench", "read"],
    ["config", "show"],
    ["config", "validate"],
    ["config", "diff"],
    ["config", "docs"],
    ["data", "sample"],
    ["data", "info"],
    ["data", "normalize"],
    ["weights", "info"],
    ["weights", "convert"],
  ])("of %s %s has an example", async (...words) => {
    const { code, stdout } = await runCli(...words.filter((word) => typeof word === "string"), "--help");
    expect(code).toBe(0);
    expect(stdout).toMatch(/Examples?:\n.*npx atmorep/);
  });

  it("is shown without arguments", async () => {
    expect(await runCli()).toMatchObject({ code: 0, stdout: expect.stringContaining("Usage: atmorep") });
  });
});

describe("wrong usage exits 2 and suggests what was meant", () => {
  it.each([
    [["verfy", "x"], "Did you mean verify?"],
    [["runs", "shwo"], "Did you mean show?"],
    [["doctor", "--jsn"], "Did you mean --json?"],
    [["verify"], "missing required argument 'dir'"],
    [["verify", "x", "--engine", "gpu"], "Allowed choices are auto, native, wasm"],
    [["bench", "step", "--repeats", "0"], "whole number from 1 on"],
  ])("%j", async (args, hint) => {
    const { code, stdout, stderr } = await runCli(...args);
    expect(stderr).toContain(hint);
    expect(stdout).toBe("");
    expect(code).toBe(2);
  });
});

describe("errors", () => {
  it("of the project are one line without a stack; the code decides between 1 and 2", async () => {
    const { code, stderr } = await runCli("runs", "show", "aaaaaaaa", "--out", tempDir());
    expect(stderr).toMatch(/^error: .*there is no such run.*\n$/);
    expect(code).toBe(2);
    expect(reportError(new AtmorepError("failed", "the disk is full"), false)).toBe(1);
  });

  it("of other kinds keep their stack and ask for a report", async () => {
    const { stderr, code } = await runProgram(process.execPath, [
      "--input-type=module",
      "-e",
      `import { reportError } from ${JSON.stringify(new URL("../../dist/cli/output.js", import.meta.url).href)};
       process.exitCode = reportError(new TypeError("oops"), false);`,
    ]);
    expect(stderr).toMatch(/^error: oops\n +at .*\n[\s\S]*doctor/);
    expect(code).toBe(1);
  });
});

it("ends quietly when the reader of its output goes away", async () => {
  const child = spawn(process.execPath, [LAUNCHER, "config", "docs"], { stdio: ["ignore", "pipe", "pipe"] });
  let stderr = "";
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  child.stdout.once("readable", () => child.stdout.destroy());
  const code = await new Promise((resolve) => child.on("close", resolve));
  expect(stderr).toBe("");
  expect(code).toBe(0);
});
