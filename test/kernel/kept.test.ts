/** What is left of cells that failed, were interrupted, or filled the memory. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { KernelClient, type Outcome } from "./client.js";

let kernel: KernelClient;
beforeAll(async () => {
  kernel = await KernelClient.start("test");
});
afterAll(() => kernel.stop());

const value = ({ of }: Outcome) => (of("execute_result")[0]?.data as Record<string, string>)?.["text/plain"];

/** Runs a cell, and interrupts it when it has printed. */
async function interrupted(code: string, again = false): Promise<Outcome> {
  let started = () => {};
  const start = new Promise<void>((done) => {
    started = done;
  });
  let held = () => {};
  const holding = new Promise<void>((done) => {
    held = done;
  });
  const running = kernel.execute(code, {
    onMessage: ({ header, content }) => {
      if (header.msg_type !== "stream") return;
      started();
      if (String(content.text).includes("Interrupt again")) held();
    },
  });
  await start;
  await kernel.interrupt();
  if (again) {
    await holding;
    await kernel.interrupt();
  }
  return await running;
}

describe("a variable of a cell that failed", () => {
  it("is an error when it is read, until it is set", async () => {
    const failed = await kernel.execute(
      'const before = 1; let none: number | undefined; const wanted = JSON.parse("{"); const later = 2;',
    );
    expect(failed.reply).toMatchObject({ status: "error" });
    expect(value(await kernel.execute("before"))).toBe("1");
    expect((await kernel.execute("none")).reply).toMatchObject({ status: "ok" });
    for (const name of ["wanted", "later"]) {
      const { reply } = await kernel.execute(`String(${name})`);
      expect(reply).toMatchObject({ status: "error", ename: "ReferenceError" });
      expect(reply.evalue).toMatch(
        new RegExp(`${name} has no value: the cell that declares it, In \\[\\d+\\], failed`),
      );
    }
    await kernel.execute("const wanted = 3;");
    expect(value(await kernel.execute("wanted"))).toBe("3");
  });

  it("is what it was set to where the failure came later, undefined too", async () => {
    await kernel.execute('const nothing = undefined; const something = "x"; throw new Error("late");');
    expect(value(await kernel.execute("[typeof nothing, something].join()"))).toContain("undefined,x");
  });
});

describe("an interrupt", () => {
  const stopping = `function work(mark: boolean): Promise<{ id: string }> {
  return new Promise((done) => jupyter.signal.addEventListener("abort", () => {
    const made = { id: "run1" };
    if (mark) Object.defineProperty(made, Symbol.for("Jupyter.answersInterrupt"), { value: true });
    done(made);
  }));
}`;

  it("leaves the variable of a call that answers it, and ends the cell", async () => {
    await kernel.execute(stopping);
    const { reply } = await interrupted(
      'console.log("go"); const run = await work(true); await null; console.log("never");',
    );
    expect(reply).toMatchObject({ status: "error", ename: "Interrupted" });
    expect(value(await kernel.execute("run.id"))).toContain("run1");
  });

  it("leaves no value of a call that does not", async () => {
    const { reply } = await interrupted('console.log("go"); const other = await work(false);');
    expect(reply).toMatchObject({ status: "error", ename: "Interrupted" });
    expect((await kernel.execute("other.id")).reply).toMatchObject({ ename: "ReferenceError" });
  });

  // longer than an interrupt waits by itself, in library code that does not come back meanwhile
  const step = `const release = jupyter.holdInterrupts();
const busy = new Function("ms", "const end = Date.now() + ms; while (Date.now() < end);");
console.log("go");`;

  it("waits for code that asked for the time to finish, and tells so", async () => {
    const outcome = await interrupted(
      `${step} busy(4000); globalThis.saved = "saved"; release(); await new Promise((done) => setTimeout(done, 1000));`.replace(
        "globalThis",
        "(globalThis as any)",
      ),
    );
    expect(outcome.text("stderr")).toMatch(/finishing .* Interrupt again/);
    expect(outcome.reply).toMatchObject({ status: "error", ename: "Interrupted" });
    expect(value(await kernel.execute("(globalThis as any).saved"))).toContain("saved");
  });

  it("ends it at once when it comes again", async () => {
    const outcome = await interrupted(`${step} busy(1e9);`, true);
    expect(outcome.reply).toMatchObject({ status: "error", ename: "Interrupted" });
    // and the next one has no such time left over
    const next = await interrupted('console.log("go"); new Function("for (;;) {}")();');
    expect(next.reply).toMatchObject({ status: "error", ename: "Interrupted" });
    expect(next.text("stderr")).toBe("");
  });
});

describe("a heap that is full", () => {
  it("is an error of its cell, and the next one works", async () => {
    const small = await KernelClient.start("test", { NODE_OPTIONS: "--max-old-space-size=600" });
    const { reply } = await small.execute(
      "let all: number[][] | null = []; for (let i = 0; ; i++) all.push(new Array(1000).fill(i));",
    );
    expect(reply).toMatchObject({ status: "error", ename: "RangeError" });
    expect(reply.evalue).toMatch(/out of memory: .* of the 0\.\d GB .*max-old-space-size/);
    const after = await small.execute("all = null; let sum = 0; for (let i = 0; i < 1e6; i++) sum += i; sum");
    expect(value(after)).toBe("499999500000");
    await small.stop();
  });
});
