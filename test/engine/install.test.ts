import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, it, vi } from "vitest";
import { type InstallOptions, installEngine } from "../../src/engine/install/index.js";
import { findLlvm } from "../../src/engine/llvm/library.js";
import { searchLibrary } from "../../src/engine/tensorflow/index.js";
import { AtmorepError } from "../../src/errors.js";
import { BLOSC, findEccodes, findLibraries } from "../../src/native/index.js";
import {
  BLOSC_FILES,
  ECCODES_FILES,
  ECKIT_FILES,
  TENSORFLOW_FILES as FILES,
  fakePip,
  LLVM_FILES,
  writeWheel,
} from "../support/wheels.js";

/** Stand-ins of wheels count as tested ones; the pins themselves are checked by what CI downloads. */
const tested = vi.hoisted(() => ({
  TENSORFLOW_WHEELS: [] as string[],
  GPU_WHEELS: [] as string[],
  LLVM_WHEELS: [] as string[],
}));
vi.mock("../../src/engine/install/pins.js", async (original) => ({ ...(await original<object>()), ...tested }));

const root = mkdtempSync(join(tmpdir(), "install-"));
afterAll(() => rmSync(root, { recursive: true }));
afterEach(() => vi.unstubAllEnvs());

const wheel = (name: string, files = FILES, record = files, distribution = "tensorflow_cpu-2.21.0") =>
  writeWheel(join(root, name), distribution, files, record);

const llvmWheel = () => wheel("llvmlite.whl", LLVM_FILES, LLVM_FILES, "llvmlite-0.50.0");

/** Puts it in the path. @returns what it was asked for so far */
function usePip(wheels: Record<string, string>): () => string[] {
  const { path, asked } = fakePip(root, wheels);
  vi.stubEnv("PATH", path);
  const hashes = Object.values(wheels).map((file) => createHash("sha256").update(readFileSync(file)).digest("hex"));
  for (const list of Object.values(tested)) list.splice(0, list.length, ...hashes);
  return asked;
}

/** Requests for other parts: blosc2, which no stand-in of pip has here, is asked for again each time. */
const withoutBlosc = (asked: string[]) => asked.filter((requirement) => !requirement.startsWith("blosc2"));

/** An installation into a folder of its own; options for another one in the same folder may differ. */
function installer(name: string) {
  const folder = join(root, name, ".engine");
  const run = async (options: InstallOptions = {}) => {
    const said: string[] = [];
    const installed = await installEngine({ folder, report: (line) => said.push(line), ...options });
    expect(readdirSync(join(root, name)), "nothing temporary is left").toEqual([".engine"]);
    return { ...installed, said, fetched: installed.parts.map((part) => [part.name, part.fetched]) };
  };
  return { folder, run };
}

describe("from wheels that are there", () => {
  it("keeps only the libraries, and says what they take", async () => {
    const { folder, run } = installer("good");
    const { parts, failed, said } = await run({ wheel: [wheel("good.whl")] });
    expect(failed).toBeNull();
    expect(parts).toMatchObject([
      { name: "TensorFlow", version: "2.21.0", bytes: 70_009, seconds: expect.any(Number), fetched: true },
    ]);
    expect(readdirSync(folder)).toEqual(["tensorflow"]);
    expect(readdirSync(join(folder, "tensorflow"))).toEqual([
      "installed.json",
      "libtensorflow_cc.so.2",
      "libtensorflow_framework.so.2",
    ]);
    expect(parts[0].files.map((file) => readFileSync(file).length).sort()).toEqual([70_000, 9]);
    expect(searchLibrary({ installed: folder, env: {} }).found).toEqual({
      file: join(folder, "tensorflow", "libtensorflow_cc.so.2"),
      source: "engine install",
    });
    expect(said).toEqual(["unpacking good.whl"]);
  });

  it("adds LLVM with its licences, and leaves TensorFlow as it is", async () => {
    const { folder, run } = installer("both");
    await run({ wheel: [wheel("tensorflow.whl")] });
    const { fetched, parts } = await run({ wheel: [llvmWheel()] });
    expect(fetched).toEqual([["llvmlite", true]]);
    expect(parts[0]).toMatchObject({ version: "0.50.0", bytes: 30_022, variable: "ATMOREP_LLVM" });
    expect(readdirSync(folder)).toEqual(["llvmlite", "tensorflow"]);
    expect(readdirSync(join(folder, "llvmlite"))).toEqual([
      "LICENSE",
      "LICENSE.thirdparty",
      "installed.json",
      "libllvmlite.so",
    ]);
    expect(findLlvm({ installed: folder, env: {}, platform: "linux" })?.source).toBe("engine install");
  });

  it("leaves what was there if a wheel is damaged", async () => {
    const { folder, run } = installer("kept");
    await run({ wheel: [wheel("before.whl"), llvmWheel()] });
    const changed = { ...FILES, "tensorflow/libtensorflow_framework.so.2": Buffer.from("other code") };
    const changedLlvm = { ...LLVM_FILES, "llvmlite/binding/libllvmlite.so": Buffer.from("other") };
    const attempts: [string, RegExp][] = [
      [wheel("changed.whl", changed, FILES), /libtensorflow_framework.*does not have its checksum/],
      [wheel("llvm.whl", changedLlvm, LLVM_FILES, "llvmlite-0.50.0"), /libllvmlite\.so.*does not have its checksum/],
      [wheel("unlisted.whl", FILES, {}), /does not have its checksum/],
      [
        wheel("empty.whl", { "other/file.py": Buffer.from("") }),
        /no library of TensorFlow, LLVM, blosc2 or eccodeslib in the wheel/,
      ],
    ];
    const cut = join(root, "cut.whl");
    writeFileSync(cut, readFileSync(wheel("whole.whl")).subarray(0, 300));
    attempts.push([cut, /cut\.whl/]);
    for (const [path, message] of attempts) {
      await expect(installEngine({ folder, wheel: [path] })).rejects.toThrow(message);
    }
    usePip({});
    expect((await run()).fetched).toEqual([
      ["TensorFlow", false],
      ["llvmlite", false],
    ]);
  });
});

describe("hostile wheels", () => {
  const outside = [
    "nvidia/../../outside/lib/code.so",
    "nvidia/x/lib/../../../../code/lib/x.so",
    "nvidia//lib/x.so",
    "nvidia/./lib/x.so",
    "nvidia/a\\..\\..\\b/lib/x.so",
    "nvidia/c:/lib/x.so",
  ];
  it.each(outside)("writes nothing outside its folder for an entry %s", async (entry) => {
    const { folder, run } = installer("outside");
    const hostile = wheel("hostile.whl", { ...FILES, [entry]: Buffer.from("code") });
    await expect(run({ wheel: [hostile] })).rejects.toThrow(
      /hostile\.whl.*outside its folder|outside its folder.*hostile/s,
    );
    expect(existsSync(folder)).toBe(false);
    expect(existsSync(join(root, "outside", "outside"))).toBe(false);
  });

  it("refuses an entry that is longer than it says, before it is written whole", async () => {
    const { run } = installer("bomb");
    const path = wheel("bomb.whl", { ...FILES, "tensorflow/libtensorflow_cc.so.2": Buffer.alloc(5_000_000) });
    const bytes = readFileSync(path);
    // the size in the directory at the end
    const entry = bytes.lastIndexOf("tensorflow/libtensorflow_cc.so.2") - 46;
    expect(bytes.readUInt32LE(entry + 24)).toBe(5_000_000);
    bytes.writeUInt32LE(100, entry + 24);
    writeFileSync(path, bytes);
    await expect(run({ wheel: [path] })).rejects.toThrow(
      /bomb\.whl.*does not have its size|does not have its size.*bomb/s,
    );
  });

  it("says of any flipped byte what is wrong, or leaves it be where it means nothing", async () => {
    const whole = readFileSync(wheel("flips.whl"));
    const { folder } = installer("flips");
    for (let at = 0; at < whole.length; at += 23) {
      const path = join(root, "flipped.whl");
      const bytes = Buffer.from(whole);
      bytes[at] ^= 0x41;
      writeFileSync(path, bytes);
      await installEngine({ folder, wheel: [path] }).catch((error: unknown) => {
        expect(error, `byte ${at}: ${(error as Error).stack}`).toBeInstanceOf(AtmorepError);
      });
    }
  });
});

describe("with pip", () => {
  const wheels = () => ({ tensorflow: wheel("tensorflow.whl"), llvmlite: llvmWheel() });

  it("fetches what is missing, of another version or damaged, and nothing else", async () => {
    const { folder, run } = installer("missing");
    const asked = usePip(wheels());
    expect((await run({ kernels: false })).fetched).toEqual([["TensorFlow", true]]);
    expect((await run()).fetched).toEqual([
      ["TensorFlow", false],
      ["llvmlite", true],
    ]);
    truncateSync(join(folder, "llvmlite", "libllvmlite.so"), 29_999);
    expect((await run()).fetched[1]).toEqual(["llvmlite", true]);
    writeFileSync(join(folder, "tensorflow", "libtensorflow_framework.so.2"), "same size");
    expect((await run()).fetched[0]).toEqual(["TensorFlow", true]);
    await run({ wheel: [wheel("old.whl", FILES, FILES, "tensorflow_cpu-2.20.0")] });
    expect((await run()).fetched[0]).toEqual(["TensorFlow", true]);
    const llvm = "llvmlite==0.50.0";
    const tensorflow = expect.stringMatching(/^tensorflow(-cpu)?==2\.21\.0$/);
    expect(withoutBlosc(asked())).toEqual([tensorflow, llvm, llvm, tensorflow, tensorflow]);
  });

  it("leaves TensorFlow installed where LLVM cannot be fetched, and says so", async () => {
    const { folder, run } = installer("nollvm");
    usePip({ tensorflow: wheel("tensorflow.whl") });
    const { parts, failed } = await run();
    expect(parts.map(({ name }) => name)).toEqual(["TensorFlow"]);
    expect(failed?.exitCode).toBe(1);
    expect(failed?.message).toMatch(/works, but.*LLVM.*missing.*no index here.*atmorep engine install.*--no-kernels/s);
    expect(readdirSync(folder)).toEqual(["tensorflow"]);
  });

  it.runIf(process.platform === "linux" && process.arch === "x64")(
    "fetches no LLVM for a GPU, and another TensorFlow",
    async () => {
      const { folder, run } = installer("gpu");
      const nvidia = { "nvidia/cublas/lib/libcublas.so.12": Buffer.from("GPU code") };
      const asked = usePip({
        "nvidia-": wheel("gpu.whl", { ...FILES, ...nvidia }),
        tensorflow: wheel("cpu.whl"),
      });
      await run({ kernels: false });
      const { fetched, said } = await run({ gpu: true });
      expect(fetched).toEqual([["TensorFlow", true]]);
      expect(said.join("\n")).toMatch(/without LLVM: .*processors/);
      expect(readdirSync(folder)).toEqual(["nvidia", "tensorflow"]);
      expect((await run({ gpu: true })).fetched).toEqual([["TensorFlow", false]]);
      await run({ kernels: false });
      expect(readdirSync(folder)).toEqual(["tensorflow"]);
      expect(withoutBlosc(asked())).toHaveLength(3);
    },
  );

  it("fetches libblosc2 alone, refuses another wheel than the tested one, and finds what it unpacked", async () => {
    const { folder, run } = installer("blosc");
    const blosc = wheel("blosc2.whl", BLOSC_FILES, BLOSC_FILES, "blosc2-4.14.1");
    const asked = usePip({ blosc2: blosc });
    await expect(run({ only: "blosc" })).rejects.toThrow(/blosc2.*is not the one that was tested.*SHA-256/s);
    expect(asked()).toEqual(["blosc2==4.14.1"]);
    const { parts } = await run({ wheel: [blosc] });
    expect(parts).toMatchObject([{ name: "blosc2", version: "4.14.1", variable: "ATMOREP_BLOSC", fetched: true }]);
    expect(readdirSync(join(folder, "blosc2"))).toEqual(["LICENSE.txt", "installed.json", "libblosc2.so"]);
    expect((await run({ only: "blosc" })).fetched).toEqual([["blosc2", false]]);
    const search = findLibraries(BLOSC, { installFolder: folder, env: {}, cwd: root });
    expect(search.found[0]).toEqual({ path: join(folder, "blosc2", "libblosc2.so"), source: "engine install" });
  });

  it("fetches ecCodes only if it is asked for, in two wheels, and finds what it unpacked", async () => {
    const { folder, run } = installer("eccodes");
    const eccodes = wheel("eccodeslib.whl", ECCODES_FILES, ECCODES_FILES, "eccodeslib-2.50.0.33");
    const eckit = wheel("eckitlib.whl", ECKIT_FILES, ECKIT_FILES, "eckitlib-2.5.0.33");
    const asked = usePip({ eccodeslib: eccodes, eckitlib: eckit });
    await expect(run({ only: "eccodes" })).rejects.toThrow(/is not the one that was tested.*SHA-256/s);
    expect(asked()).toHaveLength(1);
    const { parts } = await run({ wheel: [eccodes, eckit] });
    expect(parts).toMatchObject([
      { name: "eccodeslib", version: "2.50.0.33", variable: "ATMOREP_ECCODES", fetched: true },
    ]);
    const files = readdirSync(join(folder, "eccodes"), { recursive: true }) as string[];
    expect(files.filter((file) => /\.(so|h)|LICENSE|grib_ls/.test(file)).sort()).toEqual([
      "eccodeslib/LICENSE",
      "eccodeslib/lib64/libeccodes.so",
      "eccodeslib/lib64/libeccodes_memfs.so",
      "eckitlib.libs/libproj-1.so.25",
      "eckitlib/lib64/libeckit_geo.so",
    ]);
    expect((await run({ only: "eccodes" })).fetched).toEqual([["eccodeslib", false]]);
    const found = { path: join(folder, "eccodes", "eccodeslib", "lib64", "libeccodes.so"), source: "engine install" };
    expect(findEccodes({ installFolder: folder, env: {}, cwd: root }).found[0]).toEqual(found);
    const named = findEccodes({ env: { ATMOREP_ECCODES: join(folder, "eccodes") }, cwd: root });
    expect(named.found).toEqual([{ path: found.path, source: "ATMOREP_ECCODES" }]);
  });

  it("refuses wheels of TensorFlow and LLVM other than the tested ones", async () => {
    const { folder } = installer("untested");
    usePip(wheels());
    for (const list of Object.values(tested)) list.length = 0;
    await expect(installEngine({ folder })).rejects.toThrow(/tensorflow.*is not the one that was tested.*SHA-256/s);
    await expect(installEngine({ folder, only: "llvm" })).rejects.toThrow(/llvmlite.*not the one that was tested/s);
    expect(existsSync(folder)).toBe(false);
  });

  it("says what to do where pip does not work", async () => {
    const { folder } = installer("nopip");
    vi.stubEnv("PATH", root);
    await expect(installEngine({ folder })).rejects.toThrow(/pip could not download.*engine install --wheel FILE/s);
    expect(existsSync(folder)).toBe(false);
  });

  it("leaves nothing behind when it is stopped", async () => {
    const { folder } = installer("stopped");
    mkdirSync(join(folder, ".."), { recursive: true });
    usePip(wheels());
    const stop = new AbortController();
    const report = () => stop.abort();
    await expect(installEngine({ folder, report, signal: stop.signal })).rejects.toThrow(/abort/);
    expect(readdirSync(join(folder, ".."))).toEqual([]);
  });
});
