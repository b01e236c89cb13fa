import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import {
  findLibrary,
  loadNative,
  searchLibrary,
  TensorflowError,
  unsupportedSystem,
} from "../../../src/engine/tensorflow/index.js";

const root = mkdtempSync(join(tmpdir(), "library-"));
afterAll(() => rmSync(root, { recursive: true }));

/** An empty file in place of a library. */
function place(...path: string[]): string {
  const folder = join(root, ...path.slice(0, -1));
  mkdirSync(folder, { recursive: true });
  const file = join(folder, path.at(-1)!);
  writeFileSync(file, "");
  return file;
}

const LINUX = { platform: "linux", arch: "x64", env: {}, cwd: join(root, "elsewhere") };

describe("searchLibrary", () => {
  const installed = place("engine", "tensorflow", "libtensorflow_cc.so.2");
  const python = place("env", "lib", "python3.12", "site-packages", "tensorflow", "libtensorflow_cc.so.2");
  const own = place("own", "libtensorflow.so");

  it("takes the path asked for, a folder or a file, and nothing else", () => {
    for (const path of [join(root, "own"), own]) {
      const { found } = searchLibrary({ ...LINUX, asked: { path, source: "test" }, installed: join(root, "engine") });
      expect(found).toEqual({ file: own, source: "test" });
    }
    const { found, tried } = searchLibrary({
      ...LINUX,
      asked: { path: join(root, "none"), source: "test" },
      installed: join(root, "engine"),
    });
    expect(found).toBeNull();
    expect(tried.every((path) => path.startsWith(join(root, "none")))).toBe(true);
  });

  it("then what engine install put there, then Python's, then the system's", () => {
    const env = { VIRTUAL_ENV: join(root, "env"), LD_LIBRARY_PATH: join(root, "own") };
    expect(searchLibrary({ ...LINUX, env, installed: join(root, "engine") }).found?.file).toBe(installed);
    expect(searchLibrary({ ...LINUX, env }).found).toEqual({ file: python, source: "Python environment" });
    expect(searchLibrary({ ...LINUX, env: { LD_LIBRARY_PATH: join(root, "own") } }).found).toEqual({
      file: own,
      source: "system",
    });
  });

  it("finds an environment in the current folder", () => {
    place("here", ".venv", "lib", "python3.11", "site-packages", "tensorflow", "libtensorflow_cc.so.2");
    expect(searchLibrary({ ...LINUX, cwd: join(root, "here") }).found?.source).toBe("Python environment");
  });

  it("has other names on macOS", () => {
    const file = place("mac", "libtensorflow_cc.2.dylib");
    const asked = { path: join(root, "mac"), source: "test" };
    expect(searchLibrary({ platform: "darwin", arch: "arm64", asked }).found?.file).toBe(file);
  });
});

describe("errors", () => {
  it("name every path that was tried, or the system that has no library", () => {
    const asked = { path: join(root, "none"), source: "test" };
    expect(() => findLibrary({ ...LINUX, asked })).toThrow(/not found; looked at:\n.*none\/libtensorflow_cc.so.2\n/);
    expect(unsupportedSystem("linux", "arm64")).toBeNull();
    expect(() => findLibrary({ platform: "win32", arch: "x64" })).toThrow(/not on win32 x64/);
  });

  it("say why a file cannot be loaded", () => {
    const file = place("broken", "libtensorflow.so");
    expect(() => loadNative(file)).toThrow(TensorflowError);
    expect(() => loadNative(file)).toThrow(/broken.*too short|invalid/);
  });
});
