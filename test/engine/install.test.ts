import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { zipSync } from "fflate";
import { afterAll, expect, it } from "vitest";
import { installEngine } from "../../src/engine/install/index.js";
import { searchLibrary } from "../../src/engine/tensorflow/index.js";

const root = mkdtempSync(join(tmpdir(), "install-"));
afterAll(() => rmSync(root, { recursive: true }));

const FILES = {
  "tensorflow/libtensorflow_cc.so.2": Buffer.alloc(70_000, "code"),
  "tensorflow/libtensorflow_framework.so.2": Buffer.from("more code"),
  "tensorflow/python/large.py": Buffer.from("print('not wanted')"),
};

/** A wheel as pip downloads it; `record` may lie about a file. */
function wheel(name: string, files: Record<string, Buffer> = FILES, record: Record<string, Buffer> = files): string {
  const lines = Object.entries(record).map(([path, bytes]) => {
    const sum = createHash("sha256").update(bytes).digest("base64url");
    return `${path},sha256=${sum},${bytes.length}`;
  });
  const all = { ...files, "tensorflow_cpu-2.21.0.dist-info/RECORD": Buffer.from(lines.join("\n")) };
  const path = join(root, name);
  writeFileSync(path, zipSync(all));
  return path;
}

it("keeps only the libraries, and says what they take", async () => {
  const folder = join(root, "good", ".engine");
  const said: string[] = [];
  const installed = await installEngine({ folder, wheel: wheel("good.whl"), report: (line) => said.push(line) });
  expect(installed).toMatchObject({ folder, bytes: 70_009, seconds: expect.any(Number) });
  expect(readdirSync(folder)).toEqual(["tensorflow"]);
  expect(readdirSync(join(folder, "tensorflow"))).toEqual(["libtensorflow_cc.so.2", "libtensorflow_framework.so.2"]);
  expect(installed.files.map((file) => readFileSync(file).length).sort()).toEqual([70_000, 9]);
  expect(searchLibrary({ installed: folder, env: {} }).found).toEqual({
    file: join(folder, "tensorflow", "libtensorflow_cc.so.2"),
    source: "engine install",
  });
  expect(said).toEqual(["unpacking good.whl"]);
  expect(readdirSync(join(root, "good"))).toEqual([".engine"]);
});

it("leaves what was there if the wheel is damaged", async () => {
  const folder = join(root, "kept", ".engine");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "before"), "");
  const changed = { ...FILES, "tensorflow/libtensorflow_framework.so.2": Buffer.from("other code") };
  const attempts: [string, RegExp][] = [
    [wheel("changed.whl", changed, FILES), /libtensorflow_framework.*does not have its checksum/],
    [wheel("unlisted.whl", FILES, {}), /does not have its checksum/],
    [wheel("empty.whl", { "other/file.py": Buffer.from("") }), /no library of TensorFlow in the wheel/],
  ];
  const cut = join(root, "cut.whl");
  writeFileSync(cut, readFileSync(wheel("whole.whl")).subarray(0, 300));
  attempts.push([cut, /cut\.whl/]);
  for (const [path, message] of attempts) {
    await expect(installEngine({ folder, wheel: path })).rejects.toThrow(message);
  }
  expect(readdirSync(folder)).toEqual(["before"]);
  expect(readdirSync(join(root, "kept"))).toEqual([".engine"]);
});

it("says what to do where pip does not work", async () => {
  const folder = join(root, "nopip", ".engine");
  const path = process.env.PATH;
  process.env.PATH = root;
  try {
    await expect(installEngine({ folder })).rejects.toThrow(/pip could not download.*engine install --wheel FILE/s);
  } finally {
    process.env.PATH = path;
  }
  expect(existsSync(folder)).toBe(false);
});
