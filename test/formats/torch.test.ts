import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unzipSync, zipSync } from "fflate";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { isAtmorepError } from "../../src/errors.js";
import { readSafetensors } from "../../src/formats/safetensors.js";
import { bytesOf, type TensorFile, type TensorSpec } from "../../src/formats/tensors.js";
import { openTorch } from "../../src/formats/torch/reader.js";
import { unpickle } from "../../src/formats/torch/unpickle.js";
import { writeTorch } from "../../src/formats/torch/writer.js";
import { ZipReader } from "../../src/formats/zip/reader.js";
import { GOLDEN_DIR } from "../support/golden.js";
import fc from "../support/property.js";

const MODELS = join(GOLDEN_DIR, "run_bert", "models", "idabcd0865");
const WHOLE = join(MODELS, "AtmoRep_idabcd0865.mod");
const PART = join(MODELS, "AtmoRep_embeds_token_info_idabcd0865.mod");

let dir: string;
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "atmorep-torch-"));
});
afterAll(() => rm(dir, { recursive: true, force: true }));

function specs(file: TensorFile): TensorSpec[] {
  return file.tensors.map((info) => ({ ...info, read: async () => (await file.read(info.name)).bytes }));
}

async function pickleOf(path: string): Promise<Uint8Array> {
  const zip = await ZipReader.open(path);
  const entry = [...zip.entries.values()].find(({ name }) => name.endsWith("/data.pkl"));
  const bytes = await zip.read(entry!);
  await zip.close();
  return bytes;
}

describe("reading the reference's files", () => {
  test("names, order, shapes, values and shared storages", async () => {
    const file = await openTorch(WHOLE);
    const golden = await readSafetensors(join(GOLDEN_DIR, "run_bert", "tensors.safetensors"));
    const manifest = JSON.parse(await readFile(join(GOLDEN_DIR, "run_bert", "manifest.json"), "utf8"));
    expect(file.tensors.map((t) => t.name)).toEqual(manifest.values.state_dict_keys);
    for (const { name, dtype, shape } of file.tensors) {
      const expected = golden.get(`mod.${name}`)!;
      const actual = await file.read(name);
      expect({ dtype, shape }).toEqual({ dtype: expected.dtype, shape: expected.shape });
      expect(Buffer.compare(actual.bytes, expected.bytes)).toBe(0);
    }
    const aliases = file.tensors.filter((t) => t.aliasOf).map((t) => [t.name, t.aliasOf]);
    expect(aliases).toEqual([
      ["encoders.0.embed.weight", "embeds.0.weight"],
      ["encoders.0.embed.bias", "embeds.0.bias"],
      ["encoders.1.embed.weight", "embeds.1.weight"],
      ["encoders.1.embed.bias", "embeds.1.bias"],
    ]);
    expect(file.moduleVersions?.get("encoders.0.heads.0.softmax")).toBe(1);
    await file.close();
  });
});

describe("writing", () => {
  test.each([WHOLE, PART])("gives the reference's own pickle byte for byte: %s", async (source) => {
    const file = await openTorch(source);
    const copy = join(dir, "copy.mod");
    await writeTorch(copy, specs(file), { moduleVersions: file.moduleVersions });
    expect(Buffer.compare(await pickleOf(copy), await pickleOf(source))).toBe(0);
    const again = await openTorch(copy);
    expect(again.tensors).toEqual(file.tensors);
    for (const { name } of file.tensors) {
      expect(Buffer.compare((await again.read(name)).bytes, (await file.read(name)).bytes)).toBe(0);
    }
    await again.close();
    await file.close();
  });

  test("is deterministic, and data lie on 64-byte boundaries", async () => {
    const file = await openTorch(WHOLE);
    await writeTorch(join(dir, "a", "x.mod"), specs(file));
    await writeTorch(join(dir, "b", "x.mod"), specs(file));
    await file.close();
    const a = await readFile(join(dir, "a", "x.mod"));
    expect(a.equals(await readFile(join(dir, "b", "x.mod")))).toBe(true);
    const zip = await ZipReader.open(join(dir, "a", "x.mod"));
    for (const { offset } of zip.entries.values()) {
      const start = offset + 30 + a.readUInt16LE(offset + 26) + a.readUInt16LE(offset + 28);
      expect(start % 64).toBe(0);
    }
    await zip.close();
  });

  test("scalars, empty tensors, high ranks, more than a group of names, every dtype", async () => {
    const tensors: TensorSpec[] = [
      { name: "scalar", dtype: "F64", shape: [], read: () => bytesOf(Float64Array.of(1.5)) },
      { name: "empty", dtype: "F32", shape: [0, 3], read: () => new Uint8Array(0) },
      { name: "rank5", dtype: "I64", shape: [1, 2, 1, 2, 1], read: () => bytesOf(BigInt64Array.of(1n, -2n, 3n, 4n)) },
      ...(["F16", "BF16", "I16"] as const).map((dtype) => ({
        name: dtype,
        dtype,
        shape: [3],
        read: () => bytesOf(Uint16Array.of(1, 0x3c00, 0xffff)),
      })),
      ...(["I8", "U8", "BOOL"] as const).map((dtype) => ({
        name: dtype,
        dtype,
        shape: [1],
        read: () => Uint8Array.of(1),
      })),
      ...Array.from({ length: 1200 }, (_, i) => ({
        name: `many.${i}`,
        dtype: "I32" as const,
        shape: [1],
        read: () => bytesOf(Int32Array.of(i)),
      })),
    ];
    const path = join(dir, "all.mod");
    await writeTorch(path, tensors);
    const file = await openTorch(path);
    expect(file.tensors).toEqual(tensors.map(({ name, dtype, shape }) => ({ name, dtype, shape })));
    for (const tensor of tensors) {
      expect(Buffer.compare((await file.read(tensor.name)).bytes, await tensor.read())).toBe(0);
    }
    await file.close();
  });
});

/** A pickle by hand: `c` lines for globals. */
const pickle = (...parts: (string | number[])[]) =>
  Buffer.concat([Buffer.from([0x80, 2]), ...parts.map((p) => Buffer.from(p as string)), Buffer.from(".")]);

describe("refusals", () => {
  test.each([
    ["cos\nsystem\n", "os.system"],
    ["cbuiltins\neval\n", "builtins.eval"],
    ["ctorch._utils\n_rebuild_parameter\n", "torch._utils._rebuild_parameter"],
    ["ctorch.nn\nFloatStorage\n", "torch.nn.FloatStorage"],
  ])("a global is refused by name: %j", (text, name) => {
    expect(() => unpickle(pickle(text), "x.mod")).toThrow(`asks for ${name}, which is refused`);
  });

  test("attributes other than _metadata, and unknown operations", () => {
    const dict = [0x7d];
    const state = [0x7d, 0x58, 1, 0, 0, 0, 0x61, 0x4b, 1, 0x73];
    expect(() => unpickle(pickle(dict, state, [0x62]), "x")).toThrow('the attribute "a", which is refused');
    expect(() => unpickle(pickle([0x81]), "x")).toThrow("operation 0x81");
    expect(() => unpickle(pickle([0x4b, 1, 0x29, 0x52]), "x")).toThrow("a call of a value");
  });

  test.each([
    ["an empty file", Buffer.alloc(0)],
    ["not a zip", Buffer.from("not a zip archive at all")],
  ])("%s", async (_, bytes) => {
    const path = join(dir, "bad.mod");
    await writeFile(path, bytes);
    await expect(openTorch(path)).rejects.toThrow(/not a zip archive/);
  });

  test("a storage with bytes that came in between: what stands behind them would be other values", async () => {
    const path = join(dir, "longer.mod");
    const data = Buffer.from(Float32Array.of(1, 2, 3).buffer);
    await writeTorch(path, [{ name: "a", dtype: "F32", shape: [3], read: async () => data }]);
    const files = unzipSync(await readFile(path));
    const [name] = Object.keys(files).filter((entry) => entry.endsWith("/data/0"));
    const longer = Buffer.concat([data.subarray(0, 4), Buffer.alloc(4), data.subarray(4)]);
    await writeFile(path, zipSync({ ...files, [name]: longer }, { level: 0 }));
    await expect(openTorch(path)).rejects.toThrow(/tensor a has a storage of 16 bytes, not 12/);
  });

  test("a file cut anywhere is refused", async () => {
    const whole = await readFile(PART);
    const path = join(dir, "cut.mod");
    for (let length = 0; length < whole.length; length += 97) {
      await writeFile(path, whole.subarray(0, length));
      await expect(openTorch(path)).rejects.toSatisfy(isAtmorepError);
    }
  });
});

test("fuzz: mutated bytes give the same tensors or an AtmorepError, never anything else", async () => {
  const whole = await readFile(PART);
  const path = join(dir, "fuzz.mod");
  const original = await openTorch(PART);
  const expected = await Promise.all(original.tensors.map(async ({ name }) => (await original.read(name)).bytes));
  await original.close();
  const mutation = fc.record({ at: fc.nat(whole.length - 1), value: fc.nat(255) });
  await fc.assert(
    fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 6 }), async (mutations) => {
      const bytes = Buffer.from(whole);
      for (const { at, value } of mutations) bytes[at] = value;
      await writeFile(path, bytes);
      let file: TensorFile | undefined;
      try {
        file = await openTorch(path);
        for (const { name } of file.tensors) {
          const { bytes: read } = await file.read(name);
          expect(expected.some((tensor) => Buffer.compare(tensor, read) === 0)).toBe(true);
        }
      } catch (error) {
        if (!isAtmorepError(error)) throw error;
      } finally {
        await file?.close();
      }
    }),
    { numRuns: 1500 },
  );
});

test("fuzz: random pickles end in a value or an AtmorepError", () => {
  const opcodes = fc.constantFrom(...Buffer.from("(N\x88\x89KMJ}])\x85\x86\x87tsuae\x94qhrjRbQ."));
  fc.assert(
    fc.property(fc.array(fc.oneof({ weight: 4, arbitrary: opcodes }, fc.nat(255)), { maxLength: 60 }), (bytes) => {
      try {
        unpickle(Uint8Array.from([0x80, 2, ...bytes]), "fuzz");
      } catch (error) {
        if (!isAtmorepError(error)) throw error;
      }
    }),
    { numRuns: 5000 },
  );
});
