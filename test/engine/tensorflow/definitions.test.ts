import { describe, expect, it } from "vitest";
import { attribute, functionDefinition } from "../../../src/engine/tensorflow/index.js";

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString("hex");

describe("attributes on the wire", () => {
  // python: AttrValue(...).SerializeToString().hex() of tensorflow.core.framework
  it.each([
    ["string", attribute.string("ab"), "12026162"],
    ["int", attribute.int(300), "18ac02"],
    ["negative int", attribute.int(-1), "18ffffffffffffffffff01"],
    ["float", attribute.float(0.5), "250000003f"],
    ["bool", attribute.bool(true), "2801"],
    ["type", attribute.type(1), "3001"],
    ["shape", attribute.shape([2, 3]), "3a08120208021202080 3".replace(" ", "")],
    ["ints", attribute.ints([1, 2]), "0a041a020102"],
    ["tensor", attribute.tensor(1, [], new Uint8Array([0, 0, 0, 63])), "420a080112002204 0000003f".replace(" ", "")],
  ])("%s", (_, bytes, expected) => {
    expect(hex(bytes)).toBe(expected);
  });
});

it("a function lists arguments, nodes, results and effects", () => {
  const bytes = functionDefinition({
    name: "f",
    arguments: [{ name: "a", dtype: 1 }],
    nodes: [{ name: "n", op: "Neg", inputs: ["a"], attributes: { T: attribute.type(1) } }],
    results: [{ name: "o", dtype: 1, from: "n:y:0" }],
    effects: [],
  });
  expect(hex(bytes)).toBe(
    "0a11" + // signature
      "0a0166" + // name f
      "12050a01611801" + // a: float
      "1a050a016f1801" + // o: float
      "1a14" + // node
      "0a016e12034e65671a01612a070a0154120230 01".replace(" ", "") + // n, Neg, a, T: float
      "220a0a016f12056e3a793a30", // o: n:y:0
  );
});
