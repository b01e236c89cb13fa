import { afterAll, describe, expect, it } from "vitest";
import { createConverter, typescript, versions } from "../../src/kernel/tslab.js";

const converter = createConverter({ globals: "declare const shared: number;" });
afterAll(() => converter.close());

describe("what the kernel relies on in tslab", () => {
  it("is the pinned version, with its own TypeScript", () => {
    expect(versions()).toEqual({ tslab: "1.0.22", typescript: "5.0.4" });
    expect(typeof typescript.createWatchCompilerHost).toBe("function");
    expect(typeof Reflect.get(typescript, "bindSourceFile")).toBe("function");
  });

  it("carries declarations from cell to cell and names the last value", () => {
    const first = converter.convert("", "const a: number = shared;\na + 1");
    expect(first).toMatchObject({ diagnostics: [], resultName: "tsLastExpr" });
    const second = converter.convert(first.declarations, "a.toFixed()");
    expect(second.diagnostics).toEqual([]);
    expect(second.code).toContain("exports.a.toFixed()");
  });

  it("spells out shorthand properties that name an earlier cell's declaration", () => {
    const { declarations } = converter.convert("", "const a = 1; let b = 2;");
    const code = (source: string) => converter.convert(declarations, source).code;
    expect(code("({ a })")).toContain("({ a: exports.a })");
    expect(code("({ b = a } = { b: 1 } as { b?: number })")).toContain("({ b: exports.b = exports.a } =");
    expect(code("const a = 5; ({ a, b })")).toContain("({ a, b: exports.b })");
  });

  it("compiles with our options, to code in which loops and awaits can be stopped", () => {
    expect(converter.convert("", "function f(x) { return x; }").diagnostics).toHaveLength(1);
    const cell = converter.convert("", "for (let i = 0; i < 3; i++) await null;");
    expect(cell.code).toContain("__kernel__.check()");
    expect(cell.code).toContain("__kernel__.resume(__run__, await null)");
  });

  it("maps lines back to the cell, past what compiles to nothing", () => {
    const cell = converter.convert("", "interface Gone {\n  a: number;\n}\nthrow new Error('x');");
    const line = cell.code.split("\n").findIndex((text) => text.includes("throw")) + 1;
    expect(cell.lines.find({ line, column: 1 })).toEqual({ line: 4, column: 1 });
  });

  it("lists what a cell imports", () => {
    expect(converter.convert("", 'import { join } from "node:path"; join("a")').imports).toEqual(["node:path"]);
  });

  it("compiles local modules that a cell imports, and what they import", () => {
    const cell = converter.convert("", 'import { three } from "./test/kernel/fixtures/three.js"; three');
    expect(cell.diagnostics).toEqual([]);
    expect(cell.modules.map(({ path }) => path.replace(/^.*\//, "")).sort()).toEqual(["three.js", "two.js"]);
  });
});
