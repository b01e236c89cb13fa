import { expect, it } from "vitest";
import { murmur2 } from "../../src/kernel/debug/murmur2.js";

it("hashes a cell's text as ipykernel and JupyterLab do", () => {
  // ipykernel.compiler.murmur2_x86(text, 0xC70F6907), ipykernel 7.4.0
  const expected: [string, number][] = [
    ["", 3990065800],
    ["a", 2167009006],
    ["ab", 2805137849],
    ["abc", 3350977461],
    ["abcd", 804720481],
    ["const a = 1;\na", 677432125],
    ["äöü €", 3580230846],
    ["😀 = 12345", 1561847882],
    ["x".repeat(1001), 2469510316],
  ];
  for (const [text, hash] of expected) expect(murmur2(text, 0xc70f6907), text).toBe(hash);
});
