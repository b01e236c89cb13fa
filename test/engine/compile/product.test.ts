import { describe, expect, it } from "vitest";
import { orientation } from "../../../src/engine/compile/product.js";
import fc from "../../support/property.js";

describe("products whose first operand is transposed", () => {
  it("transpose the wider operand themselves, unless it is much wider", () => {
    expect(orientation([960, 512], [960, 256])).toBe("first");
    expect(orientation([960, 256], [960, 512])).toBe("second");
    expect(orientation([480, 480], [480, 32])).toBe("second");
    expect(orientation([480, 32], [480, 480])).toBe("first");
  });

  it("stay as they are where there is little to gain", () => {
    expect(orientation([16, 512], [16, 256])).toBeNull();
    expect(orientation([960, 512], [960, 1])).toBeNull();
  });

  it("copy at most four times the narrower operand", () => {
    const size = fc.integer({ min: 2, max: 2000 });
    fc.assert(
      fc.property(size, size, (m, n) => {
        const copied = orientation([100, m], [100, n]) === "first" ? m : n;
        expect(copied).toBeLessThanOrEqual(4 * Math.min(m, n));
      }),
    );
  });
});
