import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { loadCached } from "../../src/kernel/compile/codeCache.js";
import { addDocs, withoutDocs } from "../../src/kernel/compile/docComments.js";
import { createConverter } from "../../src/kernel/compile/tslab.js";
import { typePackages } from "../../src/kernel/compile/typePackages.js";
import { loadTypeScript } from "../../src/kernel/compile/typescript.js";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "start-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  mkdirSync(join(path, ".."), { recursive: true });
  writeFileSync(path, text);
  return path;
}

describe("compiled code from start to start", () => {
  const source = "const { sep } = require('path'); exports.square = (n) => n * n; exports.sep = sep;";

  it("is kept once and used again; a changed file is read anew", () => {
    const cache = join(folder, "cache");
    const path = file("big.js", source);
    for (let start = 0; start < 2; start++) {
      const { exports, save } = loadCached(path, cache, "1.2.3");
      expect((exports as { square(n: number): number }).square(3)).toBe(9);
      expect(createRequire(path)(path)).toBe(exports);
      save();
      expect(readdirSync(cache)).toHaveLength(1);
    }
    file("big.js", `${source} exports.more = 1;`);
    expect(loadCached(path, cache, "1.2.3").exports).toHaveProperty("more", 1);
  });

  it("is replaced where it cannot be used", () => {
    const cache = join(folder, "broken");
    const path = file("broken.js", `${source} exports.own = 1;`);
    const { size, mtimeMs } = statSync(path);
    const name = `broken.js-1.2.3-${size}-${Math.round(mtimeMs)}-${process.version}-${process.arch}.bin`;
    const kept = file(`broken/${name}`, "not V8's");
    const { exports, save } = loadCached(path, cache, "1.2.3");
    save();
    expect(exports).toHaveProperty("own", 1);
    expect(readdirSync(cache)).toEqual([name]);
    expect(readFileSync(kept).length).toBeGreaterThan(100);
  });

  it("is not needed: a folder that cannot be written changes nothing", () => {
    const path = file("other.js", source);
    const { exports, save } = loadCached(path, join(path, "below-a-file"), "1.2.3");
    save();
    expect(exports).toHaveProperty("square");
  });
});

describe("documentation of libraries", () => {
  const text = [
    "/** First. */ export interface A {",
    "  /**",
    "   * Of b. @deprecated",
    "   */",
    "  b: number;",
    '  c: "/** not one */";',
    "}",
    "/**/ export declare function d(): A;",
  ].join("\n");

  it("is left out without moving anything, and comes back as TypeScript reads it", () => {
    const ts = loadTypeScript();
    const parse = (given: string) => ts.createSourceFile("a.d.ts", given, ts.ScriptTarget.Latest, true);
    const bare = withoutDocs(text);
    expect(bare).toHaveLength(text.length);
    expect(bare).toContain('c: "/** not one */"');
    const shape = (node: object) => {
      const { kind, pos, end, flags, jsDoc } = node as Record<string, unknown>;
      const docs = (jsDoc as { comment: unknown; tags?: unknown[] }[] | undefined)?.map((doc) => [
        doc.comment,
        doc.tags?.length,
      ]);
      const children: unknown[] = [];
      ts.forEachChild(node as never, (child) => void children.push(shape(child)));
      return { kind, pos, end, flags, docs, children };
    };
    const file = parse(bare);
    expect(shape(file)).not.toEqual(shape(parse(text)));
    addDocs(ts, file, text);
    expect(shape(file)).toEqual(shape(parse(text)));
  });

  it("is shown by inspection, of libraries read before and after, and one by one beforehand", () => {
    const converter = createConverter({ globals: "" });
    expect(converter.convert([], "1").diagnostics).toEqual([]);
    expect(converter.readDocs()).toBe(true);
    const shown = (source: string) => converter.inspect([], source, source.length)?.plain;
    expect(shown("Math.max")).toContain("Returns the larger of a set of supplied numeric");
    expect(shown('import { zip } from "fflate"; zip')).toContain("Asynchronously creates a ZIP");
    while (converter.readDocs());
    expect(shown("Math.min")).toContain("Returns the smaller of a set of supplied numeric");
    converter.close();
  });
});

describe("packages of types whose globals cells see", () => {
  it("are Node's and those that a package.json in the folder or above asks for", () => {
    const root = file("project/node_modules/@types/node/index.d.ts", "").replace(/\/node\/index\.d\.ts$/, "");
    file("project/node_modules/@types/asked/index.d.ts", "");
    file("project/node_modules/@types/above/index.d.ts", "");
    file("project/node_modules/@types/other/index.d.ts", "");
    file("project/package.json", '{ "dependencies": { "@types/above": "1", "@types/missing": "1" } }');
    file("project/inner/package.json", '{ "devDependencies": { "@types/asked": "1", "plain": "1" } }');
    expect(typePackages(join(folder, "project/inner"), [root])).toEqual(["node", "asked", "above"]);
    file("project/inner/package.json", "not JSON");
    expect(typePackages(join(folder, "project/inner"), [root])).toEqual(["node", "above"]);
  });
});
