import { describe, expect, it } from "vitest";
import { type Carried, carry, mentioned, print } from "../../src/kernel/compile/carried.js";
import { loadTypeScript } from "../../src/kernel/compile/typescript.js";

const ts = loadTypeScript();
const carried = (all: readonly Carried[], used: readonly Carried[], output: string) => carry(ts, all, used, output);
const names = (declarations: readonly Carried[]) => declarations.map((declaration) => declaration.names);

describe("declarations carried from cell to cell", () => {
  const all = carried(
    [],
    [],
    `import path, { sep as separator } from "node:path";
import * as fs from "node:fs";
/** A place. */
interface Place { at: Other; }
type Other = typeof separator;
declare const a: Place, b: number;
declare function f(): void;
declare function f(n: number): void;
declare enum Side { left }
declare class K { }
declare namespace N { const inner: 1; }
declare const z: import("zarrita").Group<never>;
declare global { const everywhere: number; }
`,
  );

  it("are told by name", () => {
    const declared = [["path", "separator"], ["fs"], ["Place"], ["Other"], ["a", "b"], ["f"], ["f"], ["Side"], ["K"]];
    expect(names(all)).toEqual([...declared, ["N"], ["z"], []]);
    expect(print(all, all)).toContain("/** A place. */\ninterface Place");
  });

  it("go with a cell that mentions them, with what they mention and all imports, in order", () => {
    const always = [["path", "separator"], ["fs"]];
    expect(names(mentioned(all, "a + 1"))).toEqual([...always, ["Place"], ["Other"], ["a", "b"], []]);
    expect(names(mentioned(all, "f(2)"))).toEqual([...always, ["f"], ["f"], []]);
    expect(names(mentioned(all, "new K()"))).toEqual([...always, ["K"], []]);
    expect(names(mentioned(all, "aa + constructor"))).toEqual([...always, []]);
    expect(names(mentioned(all, "z"))).toEqual([...always, ["z"], []]);
    expect(mentioned(all, "\\u0061")).toEqual(all);
  });

  it("keep the modules that their types name in every program", () => {
    expect(print(mentioned(all, "1"), all)).toMatch(/^import "zarrita";\n/);
    expect(print([], [])).toBe("");
  });

  it("stay as they are where a cell does not mention them", () => {
    const used = mentioned(all, "let b = ''; N.inner");
    const rest = carried(
      all,
      used,
      'declare let b: string;\ndeclare const a: Place;\nimport path, { sep } from "node:path";',
    );
    expect(rest).toEqual(expect.arrayContaining(all.filter((declaration) => !used.includes(declaration))));
    expect(names(rest).filter((declared) => declared.includes("b"))).toEqual([["b"]]);
    expect(names(rest)).toContainEqual(["N"]);
  });

  it("lose a namespace whose name a cell declares", () => {
    const rest = carried(all, mentioned(all, "const N = 1"), "declare const N = 1;");
    expect(names(rest).filter((declared) => declared.includes("N"))).toEqual([["N"]]);
  });
});
