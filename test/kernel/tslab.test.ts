import { afterAll, describe, expect, it } from "vitest";
import { createConverter, versions } from "../../src/kernel/compile/tslab.js";
import { loadTypeScript } from "../../src/kernel/compile/typescript.js";

const converter = createConverter({ globals: "declare const shared: number;" });
afterAll(() => converter.close());

describe("what the kernel relies on in tslab", () => {
  it("is the pinned version, with its own TypeScript", () => {
    expect(versions()).toEqual({ tslab: "1.0.22", typescript: "5.9.3" });
    const typescript = loadTypeScript();
    expect(typeof typescript.createWatchCompilerHost).toBe("function");
    expect(typeof Reflect.get(typescript, "bindSourceFile")).toBe("function");
  });

  it("carries declarations from cell to cell and names the last value", () => {
    const first = converter.convert([], "const a: number = shared;\na + 1");
    expect(first).toMatchObject({ diagnostics: [], resultName: "tsLastExpr" });
    const second = converter.convert(first.declarations, "a.toFixed()");
    expect(second.diagnostics).toEqual([]);
    expect(second.code).toContain("exports.a.toFixed()");
  });

  it("carries declarations of all cells, compiled with what a cell mentions, redeclared names as they were last", () => {
    let { declarations } = converter.convert(
      [],
      "interface P { x: number }\nconst a: P = { x: 1 }; class K { k = 1; }",
    );
    for (const source of [
      'import { sep } from "node:path";\nimport type { PathLike } from "node:fs";',
      "function f(n: number): P;\nfunction f(n: string): string;\nfunction f(n: unknown): unknown { return n; }",
      "const b = f(1); type Both = [P, K]; enum Side { left, right }",
      "const where: PathLike = sep; let u = 0, v = 0; namespace N { export const n = 1; }",
      "a.x + N.n; const \\u0061b = 1;",
      "let u = 'text'; class K { k = 'text'; }",
    ]) {
      const cell = converter.convert(declarations, source);
      expect(cell.diagnostics, source).toEqual([]);
      declarations = cell.declarations;
    }
    const faults = (source: string) => converter.convert(declarations, source).diagnostics.map((d) => d.messageText);
    expect(
      faults("const s: string = u; const k: string = new K().k; const n: number = v + b.x + N.n + Side.left"),
    ).toEqual([]);
    expect(
      faults("const both: Both = [a, new K()]; const t: string = f('') + sep + where.toString(); a\\u0062"),
    ).toEqual([]);
    expect(faults("const n: number = u")).toEqual(["Type 'string' is not assignable to type 'number'."]);
    expect(faults("wher")).toEqual(["Cannot find name 'wher'. Did you mean 'where'?"]);
    expect(converter.complete(declarations, "whe", 3).candidates.map(({ text }) => text)).toContain("where");
    expect(converter.inspect(declarations, "where", 3)?.plain).toContain("const where: PathLike");
  });

  it("carries declarations whose types name modules: shadowed, in other cells' types, under another name", () => {
    let declarations: ReturnType<typeof converter.convert>["declarations"] = [];
    const cell = (source: string) => {
      const { declarations: after, diagnostics } = converter.convert(declarations, source);
      declarations = after;
      return diagnostics.map(({ messageText }) => messageText);
    };
    expect(
      cell('const stats: import("node:fs").Stats | null = null; const other: import("node:net").Socket[] = [];'),
    ).toEqual([]);
    expect(cell("interface Named { of: typeof stats; sockets: typeof other }")).toEqual([]);
    expect(cell('import { type Stats as FileStats, statSync as look } from "node:fs"; const own = look(".");')).toEqual(
      [],
    );
    expect(cell("1 + 1")).toEqual([]);
    expect(cell("const named: Named = { of: own, sockets: other }; const size: number = named.of?.size ?? 0;")).toEqual(
      [],
    );
    expect(cell("const kept: FileStats = own; type Both = [FileStats, Named['sockets']];")).toEqual([]);
    expect(cell("const wrong: Both = [own, [own]];")).toHaveLength(1);
    expect(cell("let stats = 'text'; const look = 1; stats.length + look;")).toEqual([]);
    expect(cell("const n: number = stats;")).toEqual(["Type 'string' is not assignable to type 'number'."]);
    expect(cell("const f: FileStats = look;")).toEqual(["Type 'number' is not assignable to type 'Stats'."]);
    expect(cell("kept.size; other.map((socket) => socket.remotePort)")).toEqual([]);
  });

  it("spells out shorthand properties that name an earlier cell's declaration", () => {
    const { declarations } = converter.convert([], "const a = 1; let b = 2;");
    const code = (source: string) => converter.convert(declarations, source).code;
    expect(code("({ a })")).toContain("({ a: exports.a })");
    expect(code("({ b = a } = { b: 1 } as { b?: number })")).toContain("({ b: exports.b = exports.a } =");
    expect(code("const a = 5; ({ a, b })")).toContain("({ a, b: exports.b })");
  });

  it("compiles with our options, to code in which loops and awaits can be stopped", () => {
    expect(converter.convert([], "function f(x) { return x; }").diagnostics).toHaveLength(1);
    const cell = converter.convert([], "for (let i = 0; i < 3; i++) await null;");
    expect(cell.code).toContain("__kernel__.check()");
    expect(cell.code).toContain("__kernel__.resume(__run__, await null)");
  });

  it("maps lines back to the cell, past what compiles to nothing", () => {
    const cell = converter.convert([], "interface Gone {\n  a: number;\n}\nthrow new Error('x');");
    const line = cell.code.split("\n").findIndex((text) => text.includes("throw")) + 1;
    expect(cell.lines.find({ line, column: 1 })).toEqual({ line: 4, column: 1 });
  });

  it("lists what a cell imports", () => {
    expect(converter.convert([], 'import { join } from "node:path"; join("a")').imports).toEqual(["node:path"]);
  });

  it("compiles local modules that a cell imports, and what they import", () => {
    const cell = converter.convert([], 'import { three } from "./test/kernel/fixtures/three.js"; three');
    expect(cell.diagnostics).toEqual([]);
    expect(cell.modules.map(({ path }) => path.replace(/^.*\//, "")).sort()).toEqual(["three.js", "two.js"]);
  });
});
