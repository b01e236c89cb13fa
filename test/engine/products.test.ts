import { describe, expect, it } from "vitest";
import { askedProducts, noSuchProducts } from "../../src/engine/products.js";

describe("ATMOREP_PRODUCTS", () => {
  const asked = (value?: string) => askedProducts({ ATMOREP_PRODUCTS: value });

  it("asks for so many parts of each number, or for float32", () => {
    for (const value of [undefined, "", "float32"]) expect(asked(value)).toBeNull();
    expect(asked("bf16")).toEqual({ name: "bf16", parts: 1 });
    expect(asked("bf16x2")).toEqual({ name: "bf16x2", parts: 2 });
    expect(asked("bf16x3")).toEqual({ name: "bf16x3", parts: 3 });
  });

  it("is refused, with what there is", () => {
    expect(() => asked("tf32")).toThrow(
      "ATMOREP_PRODUCTS: not a precision of products; found tf32; expected float32, bf16x3, bf16x2, bf16",
    );
  });

  it("says why it cannot be had, and what to do", () => {
    const error = noSuchProducts({ name: "bf16", parts: 1 }, "no own kernels: LLVM was not found");
    expect(error.exitCode).toBe(2);
    expect(error.message).toMatch(/^ATMOREP_PRODUCTS=bf16: .*found no own kernels: LLVM was not found.*Unset/);
  });
});
