import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { isAtmorepError } from "../../src/errors.js";
import {
  openSafetensors,
  readSafetensors,
  toFloat32,
  toNumbers,
  writeSafetensors,
} from "../../src/formats/safetensors.js";
import { bytesOf, type TensorSpec } from "../../src/formats/tensors.js";
import fc from "../support/property.js";
import { tempDir } from "../support/tempDir.js";

const spec = (
  name: string,
  shape: number[],
  data: ArrayBufferView,
  dtype: TensorSpec["dtype"] = "F32",
): TensorSpec => ({
  name,
  dtype,
  shape,
  read: () => bytesOf(data),
});

function file(header: string, data = Buffer.alloc(0), length = header.length): Buffer {
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(length));
  return Buffer.concat([prefix, Buffer.from(header), data]);
}

test("what is written is read: order, shapes, bits, metadata, aliases", async () => {
  const path = join(tempDir(), "w.safetensors");
  const tensors = [
    spec("2", [2, 1], Float32Array.of(Number.NaN, -0)),
    spec("1", [], Float64Array.of(Math.PI), "F64"),
    spec("empty", [0, 5], new Float32Array(0)),
    { ...spec("two", [2, 1], Float32Array.of(Number.NaN, -0)), aliasOf: "2" },
  ];
  await writeSafetensors(path, tensors, { moduleVersions: new Map([["a.b", 2]]), metadata: { note: "x" } });
  const opened = await openSafetensors(path);
  expect(opened.tensors.map(({ name, aliasOf }) => [name, aliasOf])).toEqual([
    ["2", undefined],
    ["1", undefined],
    ["empty", undefined],
    ["two", "2"],
  ]);
  expect(opened.moduleVersions).toEqual(new Map([["a.b", 2]]));
  expect(opened.metadata.get("note")).toBe("x");
  for (const tensor of tensors) {
    expect(Buffer.compare((await opened.read(tensor.name)).bytes, await tensor.read())).toBe(0);
  }
  await expect(opened.read("none")).rejects.toThrow("no tensor none");
  await opened.close();
  const bytes = await readFile(path);
  expect((8 + Number(bytes.readBigUInt64LE())) % 8).toBe(0);
});

test("half precisions become float32 exactly", () => {
  const halves = { dtype: "F16" as const, shape: [7] };
  const bits = Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x83ff, 0x7bff, 0x7c00, 0x8000);
  // expected: numpy.array([...], "<u2").view("<f2").astype("f4")
  expect([...toFloat32({ ...halves, bytes: bytesOf(bits) })]).toEqual([
    1,
    -2,
    5.9604644775390625e-8,
    -0.00006097555160522461,
    65504,
    Infinity,
    -0,
  ]);
  expect(toFloat32({ ...halves, shape: [1], bytes: bytesOf(Uint16Array.of(0x7e00)) })[0]).toBeNaN();
  const brain = { dtype: "BF16" as const, shape: [3], bytes: bytesOf(Uint16Array.of(0x3f80, 0xc049, 0x7f80)) };
  expect([...toFloat32(brain)]).toEqual([1, -3.140625, Infinity]);
  const long = { dtype: "I64" as const, shape: [2], bytes: bytesOf(BigInt64Array.of(-5n, 7n)) };
  expect([...toNumbers(long)]).toEqual([-5, 7]);
});

/** Its name would be read as another one. */
function damagedName(): Buffer {
  const bytes = file('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', Buffer.alloc(4));
  bytes[bytes.indexOf('"a"') + 1] = 0xff;
  return bytes;
}

describe("damage is told", () => {
  const one = '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}';
  test.each([
    ["empty", Buffer.alloc(3), /shorter than a safetensors header/],
    ["header beyond the end", file(one, Buffer.alloc(4), 1e6), /longer than the file/],
    ["an absurd header length", file(one, Buffer.alloc(4), 2 ** 52), /longer than the file/],
    ["no JSON", file("{nonsense"), /not JSON/],
    ["a list", file("[1]"), /not a JSON object/],
    ["a name that is no UTF-8", damagedName(), /header is not JSON in UTF-8/],
    ["data missing", file(one, Buffer.alloc(3)), /lies outside the file/],
    ["data left over", file(one, Buffer.alloc(5)), /have 5 bytes and the header describes 4/],
    ["unknown dtype", file(one.replace("F32", "F8_E4M3"), Buffer.alloc(4)), /unknown dtype F8_E4M3/],
    ["a shape that does not fit", file(one.replace("[1]", "[2]"), Buffer.alloc(4)), /do not fit \[2\] F32/],
    ["a negative size", file(one.replace("[1]", "[-1]"), Buffer.alloc(4)), /no valid shape/],
    ["an overflowing shape", file(one.replace("[1]", "[4503599627370496,4503599627370496,0]"), Buffer.alloc(4)), /fit/],
    [
      "overlapping tensors",
      file(`${one.slice(0, -1)},"b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}}`, Buffer.alloc(6)),
      /overlaps another/,
    ],
  ])("%s", async (_, bytes, message) => {
    const path = join(tempDir(), "bad.safetensors");
    await writeFile(path, bytes);
    await expect(readSafetensors(path)).rejects.toThrow(message);
    await expect(readSafetensors(path)).rejects.toSatisfy(isAtmorepError);
  });

  test("a missing file", async () => {
    await expect(readSafetensors(join(tempDir(), "none"))).rejects.toThrow("cannot be opened");
  });
});

test("fuzz: a mutated header gives tensors that fit their shapes or an AtmorepError", async () => {
  const dir = tempDir();
  const path = join(dir, "fuzz.safetensors");
  await writeSafetensors(path, [spec("a", [2, 2], new Float32Array(4)), spec("b", [3], new Float32Array(3))]);
  const whole = await readFile(path);
  const headerEnd = 8 + Number(whole.readBigUInt64LE());
  const mutation = fc.record({ at: fc.nat(headerEnd - 1), value: fc.nat(255) });
  await fc.assert(
    fc.asyncProperty(fc.array(mutation, { minLength: 1, maxLength: 4 }), fc.nat(whole.length), async (changes, cut) => {
      const bytes = Buffer.from(whole);
      for (const { at, value } of changes) bytes[at] = value;
      await writeFile(path, cut % 5 === 0 ? bytes.subarray(0, cut) : bytes);
      try {
        for (const { shape, bytes: data } of (await readSafetensors(path)).values()) {
          expect(
            data.length %
              Math.max(
                1,
                shape.reduce((a, b) => a * b, 1),
              ),
          ).toBe(0);
        }
      } catch (error) {
        if (!isAtmorepError(error)) throw error;
      }
    }),
    { numRuns: 1000 },
  );
});
