/** What tslab's converter takes from its fork of TypeScript is there in ours. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { expect, it } from "vitest";
import { withoutExports } from "../../src/kernel/compile/exported.js";
import { forkOf } from "../../src/kernel/compile/fork.js";
import { namesOnly } from "../../src/kernel/compile/namesFirst.js";
import { loadTypeScript } from "../../src/kernel/compile/typescript.js";

const ts = loadTypeScript();
const root = dirname(createRequire(import.meta.url).resolve("tslab/package.json"));

it("every name that tslab's converter asks TypeScript for exists, in TypeScript or in what stands for the fork", () => {
  const text = readFileSync(join(root, "dist", "converter.js"), "utf8");
  const names = [...new Set([...text.matchAll(/\bts\.(\w+(?:\.\w+)?)/g)].map((match) => match[1]))];
  const all = { ...ts, ...forkOf(ts) };
  const get = (name: string) =>
    name.split(".").reduce<unknown>((at, key) => (at as Record<string, unknown> | undefined)?.[key], all);
  expect(names).toContain("getPreEmitDiagnosticsOfFiles");
  expect(names.filter((name) => get(name) === undefined)).toEqual([]);
});

it("a cell's exports become plain declarations, with everything at its place", () => {
  const plain = (text: string) => withoutExports(ts, text);
  expect(plain("const exported = 1; // export")).toBe("const exported = 1; // export");
  expect(plain("export const a = 1;\r\nexport\tasync function f() {}")).toBe(
    "       const a = 1;\r\n      \tasync function f() {}",
  );
  expect(plain("@d export default abstract class K {}")).toBe("@d                abstract class K {}");
  expect(plain("export {\n  a,\n};\na")).toBe("        \n    \n  \na");
  for (const kept of ['export * from "x";', "export { a as b };", 'export { a } from "x";', "export = a;"]) {
    expect(plain(kept)).toBe(kept);
  }
  expect(plain("export default class {}")).toBe("export default class {}");
  expect(plain("export default 5")).toBe("               5");
});

it("the names of a cell need no program of their own, unless it has none", () => {
  const builder = ts.createAbstractBuilder([], { noLib: true, types: [] }, ts.createCompilerHost({}));
  const read = (text: string) => ts.createSourceFile("/cell.ts", text, ts.ScriptTarget.ESNext);
  const names = namesOnly(ts, builder, read("export {};\nconst a = 1; function f() { const inner = 2; }"));
  const file = names?.getSourceFile("/cell.ts") as unknown as { locals: Map<string, unknown> };
  expect([...file.locals.keys()].sort()).toEqual(["a", "f"]);
  expect(names?.getProgram()).toBe(builder.getProgram());
  expect(namesOnly(ts, builder, read("export {};\n1 + 1"))).toBeUndefined();
});
