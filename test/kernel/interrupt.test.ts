import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { KernelClient, type Outcome } from "./client.js";

let kernel: KernelClient;
beforeAll(async () => {
  kernel = await KernelClient.start("test");
});
afterAll(() => kernel.stop());

/** Cells that never end by themselves; each prints once it runs. */
const ENDLESS: Record<string, string> = {
  "a synchronous loop": 'console.log("go"); for (;;) {}',
  "a synchronous loop after an await": 'await null; console.log("go"); while (true) {}',
  "a loop of microtasks": 'console.log("go"); while (true) await null;',
  "an asynchronous loop": 'console.log("go"); for (;;) await new Promise((done) => setTimeout(done, 5));',
  "a promise that never settles": 'console.log("go"); await new Promise(() => {});',
  "a long timer": 'console.log("go"); await new Promise((done) => setTimeout(done, 1e8));',
  "an asynchronous iteration":
    'async function* steps() { for (let i = 0; ; i++) { await new Promise((done) => setTimeout(done, 5)); yield i; } }\nconsole.log("go"); for await (const step of steps()) step;',
  "a library that does not come back": 'console.log("go"); new Function("for (;;) {}")();',
  "a loop in a timer": 'console.log("go"); setTimeout(() => { for (;;) {} }, 1); await new Promise(() => {});',
  "a loop that prints": 'for (;;) console.log("go");',
  "a loop that catches everything": 'console.log("go"); for (;;) { try { await null; } catch {} }',
  "a synchronous listener for SIGINT": 'process.on("SIGINT", () => {}); console.log("go"); for (;;) {}',
};

async function interrupted(code: string): Promise<{ outcome: Outcome; ms: number }> {
  let started = () => {};
  const start = new Promise<void>((done) => {
    started = done;
  });
  const running = kernel.execute(code, {
    onMessage: (message) => message.header.msg_type === "stream" && started(),
  });
  await start;
  const begin = performance.now();
  await kernel.interrupt();
  const outcome = await running;
  return { outcome, ms: performance.now() - begin };
}

describe("an interrupt stops", () => {
  for (const [name, code] of Object.entries(ENDLESS)) {
    it(`${name} within two seconds, and the next cell works`, async () => {
      const { outcome, ms } = await interrupted(code);
      expect(outcome.reply).toMatchObject({ status: "error", ename: "Interrupted" });
      // Half a second more than promised: the machine that tests may be busy.
      expect(ms).toBeLessThan(2_500);
      const next = await kernel.execute("1 + 1");
      expect(next.reply).toMatchObject({ status: "ok" });
    });
  }

  it("what it stopped for good: nothing goes on behind the cell", async () => {
    const { outcome } = await interrupted(
      'let steps = 0; console.log("go"); for (;;) { await new Promise((done) => setTimeout(done, 2)); steps++; }',
    );
    expect(outcome.reply).toMatchObject({ status: "error" });
    const count = async () => {
      const { of } = await kernel.execute("steps");
      return (of("execute_result")[0].data as Record<string, string>)["text/plain"];
    };
    const before = await count();
    await new Promise((done) => setTimeout(done, 100));
    expect(await count()).toBe(before);
  });

  it("a generator with its clean-up, and aborts the cell's signal", async () => {
    const { outcome } = await interrupted(
      `jupyter.signal.addEventListener("abort", () => console.log("aborted"));
async function* training() { try { for (;;) { await new Promise((done) => setTimeout(done, 5)); yield 1; } } finally { console.log("saved"); } }
console.log("go");
for await (const event of training()) event;`,
    );
    expect(outcome.text()).toContain("aborted");
    expect(outcome.text()).toContain("saved");
  });

  it("cells twenty times in a row", async () => {
    const quick = ["a synchronous loop", "a loop of microtasks", "an asynchronous loop", "a long timer"];
    for (let i = 0; i < 20; i++) {
      const { outcome } = await interrupted(ENDLESS[quick[i % quick.length]]);
      expect(outcome.reply).toMatchObject({ status: "error", ename: "Interrupted" });
      const next = await kernel.execute(`"works ${i}"`);
      expect(next.reply).toMatchObject({ status: "ok" });
    }
  });

  it("background timers of an idle kernel", async () => {
    await kernel.execute('let ticks = 0; setInterval(() => { ticks++; }, 2); "on"');
    await kernel.interrupt();
    const value = async () =>
      ((await kernel.execute("ticks")).of("execute_result")[0].data as Record<string, string>)["text/plain"];
    const before = await value();
    await new Promise((done) => setTimeout(done, 50));
    expect(await value()).toBe(before);
  });
});
