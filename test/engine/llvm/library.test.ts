import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { findLlvm, llvmLibraryName } from "../../../src/engine/llvm/library.js";

const root = mkdtempSync(join(tmpdir(), "llvm-"));
afterAll(() => rmSync(root, { recursive: true }));

/** A file that is no library. */
function place(...path: string[]): string {
  const folder = join(root, ...path.slice(0, -1));
  mkdirSync(folder, { recursive: true });
  const file = join(folder, path.at(-1)!);
  writeFileSync(file, "not a library");
  return file;
}

const LINUX = { platform: "linux", env: {}, cwd: join(root, "elsewhere") };
const installed = join(root, "engine");
const byInstall = place("engine", "llvmlite", "libllvmlite.so");
const byPython = place("env", "lib", "python3.12", "site-packages", "llvmlite", "binding", "libllvmlite.so");
place("env", "lib", "python3.12", "site-packages", "llvmlite-0.50.0.dist-info", "METADATA");
const own = place("own", "libllvmlite.so");

it("takes the path asked for, a folder or a file, and nothing else", () => {
  for (const path of [join(root, "own"), own]) {
    const asked = { path, source: "test" };
    expect(findLlvm({ ...LINUX, asked, installed })).toEqual({ file: own, source: "test" });
  }
  expect(findLlvm({ ...LINUX, asked: { path: join(root, "none"), source: "test" }, installed })).toBeNull();
});

it("then what engine install put there, then Python environments", () => {
  const env = { VIRTUAL_ENV: join(root, "env") };
  expect(findLlvm({ ...LINUX, env, installed })).toEqual({ file: byInstall, source: "engine install" });
  expect(findLlvm({ ...LINUX, env, installed: join(root, "none") })).toEqual({
    file: byPython,
    source: "Python environment",
  });
  expect(findLlvm({ ...LINUX, env: { CONDA_PREFIX: join(root, "env") } })?.file).toBe(byPython);
  expect(findLlvm(LINUX)).toBeNull();
});

it("finds an environment in the current folder", () => {
  const packages = ["here", ".venv", "lib", "python3.11", "site-packages"];
  const file = place(...packages, "llvmlite", "binding", "libllvmlite.so");
  const here = { ...LINUX, cwd: join(root, "here") };
  // of a version that is not known its functions may take other parameters
  place(...packages, "llvmlite-0.43.0.dist-info", "METADATA");
  expect(findLlvm(here)).toBeNull();
  place(...packages, "llvmlite-0.50.1.dist-info", "METADATA");
  expect(findLlvm(here)).toEqual({ file, source: "Python environment" });
});

it("has another name on macOS", () => {
  const file = place("mac", "llvmlite", "libllvmlite.dylib");
  expect(findLlvm({ ...LINUX, platform: "darwin", installed: join(root, "mac") })?.file).toBe(file);
  expect(findLlvm({ ...LINUX, installed: join(root, "mac") })).toBeNull();
  expect(llvmLibraryName("linux")).toBe("libllvmlite.so");
});
