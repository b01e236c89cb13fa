import { expect, it } from "vitest";
import { operationTimes } from "../../../src/engine/tensorflow/stepStats.js";
import { Message } from "../../../src/engine/tensorflow/unwire.js";
import { float, join, part, whole } from "../../../src/engine/tensorflow/wire.js";
import fc from "../../support/property.js";

it("reads what was written", () => {
  const inner = fc.tuple(fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }), fc.string({ unit: "grapheme" }));
  fc.assert(
    fc.property(fc.array(inner), fc.float({ noNaN: true }), (entries, number) => {
      const message = new Message(
        join([...entries.map(([n, text]) => part(3, join([whole(1, n), part(200, text)]))), float(2, number)]),
      );
      expect(message.messages(3).map((entry) => [entry.whole(1), entry.text(200)])).toEqual(entries);
      expect(message.whole(2)).toBe(new Uint32Array(Float32Array.of(number).buffer)[0]);
      expect([message.whole(4), message.text(4), message.messages(4)]).toEqual([0, "", []]);
    }),
  );
});

it("refuses what is cut short or no message", () => {
  const bytes = part(1, "abc");
  for (let length = 1; length < bytes.length; length++) {
    expect(() => new Message(bytes.subarray(0, length))).toThrow(RangeError);
  }
  expect(() => new Message(Uint8Array.of(3))).toThrow(RangeError);
});

it("reads the times of operations, in nanoseconds or microseconds", () => {
  const label = (op: string) => part(8, `x = ${op}(a, b)`);
  const nanoseconds = join([part(1, "x"), whole(2, 5), whole(13, 5500), whole(14, 250), whole(15, 1250), label("Mul")]);
  const size = (n: number) => part(2, whole(1, n));
  const output = part(7, part(3, join([whole(1, 1), part(2, join([size(2), size(3)]))])));
  const microseconds = join([part(1, "y"), whole(2, 3), whole(3, 1), whole(4, 9), label("MatMul"), output]);
  const device = join([part(1, "/device:CPU:0"), part(2, nanoseconds), part(2, microseconds)]);
  expect(operationTimes(part(1, part(1, device)))).toEqual([
    { op: "MatMul", node: "y", device: "/device:CPU:0", start: 4, duration: 8, outputs: ["float32[2,3]"] },
    { op: "Mul", node: "x", device: "/device:CPU:0", start: 5.75, duration: 1, outputs: [] },
  ]);
});
