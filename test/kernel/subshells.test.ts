import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ExecuteOptions, KernelClient, type Outcome } from "./client.js";

let kernel: KernelClient;
let beside: string;
beforeAll(async () => {
  kernel = await KernelClient.start("test");
  beside = await kernel.subshell();
  // a function of a library: its code knows of no cell
  await kernel.execute(
    `const sleep = (ms: number) => new Promise<void>((done) => setTimeout(done, ms));
    const AsyncFunction = (async () => {}).constructor as new (...args: string[]) => (name: string, rounds: number) => Promise<string>;
    const library = new AsyncFunction("name", "rounds", \`for (let i = 0; i < rounds; i++) {
      console.log(name, i);
      await jupyter.display({ name, i });
      await new Promise((done) => setTimeout(done, 5));
      await null;
    } return name;\`);`,
  );
});
afterAll(() => kernel.stop());

const value = (outcome: Outcome) => (outcome.of("execute_result")[0]?.data as Record<string, string>)?.["text/plain"];

/** Begins a cell that prints "go", and waits for that. */
async function begun(code: string, options: ExecuteOptions = {}): Promise<{ outcome: Promise<Outcome> }> {
  let started = () => {};
  const start = new Promise<void>((done) => {
    started = done;
  });
  const outcome = kernel.execute(`console.log("go"); ${code}`, {
    ...options,
    onMessage: ({ header, content }) => {
      if (header.msg_type === "stream" && String(content.text).startsWith("go")) started();
    },
  });
  await Promise.race([start, outcome]);
  return { outcome };
}

describe("subshells", () => {
  it("are made, listed and deleted on the control channel, and kernel_info says that they can be", async () => {
    expect((await kernel.request("kernel_info_request", {})).supported_features).toContain("kernel subshells");
    const made = await kernel.request("create_subshell_request", {}, "control");
    expect(made).toEqual({ status: "ok", subshell_id: expect.stringMatching(/^[0-9a-f-]{36}$/) });
    const list = () => kernel.request("list_subshell_request", {}, "control");
    expect(await list()).toEqual({ status: "ok", subshell_id: [beside, made.subshell_id] });
    const remove = () => kernel.request("delete_subshell_request", { subshell_id: made.subshell_id }, "control");
    expect(await remove()).toEqual({ status: "ok" });
    const evalue = `Unknown subshell_id '${made.subshell_id}'`;
    expect(await remove()).toEqual({ status: "error", evalue });
    expect(await list()).toEqual({ status: "ok", subshell_id: [beside] });
    const { reply } = await kernel.execute("1", { subshell: String(made.subshell_id) });
    expect(reply).toEqual({ status: "error", ename: "UnknownSubshellError", evalue, traceback: [] });
  });

  it("a client that comes while a cell runs is told at once what the kernel is, as JupyterLab asks before it uses a shell", async () => {
    const { outcome } = await begun("let more = true; while (more) await sleep(2);");
    expect(await kernel.request("kernel_info_request", {})).toMatchObject({ status: "ok", debugger: true });
    await kernel.execute("more = false", { subshell: beside });
    await kernel.interrupt();
    await outcome;
  });

  it("answer while a cell of the main shell waits, with numbers of their own and the variables of all", async () => {
    const { outcome } = await begun(
      "const state = { rounds: 0, stop: false }; while (!state.stop) { state.rounds++; await sleep(2); }",
    );
    const first = await kernel.execute("const seen = state.rounds; seen > 0", { subshell: beside });
    const second = await kernel.execute("state.stop = true; seen + 1", { subshell: beside });
    expect(value(first)).toBe("true");
    expect(Number(value(second))).toBeGreaterThan(1);
    const last = await outcome;
    expect(last.reply.status).toBe("ok");
    const counts = [last, first, second].map(({ reply }) => Number(reply.execution_count));
    expect(counts[1]).toBe(counts[0] + 1);
    expect(counts[2]).toBe(counts[0] + 2);
    expect(second.of("execute_result")[0].execution_count).toBe(counts[2]);
    expect(value(await kernel.execute("seen > 0"))).toBe("true");
  });

  it("answer Tab too while a cell runs", async () => {
    const { outcome } = await begun("await sleep(1e8);");
    const code = "Math.hypo";
    const reply = await kernel.request("complete_request", { code, cursor_pos: code.length }, "shell", beside);
    expect(reply.matches).toEqual(["hypot"]);
    await kernel.interrupt();
    await outcome;
  });

  it("get the output of their own cells alone, also of libraries and of timers", async () => {
    const code = (name: string) =>
      `setTimeout(() => console.log("${name} timer"), 20); const of${name} = await library("${name}", 8); of${name} + "!"`;
    const { outcome } = await begun(code("A"));
    const cells = [outcome, kernel.execute(code("B"), { subshell: beside })];
    for (const [i, done] of (await Promise.all(cells)).entries()) {
      const name = "AB"[i];
      expect(value(done)).toBe(`'${name}!'`);
      const lines = done
        .text()
        .trim()
        .split("\n")
        .filter((line) => line !== "go");
      expect(lines.sort()).toEqual([...Array.from({ length: 8 }, (_, n) => `${name} ${n}`), `${name} timer`].sort());
      const shown = done.of("display_data").map(({ data }) => (data as Record<string, string>)["text/plain"]);
      expect(shown).toEqual(Array.from({ length: 8 }, (_, n) => `{ name: '${name}', i: ${n} }`));
    }
  });

  it("fail by their own errors, and abort no other shell's cells", async () => {
    const { outcome } = await begun("await sleep(300); 1");
    const waiting = kernel.execute("2");
    const failing = kernel.execute('setTimeout(() => { throw new Error("late") }, 5); await sleep(1e8)', {
      subshell: beside,
    });
    const behind = kernel.execute("3", { subshell: beside });
    expect((await failing).reply).toMatchObject({ status: "error", evalue: "late" });
    expect((await behind).reply.status).toBe("aborted");
    expect(value(await outcome)).toBe("1");
    expect(value(await waiting)).toBe("2");
    const rejected = await kernel.execute('Promise.reject(new Error("dropped")); await sleep(1e8)', {
      subshell: beside,
    });
    expect(rejected.reply).toMatchObject({ status: "error", evalue: "dropped" });
  });

  it("compile one after the other: what a cell declares while another loads its imports is kept", async () => {
    const cells = [
      kernel.execute('import { inflateSync } from "node:zlib"; const early = 1;'),
      kernel.execute('import { isIPv4 } from "node:net"; const late = 2;', { subshell: beside }),
    ];
    for (const { reply } of await Promise.all(cells)) expect(reply.status).toBe("ok");
    expect(value(await kernel.execute("[early + late, typeof inflateSync, typeof isIPv4]"))).toBe(
      "[ 3, 'function', 'function' ]",
    );
  });
});

describe("with several shells, an interrupt", () => {
  it("stops the main shell's cell, and no other", async () => {
    const { outcome } = await begun("for (;;) await sleep(5);");
    const other = await begun('await sleep(500); "whole"', { subshell: beside });
    await kernel.interrupt();
    expect((await outcome).reply).toMatchObject({ ename: "Interrupted" });
    expect(value(await other.outcome)).toBe("'whole'");
  });

  it("stops the cell of the shell that it names, and no other, also one that asked for time", async () => {
    const { outcome } = await begun('const release = jupyter.holdInterrupts(); await sleep(1500); release(); "whole"');
    const other = await begun("for (;;) { let i = 0; while (i < 1e5) i++; await null; }", { subshell: beside });
    await kernel.interrupt(beside);
    expect((await other.outcome).reply).toMatchObject({ ename: "Interrupted" });
    expect(value(await outcome)).toBe("'whole'");
  });

  it("stops cells of others when the main shell is idle, and one of a shell that is deleted", async () => {
    const other = await begun("await sleep(1e8)", { subshell: beside });
    await kernel.interrupt();
    expect((await other.outcome).reply).toMatchObject({ ename: "Interrupted" });
    const doomed = await kernel.subshell();
    const last = await begun("await sleep(1e8)", { subshell: doomed });
    await kernel.request("delete_subshell_request", { subshell_id: doomed }, "control");
    expect((await last.outcome).reply).toMatchObject({ ename: "Interrupted" });
  });

  it("reaches the main shell's cell though one of another keeps the thread, which ends with it", async () => {
    const { outcome } = await begun('try { for (;;) await sleep(5); } finally { console.log("cleaned up"); }');
    const other = await begun("for (;;) {}", { subshell: beside });
    await kernel.interrupt();
    expect((await outcome).reply).toMatchObject({ ename: "Interrupted" });
    expect((await outcome).text()).toContain("cleaned up");
    expect((await other.outcome).reply).toMatchObject({ ename: "Interrupted" });
    expect(value(await kernel.execute("1 + 1", { subshell: beside }))).toBe("2");
  });

  it("ends by force what a library does not give back, in a shell beside too, and the kernel lives", async () => {
    const code = ['new Function("for (;;) {}")();', 'await new AsyncFunction("for (;;) await null")("", 0);'];
    for (const endless of code) {
      const other = await begun(endless, { subshell: beside });
      await kernel.interrupt(beside);
      expect((await other.outcome).reply).toMatchObject({ ename: "Interrupted" });
      expect(value(await kernel.execute("1 + 1"))).toBe("2");
    }
  });
});
