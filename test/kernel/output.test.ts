import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { KernelClient } from "./client.js";

let kernel: KernelClient;
beforeAll(async () => {
  kernel = await KernelClient.start("test");
});
afterAll(() => kernel.stop());

function numbered(count: number): string {
  return Array.from({ length: count }, (_, i) => `${i}\n`).join("");
}

describe("bursts", () => {
  it("of 100,000 lines from a synchronous loop arrive whole, in order, in few messages", async () => {
    const outcome = await kernel.execute("for (let i = 0; i < 100_000; i++) console.log(i);");
    expect(outcome.text() === numbered(100_000)).toBe(true);
    expect(outcome.of("stream").length).toBeLessThan(200);
  });

  it("from asynchronous loops arrive whole and in order", async () => {
    const outcome = await kernel.execute(
      "for (let i = 0; i < 5_000; i++) { console.log(i); if (i % 100 === 0) await new Promise((d) => setImmediate(d)); }",
    );
    expect(outcome.text() === numbered(5_000)).toBe(true);
  });

  it("keep their order between outputs of other kinds", async () => {
    const outcome = await kernel.execute(
      'for (let i = 0; i < 200; i++) { console.log(i); await jupyter.display(i); console.error("e"); }',
    );
    const kinds = outcome.outputs.filter((m) => m.header.msg_type !== "execute_input").map((m) => m.header.msg_type);
    expect(kinds).toEqual(Array.from({ length: 200 }, () => ["stream", "display_data", "stream"]).flat());
  });

  it("larger than the memory between the threads arrive whole", async () => {
    const outcome = await kernel.execute(
      'process.stdout.write("ä€😀x".repeat(2_000_000)); await jupyter.display("y".repeat(6e6));',
    );
    expect(outcome.text() === "ä€😀x".repeat(2_000_000)).toBe(true);
    expect(JSON.stringify(outcome.of("display_data")[0]).length).toBeGreaterThan(10_000);
  });

  it("do not make the kernel grow", async () => {
    const rss = "process.memoryUsage().rss";
    const value = async () => Number((await kernel.execute(rss)).text() || shown(await kernel.execute(rss)));
    const print = "for (let i = 0; i < 200_000; i++) console.log('x'.repeat(200));";
    await kernel.execute(print);
    const before = await value();
    for (let i = 0; i < 3; i++) await kernel.execute(print);
    expect((await value()) - before).toBeLessThan(150e6);
  });
});

function shown(outcome: Awaited<ReturnType<KernelClient["execute"]>>): string {
  return (outcome.of("execute_result")[0].data as Record<string, string>)["text/plain"];
}

describe("values", () => {
  const cases: [string, string, RegExp | string][] = [
    [
      "typed arrays, shortened",
      "new Float32Array(1000)",
      /^Float32Array\(1000\) {2}min 0, mean 0, max 0, std 0\n\[0, 0, 0, 0, 0, 0, \.\.\., 0, 0, 0, 0, 0, 0\]$/,
    ],
    [
      "tensors",
      "({ shape: [2, 3], dtype: 'float32', rank: 2, data: async () => new Float32Array([1, 2, 3, 4, 5, NaN]) })",
      /^Tensor float32 \[2, 3\]\nmin 1, mean 3, max 5, std 1\.414, 1 not finite\n +1 +2 +3\n +4 +5 +NaN$/,
    ],
    [
      "errors in display methods",
      '({ [Symbol.for("Jupyter.display")]() { throw new Error("no"); } })',
      /display method failed: no/,
    ],
  ];
  for (const [name, code, expected] of cases) {
    it(name, async () => {
      expect(shown(await kernel.execute(code))).toMatch(expected);
    });
  }

  it("with a display method show its bundle", async () => {
    const outcome = await kernel.execute(
      '({ [Symbol.for("Jupyter.display")]: async () => ({ "text/html": "<b>x</b>" }) })',
    );
    expect(outcome.of("execute_result")[0].data).toMatchObject({ "text/html": "<b>x</b>" });
  });

  it("that are arquero tables show as HTML", async () => {
    const outcome = await kernel.execute('import { table } from "arquero"; table({ a: ["<script>", "b"] })');
    const data = outcome.of("execute_result")[0].data as Record<string, string>;
    expect(data["text/html"]).toContain("<table>");
    expect(data["text/html"]).not.toContain("<script>");
  });

  it("can be shown again in the same place", async () => {
    const outcome = await kernel.execute(
      'const id = await jupyter.display({ "text/html": "1" }, { raw: true }); await jupyter.display({ "text/html": "2" }, { raw: true, displayId: id, update: true }); jupyter.clearOutput(true);',
    );
    const [first] = outcome.of("display_data");
    const [second] = outcome.of("update_display_data");
    expect(second).toMatchObject({ data: { "text/html": "2" }, transient: first.transient as object });
    expect(outcome.of("clear_output")).toEqual([{ wait: true }]);
  });
});

describe("requests", () => {
  it("ask the user", async () => {
    const running = kernel.execute('await jupyter.input("name?")');
    expect(await kernel.answerInput("Ada")).toEqual({ prompt: "name?", password: false });
    expect(shown(await running)).toBe("'Ada'");
    expect((await kernel.execute("await jupyter.input()", { allowStdin: false })).reply).toMatchObject({
      status: "error",
    });
  });

  it("tell whole code from begun and from wrong code", async () => {
    const status = async (code: string) => (await kernel.request("is_complete_request", { code })).status;
    expect(
      await Promise.all(["const a = 1", "f(", "if (x) {", "`a", "/* a", "a b c", "const = 3", "'abc"].map(status)),
    ).toEqual(["complete", "incomplete", "incomplete", "incomplete", "incomplete", "invalid", "invalid", "invalid"]);
  });

  it("complete and inspect, with cursors in code points", async () => {
    const code = '"😀"; Math.cei';
    const reply = await kernel.request("complete_request", { code, cursor_pos: Array.from(code).length });
    expect(reply).toMatchObject({ status: "ok", matches: ["ceil"], cursor_start: 10, cursor_end: 13 });
    const inspected = await kernel.request("inspect_request", { code: "Math.ceil", cursor_pos: 9, detail_level: 0 });
    expect(inspected).toMatchObject({ found: true });
  });

  it("tells a cell that exits what it would end, and goes on", async () => {
    await kernel.execute("const survivor = 42;");
    for (const call of ["process.exit(0)", "process.exit()", "process.abort()"]) {
      const { reply, text } = await kernel.execute(`console.log("last words"); ${call}; console.log("never");`);
      expect(text()).toBe("last words\n");
      expect(reply).toMatchObject({ status: "error", ename: "Exit" });
      expect(reply.evalue).toMatch(/would end the kernel.*restart the kernel/);
    }
    const late = await kernel.execute(
      "setTimeout(() => process.exit(1), 1); await new Promise((done) => setTimeout(done, 50));",
    );
    expect(late.reply).toMatchObject({ status: "error", ename: "Exit" });
    const after = await kernel.execute("survivor");
    expect(after.of("execute_result")[0].data).toMatchObject({ "text/plain": "42" });
  });
});
