import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { KernelClient } from "./client.js";

let kernel: KernelClient;
beforeAll(async () => {
  kernel = await KernelClient.start("test");
});
afterAll(() => kernel.stop());

/** The plain text that the cell's value is shown as. */
async function shown(code: string): Promise<unknown> {
  const outcome = await kernel.execute(code);
  expect(outcome.reply, JSON.stringify(outcome.reply)).toMatchObject({ status: "ok" });
  return (outcome.of("execute_result")[0]?.data as Record<string, unknown> | undefined)?.["text/plain"];
}

describe("cells", () => {
  it("print, in order", async () => {
    const outcome = await kernel.execute('console.log("one"); console.error("two"); console.log("three");');
    expect(outcome.outputs.map((m) => m.content.text).filter(Boolean)).toEqual(["one\n", "two\n", "three\n"]);
  });

  it("show the value of their last expression", async () => {
    expect(await shown("6 * 7")).toBe("42");
    expect(await shown("null")).toBe("null");
    expect(await shown("undefined")).toBeUndefined();
    expect(await shown("Promise.resolve([1, 2])")).toBe("[ 1, 2 ]");
  });

  it("share variables, functions and types", async () => {
    await kernel.execute("interface Point { x: number }\nlet total = 1; function grow(p: Point) { total += p.x; }");
    expect(await shown("const p: Point = { x: 4 }; grow(p); total")).toBe("5");
    expect(await shown("let total = 'another type'; total")).toBe("'another type'");
  });

  it("use earlier variables, functions, classes and imports as shorthand properties", async () => {
    await kernel.execute(
      "import { sep } from 'node:path';\nconst cfg = 3; let n = 1; function f() { return 1; }\nclass K { k = 1; }",
    );
    expect(await shown("({ cfg })")).toBe("{ cfg: 3 }");
    expect(await shown("const take = (o: { cfg: number; n: number }) => o.cfg + o.n; take({ cfg, n })")).toBe("4");
    expect(await shown("[{ ...{ cfg } }, (() => ({ nested: { n } }))()]")).toBe("[ { cfg: 3 }, { nested: { n: 1 } } ]");
    expect(await shown("const all = { f, K, sep }; [all.f(), new all.K().k, all.sep.length]")).toBe("[ 1, 1, 1 ]");
    expect(await shown("((cfg: string) => ({ cfg, n }))('own')")).toBe("{ cfg: 'own', n: 1 }");
  });

  it("use earlier variables in destructuring and its defaults", async () => {
    await kernel.execute("const cfg = 3; let n = 1; const some: { n?: number } = {};");
    expect(
      await shown("function add({ a = cfg, n: b = n }: { a?: number; n?: number }) { return a + b; }\nadd({})"),
    ).toBe("4");
    expect(await shown("({ n } = { n: 5 }); n")).toBe("5");
    expect(await shown("({ n = cfg } = some); n")).toBe("3");
    expect(await shown("const { cfg: own = n, ...rest } = { cfg: 7, n }; ({ own, rest })")).toBe(
      "{ own: 7, rest: { n: 3 } }",
    );
  });

  it("use the last declaration of functions and classes", async () => {
    await kernel.execute("function f() { return 1; }\nclass K { k = 1; }\nconst call = () => f();");
    expect(
      await shown("function f() { return 2; }\nclass K { k = 2; }\nconst both = { f, K }; both.f() + new both.K().k"),
    ).toBe("4");
    expect(await shown("const later = { f, K, call }; [later.f(), new later.K().k, later.call()]")).toBe("[ 2, 2, 1 ]");
  });

  it("await at the top, also in loops", async () => {
    const code = "async function* three() { yield 1; yield 2; yield 3; }\nlet sum = 0;\n";
    expect(await shown(`${code}for await (const n of three()) sum += n;\nsum`)).toBe("6");
    expect(await shown("await new Promise<number>((done) => setTimeout(() => done(3), 5))")).toBe("3");
  });

  it("are checked strictly", async () => {
    const outcome = await kernel.execute("const a = 1;\nfunction f(x) { return x; }");
    expect(outcome.reply).toMatchObject({ status: "error", ename: "TypeScriptError" });
    expect(outcome.reply.evalue).toContain("implicitly has an 'any' type");
    expect((outcome.reply.traceback as string[]).join("\n")).toContain("> 2 | function f(x)");
    expect(
      (await kernel.execute("const s: string | undefined = undefined as string | undefined; s.length")).reply,
    ).toMatchObject({
      status: "error",
    });
  });

  it("import packages by their exports, built-in modules, the package itself, and modules that only import knows", async () => {
    expect(await shown('import * as zarr from "zarrita"; typeof zarr.open')).toBe("'function'");
    expect(await shown('import { readFileSync } from "node:fs"; typeof readFileSync')).toBe("'function'");
    expect(await shown('import path from "node:path"; path.join("a", "b")')).toBe("'a/b'");
    expect(await shown('const z2: typeof zarr = await import("zarrita"); z2.open === zarr.open')).toBe("true");
    expect(await shown('import * as aq from "arquero"; aq.table({ a: [1, 2] }).numRows()')).toBe("2");
  });

  it("keep what was defined before an error", async () => {
    await kernel.execute("const kept = [1]; kept.push(2); throw new Error('later');");
    expect(await shown("kept.length")).toBe("2");
  });

  it("say when a module is missing", async () => {
    const outcome = await kernel.execute('import * as x from "no-such-package";\nx');
    expect(outcome.reply).toMatchObject({ status: "error" });
    expect(outcome.reply.evalue).toContain("no-such-package");
  });
});

describe("errors", () => {
  it("have name, message and the typed lines", async () => {
    const code =
      "interface Gone {\n  a: number;\n}\nfunction inner(): never {\n  throw new RangeError('too far');\n}\ninner();";
    const outcome = await kernel.execute(code);
    expect(outcome.reply).toMatchObject({ status: "error", ename: "RangeError", evalue: "too far" });
    const traceback = (outcome.reply.traceback as string[]).join("\n");
    expect(traceback).toContain("> 5 |   throw new RangeError");
    expect(traceback).toMatch(/at inner \(cell \[\d+\]:5:9\)/);
    expect(traceback).toMatch(/at cell \[\d+\]:7:1/);
    expect(traceback).not.toMatch(/kernel\/|node:internal/);
    expect(outcome.of("error")).toHaveLength(1);
  });

  it("name the cell's line after an await, too", async () => {
    const code = "type T = 1;\nasync function slow() { await null; throw new TypeError('late'); }\n\nawait slow();";
    const outcome = await kernel.execute(code);
    expect((outcome.reply.traceback as string[]).join("\n")).toMatch(/cell \[\d+\]:2:\d+\)?\n.*cell \[\d+\]:4:1/);
  });

  it("name the cell in which a function was written", async () => {
    await kernel.execute("function broken() {\n  throw new Error('here');\n}");
    const outcome = await kernel.execute("\n\nbroken()");
    expect((outcome.reply.traceback as string[]).join("\n")).toMatch(/> 2 \| {3}throw new Error/);
  });

  it("of dropped promises fail their cell", async () => {
    const outcome = await kernel.execute("void Promise.reject(new Error('dropped'));");
    expect(outcome.reply).toMatchObject({ status: "error", evalue: "dropped" });
  });

  it("that come late are shown at their cell, and fail the next cell of a headless run", async () => {
    const seen: unknown[] = [];
    const stop = kernel.listen((m) => m.header.msg_type === "error" && seen.push(m.content.evalue));
    await kernel.execute("setTimeout(() => { throw new Error('too late'); }, 20); 1");
    await new Promise((done) => setTimeout(done, 200));
    stop();
    expect(seen).toEqual(["too late"]);
    const next = await kernel.execute("2", { allowStdin: false });
    expect(next.reply).toMatchObject({ status: "error", evalue: "too late" });
    expect(await shown("3")).toBe("3");
  });

  it("abort the cells that were waiting, not those sent later", async () => {
    const [failed, waiting] = await Promise.all([
      kernel.execute("await new Promise((done) => setTimeout(done, 50)); throw new Error('stop here')"),
      kernel.execute("1"),
    ]);
    expect(failed.reply).toMatchObject({ status: "error" });
    expect(waiting.reply).toMatchObject({ status: "aborted" });
    expect(await shown("'runs'")).toBe("'runs'");
  });
});
