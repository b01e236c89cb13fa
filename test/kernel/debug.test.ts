import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Content, KernelClient } from "./client.js";

let kernel: KernelClient;
let seq = 1;
const events: Content[] = [];
let onEvent = () => {};
beforeAll(async () => {
  kernel = await KernelClient.start("test");
  kernel.listen(({ header, content }) => {
    if (header.msg_type !== "debug_event") return;
    events.push(content);
    onEvent();
  });
  await kernel.execute(`interface Point { x: number }
const points: Point[] = [{ x: 1 }, { x: 2 }];
const long = new Float32Array(1000);
function twice(n: number): number {
  const doubled = n * 2;
  return doubled;
}`);
});
afterAll(() => kernel.stop());
afterEach(async () => {
  await ask("disconnect");
  events.length = 0;
});

async function ask(command: string, args: Content = {}): Promise<Content> {
  const reply = await kernel.request(
    "debug_request",
    { type: "request", seq: seq++, command, arguments: args },
    "control",
  );
  expect(reply).toMatchObject({ type: "response", command, request_seq: seq - 1 });
  expect(reply.success, String(reply.message)).toBe(true);
  return reply.body as Content;
}

/** The next `stopped` event. */
async function stopped(): Promise<Content> {
  for (;;) {
    const at = events.findIndex(({ event }) => event === "stopped");
    if (at >= 0) return events.splice(0, at + 1).at(-1)?.body as Content;
    await new Promise<void>((done) => {
      onEvent = done;
    });
  }
}

async function attach(code: string, lines: (number | { line: number; condition: string })[]): Promise<string> {
  await ask("initialize", { clientID: "test" });
  await ask("attach");
  const { sourcePath } = await ask("dumpCell", { code });
  const breakpoints = lines.map((line) => (typeof line === "number" ? { line } : line));
  await ask("setBreakpoints", { source: { path: sourcePath }, breakpoints });
  await ask("configurationDone");
  return String(sourcePath);
}

interface Frame {
  id: number;
  name: string;
  line: number;
  source: { path: string };
}
const frames = async () => (await ask("stackTrace", { threadId: 1 })).stackFrames as Frame[];

/** Variables of a scope, by name. */
async function variables(frameId: number, scope: string): Promise<Record<string, string>> {
  const scopes = (await ask("scopes", { frameId })).scopes as { name: string; variablesReference: number }[];
  const { variablesReference } = scopes.find(({ name }) => name === scope) ?? { variablesReference: 0 };
  return named(await ask("variables", { variablesReference }));
}
const named = ({ variables }: Content) =>
  Object.fromEntries((variables as { name: string; value: string }[]).map(({ name, value }) => [name, value]));

const CELL = `type Sum = number;

let sum: Sum = 0;
for (const { x } of points) {
  const y = twice(x);
  sum += y;
  await null;
}

sum;`;

describe("the debugger", () => {
  it("is offered, and names cells as clients compute it", async () => {
    const info = await kernel.request("kernel_info_request", {});
    expect(info).toMatchObject({ debugger: true, supported_features: expect.arrayContaining(["debugger"]) });
    const about = await ask("debugInfo");
    expect(about).toMatchObject({ isStarted: false, hashMethod: "Murmur2", tmpFileSuffix: ".ts", stoppedThreads: [] });
    const { sourcePath } = await ask("dumpCell", { code: "abc" });
    expect(String(sourcePath).startsWith(String(about.tmpFilePrefix))).toBe(true);
    expect(await ask("source", { source: { path: sourcePath } })).toEqual({ content: "abc" });
  });

  it("shows the variables of all cells, also while one computes, and what is in them", async () => {
    const running = kernel.execute("const begin = Date.now(); while (Date.now() - begin < 1500) {}");
    const found = await ask("inspectVariables");
    expect(named(found)).toMatchObject({ points: "Array(2) [Object, Object]", twice: "function twice(n) {" });
    const list = found.variables as { name: string; variablesReference: number }[];
    const within = async (name: string) =>
      named(await ask("variables", { variablesReference: list.find((one) => one.name === name)?.variablesReference }));
    expect(await within("points")).toMatchObject({ 0: "{x: 1}", 1: "{x: 2}", length: "2" });
    const long = await within("long");
    expect(long).toMatchObject({ 0: "0", 99: "0", "…": '"the first 100 of 1000"' });
    expect(long).not.toHaveProperty("100");
    expect((await running).reply.status).toBe("ok");
    const rich = await ask("richInspectVariables", { variableName: "points" });
    expect(rich.data).toMatchObject({ "text/plain": "[ { x: 1 }, { x: 2 } ]" });
  });

  it("stops in the line as it was typed, shows what is there, steps by typed lines, and goes on to the end", async () => {
    const path = await attach(CELL, [1]);
    const running = kernel.execute(CELL);
    expect(await stopped()).toMatchObject({ reason: "breakpoint", threadId: 1, allThreadsStopped: true });
    expect((await ask("debugInfo")).stoppedThreads).toEqual([1]);
    const lines = [(await frames())[0].line];
    const step = async (command: string) => {
      await ask(command, { threadId: 1 });
      expect(await stopped()).toMatchObject({ reason: "step" });
      lines.push((await frames())[0].line);
    };
    while (lines.length < 5) await step("next");
    expect(lines).toEqual([3, 4, 5, 6, 7]);
    // then the loop's head
    while (lines.at(-1) !== 5 && lines.length < 10) await step("next");
    await step("stepIn");
    const [inner, outer] = await frames();
    expect([inner.name, inner.line]).toEqual(["twice", 5]);
    expect(inner.source.path).not.toBe(path);
    expect([outer.line, outer.source.path]).toEqual([5, path]);
    expect(await variables(inner.id, "Locals")).toEqual({ n: "2", doubled: "undefined" });
    expect(await variables(outer.id, "Locals")).toMatchObject({ x: "2", sum: "2" });
    expect(await variables(outer.id, "Globals")).toHaveProperty("points");
    expect(await ask("evaluate", { expression: "n + points[0].x", frameId: inner.id })).toMatchObject({ result: "3" });
    expect(await ask("source", { source: inner.source })).toMatchObject({ content: expect.stringContaining("twice") });
    await ask("stepOut", { threadId: 1 });
    await stopped();
    expect((await frames())[0].source.path).toBe(path);
    await ask("continue", { threadId: 1 });
    const { reply, of } = await running;
    expect(reply.status).toBe("ok");
    expect(of("execute_result")[0].data).toMatchObject({ "text/plain": "6" });
  });

  it("stops in functions of cells that ran before, and only where a condition holds", async () => {
    await attach("", []);
    const code = `interface Point { x: number }
const points: Point[] = [{ x: 1 }, { x: 2 }];
const long = new Float32Array(1000);
function twice(n: number): number {
  const doubled = n * 2;
  return doubled;
}`;
    const { sourcePath } = await ask("dumpCell", { code });
    const set = await ask("setBreakpoints", {
      source: { path: sourcePath },
      breakpoints: [{ line: 6, condition: "n > 5" }],
    });
    expect(set.breakpoints).toMatchObject([{ verified: true, line: 6 }]);
    const running = kernel.execute("[1, 7].map(twice)");
    await stopped();
    const [top] = await frames();
    expect(await variables(top.id, "Locals")).toMatchObject({ n: "7", doubled: "14" });
    await ask("continue", { threadId: 1 });
    expect((await running).reply.status).toBe("ok");
    expect(events.filter(({ event }) => event === "stopped")).toEqual([]);
  });

  it("lets an interrupt through while a cell is stopped: it goes on and ends", async () => {
    const code = "let rounds = 0;\nfor (;;) {\n  rounds++;\n}";
    await attach(code, [3]);
    const running = kernel.execute(code);
    await stopped();
    await kernel.interrupt();
    expect((await running).reply).toMatchObject({ ename: "Interrupted" });
    expect(events.map(({ event }) => event)).toContain("continued");
    expect((await ask("debugInfo")).stoppedThreads).toEqual([]);
    // and the next one stops again
    const again = kernel.execute(code);
    await stopped();
    await ask("disconnect");
    await kernel.interrupt();
    expect((await again).reply).toMatchObject({ ename: "Interrupted" });
  });

  it("stops where an error is thrown, if that is asked for", async () => {
    const code = 'try {\n  throw new Error("caught");\n} catch {}';
    await attach(code, []);
    await ask("setExceptionBreakpoints", { filters: ["raised"] });
    const running = kernel.execute(code);
    expect(await stopped()).toMatchObject({ reason: "exception" });
    expect((await frames())[0].line).toBe(2);
    await ask("continue");
    expect((await running).reply.status).toBe("ok");
  });
});
