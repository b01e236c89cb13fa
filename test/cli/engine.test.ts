import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { atmorep, LAUNCHER, ROOT } from "../support/cli.js";
import { tempDir } from "../support/tempDir.js";
import { BLOSC_FILES, fakePip, LLVM_FILES, TENSORFLOW_FILES, writeWheel } from "../support/wheels.js";

/**
 * A folder with libblosc2 and other parts unpacked from wheels: a stand-in of pip gives none, since a download must have the
 * hash of the real one.
 */
async function installed(...parts: ("tensorflow" | "llvmlite")[]) {
  const root = tempDir();
  const tensorflow = writeWheel(join(root, "tensorflow.whl"), "tensorflow_cpu-2.21.0", TENSORFLOW_FILES);
  const llvmlite = writeWheel(join(root, "llvmlite.whl"), "llvmlite-0.50.0", LLVM_FILES);
  const blosc = writeWheel(join(root, "blosc2.whl"), "blosc2-4.14.1", BLOSC_FILES);
  const folder = join(root, "target", "engine");
  const wheels = [blosc, ...parts.map((part) => ({ tensorflow, llvmlite })[part])];
  const install = await atmorep(["engine", "install", "--folder", folder, "--wheel", ...wheels], ROOT);
  expect(install.code, install.stderr).toBe(0);
  return { root, folder, install };
}

it("engine install tells size and time of all parts, then that they are there", async () => {
  const { root, folder, install } = await installed("tensorflow", "llvmlite");
  const lines = install.stdout.trim().split("\n");
  expect(lines[0]).toMatch(/^TensorFlow 2\.21\.0: 2 files, 68\.4 KiB, after \d+ s$/);
  expect(lines[1]).toMatch(/^llvmlite 0\.50\.0: 3 files, 29\.3 KiB, after \d+ s$/);
  expect(lines[2]).toMatch(/^blosc2 4\.14\.1: 2 files, .*, after \d+ s$/);
  const variables = ["TENSORFLOW=tensorflow", "LLVM=llvmlite", "BLOSC=blosc2"];
  expect(lines[3]).toBe(
    `Used with ${variables.map((text) => `ATMOREP_${text.replace("=", `=${folder}/`)}`).join(" ")}`,
  );
  const { path } = fakePip(root, {});
  const second = await atmorep(["engine", "install", "--folder", folder], ROOT, { ...process.env, PATH: path });
  expect(second.stdout.match(/was there already/g)).toHaveLength(3);
});

it("engine install fails with what to do where LLVM cannot be fetched, and keeps TensorFlow", async () => {
  const { root, folder } = await installed("tensorflow");
  const env = { ...process.env, PATH: fakePip(root, {}).path };
  const args = ["engine", "install", "--folder", folder];
  const { code, stdout, stderr } = await atmorep(args, ROOT, env);
  expect(code).toBe(1);
  expect(stdout).toMatch(/^TensorFlow 2\.21\.0: .*\nblosc2 .*\nUsed with ATMOREP_TENSORFLOW=\S+ ATMOREP_BLOSC=\S+\n$/);
  expect(stderr).toMatch(/error: the engine works, but slower: LLVM.*missing.*no index here/);
  const json = await atmorep([...args, "--json"], ROOT, env);
  expect(json.code).toBe(1);
  expect(JSON.parse(json.stdout)).toMatchObject({
    parts: [{ fetched: false }, { fetched: false }],
    failed: expect.stringMatching(/LLVM/),
  });
  expect((await atmorep([...args, "--no-kernels"], ROOT, env)).code).toBe(0);
});

it("engine install can be interrupted", async () => {
  const { root, folder } = await installed("tensorflow");
  const { path, asked } = fakePip(root, { llvmlite: "hang" });
  const args = [LAUNCHER, "engine", "install", "--folder", folder];
  const child = spawn(process.execPath, args, { cwd: ROOT, env: { ...process.env, PATH: path }, stdio: "ignore" });
  while (asked().length < 1) await new Promise((resolve) => setTimeout(resolve, 50));
  child.kill("SIGINT");
  expect(await once(child, "exit")).toEqual([130, null]);
  expect(readdirSync(join(folder, ".."))).toEqual(["engine"]);
  expect(readdirSync(folder)).toEqual(["blosc2", "tensorflow"]);
});

it("engine install refuses a wheel of something else, engine info names where it looked", async () => {
  const root = tempDir();
  const other = writeWheel(join(root, "other.whl"), "other-1.0", { "other/file.py": Buffer.from("") });
  const refused = await atmorep(["engine", "install", "--folder", join(root, "engine"), "--wheel", other]);
  expect(refused.code).toBe(2);
  expect(refused.stderr).toContain("no library of TensorFlow, LLVM, blosc2 or eccodeslib in the wheel");
  const env = { ...process.env, ATMOREP_TENSORFLOW: join(root, "nowhere") };
  const { stdout } = await atmorep(["engine", "info"], ROOT, env);
  expect(stdout).toMatch(/not found; fetch it with: atmorep engine install.*nowhere/s);
});
