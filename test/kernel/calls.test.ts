/** `nb.sh` and `nb.time`: what somebody reaches for who knows IPython's `!` and `%timeit`. */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { KernelClient } from "./client.js";

let kernel: KernelClient;
let folder = "";
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "calls-"));
  kernel = await KernelClient.start(folder);
  expect((await kernel.execute('import * as nb from "atmorep/notebook";')).reply).toMatchObject({ status: "ok" });
});
afterAll(async () => {
  await kernel.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function shown(code: string): Promise<unknown> {
  const outcome = await kernel.execute(code);
  expect(outcome.reply, JSON.stringify(outcome.reply)).toMatchObject({ status: "ok" });
  return (outcome.of("execute_result")[0]?.data as Record<string, unknown> | undefined)?.["text/plain"];
}

describe.skipIf(process.platform === "win32")("nb.sh", () => {
  it("shows what a shell line prints, in the notebook's folder, and gives it", async () => {
    writeFileSync(join(folder, "two words.txt"), "ü\nb\n");
    const outcome = await kernel.execute('await nb.sh("cat *.txt; echo told >&2")');
    expect(outcome.reply).toMatchObject({ status: "ok" });
    expect([outcome.text(), outcome.text("stderr")]).toEqual(["ü\nb\n", "told\n"]);
    expect(outcome.of("execute_result")).toEqual([]);
    expect(await shown('const { lines } = await nb.sh("cat *.txt; printf c");\nlines')).toBe("[ 'ü', 'b', 'c' ]");
    await kernel.execute('const kept = await nb.sh("echo kept");');
    expect(await shown("kept")).toBe("kept\n");
  });

  it("comes while the line is at work", async () => {
    const order: string[] = [];
    await kernel.execute('await nb.sh("echo first; until [ -e go ]; do sleep 0.05; done; echo last");', {
      onMessage: ({ header, content }) => {
        if (header.msg_type !== "stream") return;
        order.push(String(content.text));
        if (order.length === 1) writeFileSync(join(folder, "go"), "");
      },
    });
    expect(order).toEqual(["first\n", "last\n"]);
  });

  it("as a tag quotes values", async () => {
    const code = `const names = ["two words.txt", "it's; echo no"];\n(await nb.sh\`printf '%s\\n' \${names} \${"$HOME"}\`).lines`;
    expect(await shown(code)).toBe("[ 'two words.txt', \"it's; echo no\", '$HOME' ]");
  });

  it("is an error of the cell if it fails", async () => {
    const { reply } = await kernel.execute('await nb.sh("exit 3"); console.log("never");');
    expect(reply).toMatchObject({ status: "error", ename: "AtmorepError" });
    expect(reply.evalue).toMatch(/^exit 3: the shell line failed; found exit code 3/);
    expect((reply.traceback as string[]).join("\n")).toContain("> 1 |");
    expect((await kernel.execute('await nb.sh("no-such-command")')).reply.evalue).toMatch(
      /exit code 127.*does not know/,
    );
    expect((await kernel.execute('await nb.sh("kill -9 $$")')).reply.evalue).toMatch(/SIGKILL/);
    expect((await kernel.execute('await nb.sh(" ")')).reply.evalue).toMatch(/no shell line/);
  });

  it.each([
    ["what ends by an interrupt", "echo $$; sleep 60 & echo $!; wait"],
    ["what does not", "trap '' INT; echo $$; sh -c 'trap \"\" INT; sleep 60' & echo $!; wait; sleep 60"],
  ])("ends with the cell's interrupt: %s", async (_name, line) => {
    const pids: number[] = [];
    const outcome = await kernel.execute(`await nb.sh(${JSON.stringify(line)}); console.log("never");`, {
      onMessage: ({ header, content }) => {
        if (header.msg_type !== "stream") return;
        pids.push(...String(content.text).trim().split("\n").map(Number));
        if (pids.length === 2) void kernel.interrupt();
      },
    });
    expect(outcome.reply).toMatchObject({ status: "error", ename: "Interrupted" });
    expect(outcome.text()).not.toContain("never");
    const isThere = (pid: number) => {
      try {
        return process.kill(pid, 0);
      } catch {
        return false;
      }
    };
    // one that was killed is there until whoever collects it has
    for (let i = 0; i < 100 && pids.some(isThere); i++) await new Promise((tick) => setTimeout(tick, 50));
    expect(pids.filter(isThere)).toEqual([]);
    expect(await shown("20 + 22")).toBe("42");
  });
});

describe("nb.time", () => {
  it("tells the median of short calls, and gives the times and the first call's value", async () => {
    const outcome = await kernel.execute("let n = 0;\nconst t = await nb.time(() => ++n);\nt");
    expect(outcome.text()).toMatch(/^median [\d.]+ [nµm]s \(.* to .*, \d runs of [\d,]+ calls; the first call .*\)\n$/);
    // the printed line has said it
    expect(outcome.of("execute_result")).toEqual([]);
    expect(await shown("t")).toBe(outcome.text().trim());
    expect(await shown("[t.value, t.runs.length <= 7, t.calls >= 100, n > t.runs.length * t.calls]")).toBe(
      "[ 1, true, true, true ]",
    );
    expect(await shown("t.fastest <= t.median && t.median <= t.slowest && t.fastest > 0")).toBe("true");
  });

  it("waits for what is asynchronous, and calls as often as asked", async () => {
    const wait = "async () => { calls++; await new Promise((done) => setTimeout(done, 20)); return 'done'; }";
    await kernel.execute(`let calls = 0;\nconst slow = await nb.time(${wait}, { runs: 3 });`);
    expect(await shown("[slow.value, calls, slow.runs.length, slow.calls, slow.fastest >= 19]")).toBe(
      "[ 'done', 4, 3, 1, true ]",
    );
  });

  it("does not repeat what takes long", async () => {
    await kernel.execute("let times = 0;");
    const outcome = await kernel.execute(
      "const once = await nb.time(async () => { times++; await new Promise((done) => setTimeout(done, 2100)); });",
    );
    expect(outcome.text()).toMatch(/^\d+(\.\d+)? s \(one call\)\n$/);
    expect(await shown("[times, once.runs.length]")).toBe("[ 1, 1 ]");
  });

  it("fails as the call does, says what it wants, and stops at an interrupt", async () => {
    const thrown = await kernel.execute("await nb.time(() => { throw new RangeError('own'); })");
    expect(thrown.reply).toMatchObject({ ename: "RangeError", evalue: "own" });
    expect((await kernel.execute("await nb.time(1 as never)")).reply.evalue).toMatch(/not a function.*Put \(\) =>/);
    expect((await kernel.execute("await nb.time(() => 1, { runs: 0 })")).reply.evalue).toMatch(/runs: not a number/);
    const endless = kernel.execute("let began = 0;\nawait nb.time(() => { began++; }, { runs: 1e9 })", {
      onMessage: ({ header }) => {
        if (header.msg_type === "execute_input") setTimeout(() => void kernel.interrupt(), 500);
      },
    });
    expect((await endless).reply).toMatchObject({ ename: "Interrupted" });
    expect(await shown("20 + 22")).toBe("42");
  });
});
