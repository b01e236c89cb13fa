import { describe, expect, it } from "vitest";
import { codePointsBefore, unitsBefore } from "../../src/kernel/compile/positions.js";
import { answerHistory } from "../../src/kernel/history.js";
import { decode, encode } from "../../src/kernel/wire/message.js";
import { createRingMemory, RingReader, RingWriter } from "../../src/kernel/wire/ring.js";
import fc from "../support/property.js";

describe("messages", () => {
  it("come back as they were sent, and are refused under another key", () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.string(), (value, key) => {
        const frames = encode(key, ["to"], "stream", {}, { value }, "session").map((frame) => Buffer.from(frame));
        expect(decode(key, frames).content).toEqual(JSON.parse(JSON.stringify({ value })));
        expect(() => decode(`${key}!`, frames)).toThrow("signature");
      }),
    );
  });
});

describe("the ring", () => {
  it("gives back every text in order, whatever the sizes", () => {
    const memory = createRingMemory(1 << 20);
    const writer = new RingWriter(memory, () => {});
    const reader = new RingReader(memory);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.string({ unit: "grapheme" }), fc.integer({ min: 0, max: 20_000 }))),
        (pieces) => {
          for (const [text, times] of pieces.slice(0, 20)) {
            const whole = text.repeat(Math.min(times, Math.floor(200_000 / Math.max(1, text.length))));
            writer.write("stdout", 7, whole, true);
            const got: Buffer[] = [];
            for (let frame = reader.read(); frame !== undefined; frame = reader.read()) {
              expect(frame).toMatchObject({ kind: "stdout", run: 7 });
              got.push(frame.bytes);
            }
            expect(Buffer.concat(got).toString("utf8") === whole).toBe(true);
          }
        },
      ),
    );
  });
});

describe("positions", () => {
  it("in code points and in UTF-16 units agree", () => {
    fc.assert(
      fc.property(fc.string({ unit: "grapheme" }), fc.nat(40), (text, n) => {
        const count = Math.min(n, Array.from(text).length);
        expect(codePointsBefore(text, unitsBefore(text, count))).toBe(count);
      }),
    );
  });
});

describe("history", () => {
  const entries = ["a", "b", "a"].map((code, i) => ({ line: i + 1, code, output: null }));
  it("is answered by tail, range and pattern", () => {
    expect(answerHistory(entries, { hist_access_type: "tail", n: 2 }).history).toEqual([
      [1, 2, "b"],
      [1, 3, "a"],
    ]);
    expect(
      answerHistory(entries, { hist_access_type: "range", session: 0, start: 1, stop: 2, output: true }).history,
    ).toEqual([[1, 1, ["a", null]]]);
    expect(answerHistory(entries, { hist_access_type: "search", pattern: "a*", unique: true }).history).toEqual([
      [1, 3, "a"],
    ]);
  });
});
