/**
 * What a kernel is put through, and what a person must see of it: the lists in `torture/`. One kernel runs nearly all, so that
 * each cell also shows that those before it did no harm.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Message } from "../../src/kernel/wire/message.js";
import { KernelClient } from "./client.js";
import type { Cell, Seen } from "./torture/cell.js";
import { ERRORS } from "./torture/errors.js";
import { LANGUAGE } from "./torture/language.js";
import { FULL, PROCESSES } from "./torture/processes.js";

/** How long an error may come after its cell; the machine that tests may be busy. */
const LATE_MS = 5_000;

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "torture-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape that begins a colour
const uncoloured = (lines: unknown): string => (lines as string[]).join("\n").replace(/\u001b\[\d+m/g, "");

function hasSeen(text: string, all: readonly Seen[]): void {
  for (const one of all) {
    if (typeof one === "string") expect(text).toContain(one);
    else expect(text).toMatch(one);
  }
}

function hasFailed(content: Record<string, unknown>, { name, says, line }: NonNullable<Cell["error"]>): void {
  const text = uncoloured(content.traceback ?? []);
  expect(content.ename, text).toBe(name);
  expect(typeof content.evalue).toBe("string");
  hasSeen(text, says);
  if (line !== undefined) expect(text).toMatch(new RegExp(`^> *${line} \\|`, "m"));
}

async function run(kernel: KernelClient, cell: Cell): Promise<void> {
  for (const [name, text] of Object.entries(cell.files ?? {})) writeFileSync(join(folder, name), text);
  const errors: Message[] = [];
  let begun = () => {};
  const started = new Promise<void>((done) => {
    begun = done;
  });
  const stop = kernel.listen((message) => {
    if (message.header.msg_type === "stream") begun();
    if (message.header.msg_type === "error") errors.push(message);
  });
  const running = kernel.execute(cell.code);
  for (const answer of cell.answers ?? []) await kernel.answerInput(answer);
  if (cell.interrupt) await started.then(() => kernel.interrupt());
  const outcome = await running;
  const shown = outcome.of("execute_result")[0]?.data as Record<string, string> | undefined;
  if (cell.error === undefined)
    expect(outcome.reply, uncoloured(outcome.reply.traceback ?? [])).toMatchObject({ status: "ok" });
  else hasFailed(outcome.reply, cell.error);
  if (typeof cell.value === "string") expect(shown?.["text/plain"]).toBe(cell.value);
  else if (cell.value !== undefined) expect(shown?.["text/plain"]).toMatch(cell.value);
  hasSeen(outcome.text("stdout"), cell.out ?? []);
  hasSeen(outcome.text("stderr"), cell.err ?? []);
  const late = () => errors.find(({ parent }) => parentId(parent) === parentId(outcome.outputs[0].parent));
  const end = performance.now() + LATE_MS;
  // another cell is at work while it comes, and is not harmed
  const other = "for (let i = 0; i < 20; i++) await new Promise((done) => setTimeout(done, 10));";
  while (cell.late !== undefined && late() === undefined && performance.now() < end) {
    expect((await kernel.execute(other)).reply).toMatchObject({ status: "ok" });
  }
  stop();
  if (cell.late !== undefined) hasFailed(late()?.content ?? {}, cell.late);
}

const parentId = (parent: unknown) => (parent as { msg_id?: string }).msg_id;

function list(name: string, cells: readonly Cell[], kernel: () => KernelClient): void {
  describe(name, () => {
    for (const cell of cells) {
      it(cell.name, async () => {
        await run(kernel(), cell);
        const next = await kernel().execute("1 + 1");
        expect(next.reply).toMatchObject({ status: "ok" });
        expect(next.text("stdout") + next.text("stderr")).toBe("");
      });
    }
  });
}

describe("one kernel", () => {
  let kernel: KernelClient;
  beforeAll(async () => {
    kernel = await KernelClient.start(folder);
  });
  afterAll(() => kernel.stop());
  list("language", LANGUAGE, () => kernel);
  list("errors", ERRORS, () => kernel);
  list("processes, memory, output", PROCESSES, () => kernel);
});

describe("another kernel", () => {
  let kernel: KernelClient;
  beforeAll(async () => {
    kernel = await KernelClient.start(folder, { NODE_OPTIONS: "--max-old-space-size=600" });
  });
  afterAll(() => kernel.stop());
  list("with a small heap", FULL, () => kernel);
});
