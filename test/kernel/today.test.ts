/** TypeScript of today in cells of a real kernel: what came after 5.0, `export`, `@ts-nocheck`, `tsconfig.json`. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { KernelClient } from "./client.js";

let kernel: KernelClient;
let folder = "";
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "today-"));
  kernel = await KernelClient.start(folder);
});
afterAll(async () => {
  await kernel.stop();
  rmSync(folder, { recursive: true, force: true });
});

/** The plain text that the cell's value is shown as. */
async function shown(code: string): Promise<unknown> {
  const { reply, of } = await kernel.execute(code);
  expect(reply, JSON.stringify(reply)).toMatchObject({ status: "ok" });
  return (of("execute_result")[0]?.data as Record<string, unknown> | undefined)?.["text/plain"];
}

/** The message of a cell that does not compile, and what is marked in it. */
async function refused(code: string): Promise<string> {
  const { reply } = await kernel.execute(code);
  expect(reply).toMatchObject({ status: "error", ename: "TypeScriptError" });
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the escape that begins a colour
  return (reply.traceback as string[]).join("\n").replace(/\u001b\[\d+m/g, "");
}

describe("JSON modules", () => {
  it("are imported with attributes, statically and dynamically, of the folder and of packages", async () => {
    writeFileSync(join(folder, "x.json"), '{ "width": 3 }');
    expect(await shown('import data from "./x.json" with { type: "json" };\ndata.width')).toBe("3");
    expect(await shown("data.width + 1")).toBe("4");
    expect(await shown('(await import("./x.json", { with: { type: "json" } })).default.width')).toBe("3");
    expect(await shown('import pack from "arquero/package.json" with { type: "json" };\npack.name')).toBe("'arquero'");
    expect(await shown('(await import("world-atlas/package.json", { with: { type: "json" } })).default.name')).toBe(
      "'world-atlas'",
    );
    expect(await refused('import wrong from "./x.json" with { type: "json" };\nwrong.height')).toContain(
      "> 2 | wrong.height",
    );
  });
});

describe("decorators", () => {
  it("are the standard ones, on classes, methods, fields and accessors, with their context", async () => {
    const seen = await shown(`const seen: string[] = [];
function note<T extends (this: never, ...args: never[]) => unknown>(method: T, context: ClassMethodDecoratorContext): T {
  seen.push(\`\${context.kind} \${String(context.name)} \${context.static}\`);
  return function (this: never, ...args: never[]) { seen.push("call"); return method.apply(this, args); } as T;
}
function sealed(made: abstract new (...args: never[]) => object, context: ClassDecoratorContext) {
  seen.push(\`\${context.kind} \${context.name}\`);
  context.addInitializer(() => void Object.seal(made));
}
const twice = (_: undefined, context: ClassFieldDecoratorContext) => (value: number) => context.private ? value : 2 * value;
function bounded<V>(target: ClassAccessorDecoratorTarget<V, number>, _: ClassAccessorDecoratorContext<V, number>) {
  return { set(this: V, value: number) { target.set.call(this, Math.min(9, value)); } };
}
@sealed class Box { @twice size = 4; @bounded accessor depth = 1; @note grow(by: number) { return this.size + by; } }
const box = new Box(); box.depth = 12;
[box.grow(1), box.depth, Object.isSealed(Box), ...seen].join(", ")`);
    expect(seen).toBe("'9, 9, true, method grow false, class Box, call'");
    expect(
      await shown("class Crate extends Box { @note empty() { return super.grow(2); } }\nnew Crate().empty()"),
    ).toBe("10");
  });

  it("have types that are checked", async () => {
    expect(
      await refused("function no(_: string, __: ClassMethodDecoratorContext) {}\nclass A { @no f() {} }"),
    ).toContain("> 2 | class A { @no f() {} }");
  });
});

describe("export in a cell", () => {
  it("is a declaration as any other", async () => {
    await kernel.execute("export const x = 1; export function f(n: number) { return n + x; }");
    expect(await shown("x + f(2)")).toBe("4");
    await kernel.execute(
      "export type N = number; export interface P { n: N }\nexport enum E { a = 7 }\nexport abstract class A { b = 2 }",
    );
    expect(await shown("class B extends A {} const p: P = { n: E.a }; new B().b + p.n")).toBe("9");
    expect(await shown("export const { a, b: [c] } = { a: 1, b: [2] };\nexport { x, c }; a + c")).toBe("3");
    expect(await shown("export default class Q { q = 5 }\nnew Q().q")).toBe("5");
    expect(await shown("export default x + 10")).toBe("11");
  });

  it("leaves the marks of errors where they were", async () => {
    const marked = await refused('const s = "export";\nexport const wrong: number = s;');
    expect(marked).toContain("> 2 | export const wrong: number = s;\n    |              ^");
    const { reply } = await kernel.execute(
      "\nexport default function late() {\n  throw new Error('here');\n}\nlate();",
    );
    expect((reply.traceback as string[]).join("\n")).toContain("> 3 |   throw new Error('here');\n    |         ^");
  });
});

describe("// @ts-nocheck", () => {
  it("at the head of a cell turns type errors off, for that cell", async () => {
    expect(await shown("// @ts-nocheck\nconst text: number = 'text'; function any(a) { return a; }\nany(text)")).toBe(
      "'text'",
    );
    expect(await shown("/* a */\n// why\n// @ts-nocheck loose\nany(any)('b' as number) + this?.c")).toBe(
      "'bundefined'",
    );
    expect(await refused("const text2: number = 'text';")).toContain("not assignable");
    expect(await refused("const a = 1;\n// @ts-nocheck\nconst text3: number = 'text';")).toContain("not assignable");
    expect((await kernel.execute("// @ts-nocheck\nmissing")).reply).toMatchObject({ ename: "ReferenceError" });
  });

  it("does not hide what is no TypeScript at all", async () => {
    expect(await refused("// @ts-nocheck\nconst = 3;")).toContain("> 2 | const = 3;");
  });
});

describe("tsconfig.json beside the notebook", () => {
  const loose = "function same(a) { return a; }\nsame(3)";
  const put = (text: string) => writeFileSync(join(folder, "tsconfig.json"), text);
  afterAll(() => rmSync(join(folder, "tsconfig.json"), { force: true }));

  it("says how strictly cells are checked, from the next cell on", async () => {
    expect(await refused(loose)).toContain("implicitly has an 'any' type");
    put('{\n  // a comment\n  "compilerOptions": { "strict": false, "noEmit": true, "target": "es5" } }');
    expect(await shown(loose)).toBe("3");
    put('{ "compilerOptions": { "noImplicitAny": false } }');
    expect(await shown(loose)).toBe("3");
    expect(await refused("const none: string = null;")).toContain("not assignable");
    put('{ "compilerOptions": { "noUncheckedIndexedAccess": true } }');
    expect(await refused("const first: number = [1][0];")).toContain("undefined");
    rmSync(join(folder, "tsconfig.json"));
    expect(await refused(loose)).toContain("implicitly has an 'any' type");
    expect(await shown("const first: number = [1][0]; first")).toBe("1");
  });

  it("may extend another, and ask for the older decorators", async () => {
    writeFileSync(join(folder, "base.json"), '{ "compilerOptions": { "experimentalDecorators": true } }');
    put('{ "extends": "./base.json" }');
    const old = `const kept: unknown[] = [];
function keep(_: object, name: string, at: PropertyDescriptor) { kept.push(name, typeof at.value); }
class Old { @keep f() {} }\nkept.join()`;
    expect(await shown(old)).toBe("'f,function'");
    rmSync(join(folder, "tsconfig.json"));
    expect(await refused(old)).toContain("> 3 | class Old { @keep f() {} }");
  });

  it("is an error of every cell while it is not JSON", async () => {
    put('{ "compilerOptions": { "strict": "yes" ');
    expect(await refused("1")).toMatch(/tsconfig\.json:1:\d+ - /);
    put('{ "extends": "./gone.json" }');
    expect(await refused("1")).toMatch(/tsconfig\.json:\d+:\d+ - .*gone\.json/);
    put("{}");
    expect(await shown("1")).toBe("1");
  });
});

describe("the language after 5.0", () => {
  it("has using declarations, disposed at the end of their block or cell", async () => {
    await kernel.execute(
      "const log: string[] = [];\nconst open = (name: string) => ({ name, [Symbol.dispose]() { log.push('-' + name); } });\n" +
        "const later = (name: string) => ({ async [Symbol.asyncDispose]() { await null; log.push('-' + name); } });",
    );
    expect(await shown("using a = open('a'); using b = open('b');\nlog.push(a.name + b.name);\nlog.join()")).toBe(
      "'ab'",
    );
    expect(await shown("log.join()")).toBe("'ab,-b,-a'");
    const code =
      "log.length = 0; { await using c = later('c'); for (using d of [open('d')]) log.push(d.name); }\nlog.join()";
    expect(await shown(code)).toBe("'d,-d,-c'");
    const { reply } = await kernel.execute("using e = open('e');\nthrow new Error('thrown');");
    expect(reply).toMatchObject({ evalue: "thrown" });
    expect((reply.traceback as string[]).join("\n")).toContain("> 2 | throw new Error('thrown');");
    expect(await shown("log.at(-1)")).toBe("'-e'");
    expect(await refused("\nusing f = { not: 'disposable' };")).toContain("> 2 | using f");
  });

  it("has satisfies, const type parameters, accessor, flags of regular expressions, NoInfer, inferred predicates", async () => {
    expect(await shown("const sizes = { a: 1 } satisfies Record<string, number>; sizes.a.toFixed(1)")).toBe("'1.0'");
    expect(
      await shown(
        'const tuple = <const T extends readonly unknown[]>(all: T) => all;\nconst t: readonly [1, "a"] = tuple([1, "a"]); t.length',
      ),
    ).toBe("2");
    expect(
      await shown(
        "class Meter { static accessor count = 2; accessor #own = 3; sum() { return this.#own + Meter.count; } }\nnew Meter().sum()",
      ),
    ).toBe("5");
    expect(await shown("/^\\p{Lu}$/v.test('A')")).toBe("true");
    expect(
      await shown(
        "const pick = <T extends string>(all: T[], one: NoInfer<T>) => all.indexOf(one); pick(['a', 'b'], 'b')",
      ),
    ).toBe("1");
    expect(await shown("const whole: number[] = [1, undefined, 2].filter((n) => n !== undefined); whole.length")).toBe(
      "2",
    );
  });
});
