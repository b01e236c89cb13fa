/** What the kernel shows of values that say nothing themselves. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { KernelClient } from "./client.js";

let kernel: KernelClient;
beforeAll(async () => {
  kernel = await KernelClient.start();
});
afterAll(() => kernel.stop());

async function shown(code: string): Promise<Record<string, string>> {
  const { reply, of } = await kernel.execute(code);
  expect(reply).toMatchObject({ status: "ok" });
  return of("execute_result")[0].data as Record<string, string>;
}

it("long arrays of numbers in short, short ones and bytes as Node does", async () => {
  const long = await shown("Float32Array.from({ length: 100 }, (_, i) => i)");
  expect(long["text/plain"]).toBe(
    "Float32Array(100)  min 0, mean 49.5, max 99, std 28.87\n[0, 1, 2, 3, 4, 5, ..., 94, 95, 96, 97, 98, 99]",
  );
  expect((await shown("new BigInt64Array(50)"))["text/plain"]).toContain("[0n, 0n");
  expect((await shown("Float64Array.of(1, 2)"))["text/plain"]).toBe("Float64Array(2) [ 1, 2 ]");
  expect((await shown("Buffer.alloc(100)"))["text/plain"]).toMatch(/^<Buffer 00/);
});

it("what a library has told it of its values, and goes past one that fails", async () => {
  await kernel.execute(`
    (globalThis as any)[Symbol.for("Jupyter.displayers")] = [
      () => { throw new Error("broken"); },
      (value: any) => (value?.temperature === undefined ? undefined : { "text/html": "<b>warm</b>", "text/plain": "warm" }),
    ];`);
  expect(await shown("({ temperature: 20 })")).toEqual({ "text/html": "<b>warm</b>", "text/plain": "warm" });
  expect((await shown("({ wind: 3 })"))["text/plain"]).toBe("{ wind: 3 }");
});

it("configurations and batches of atmorep once its notebook module is there", async () => {
  await kernel.execute('import * as atmorep from "atmorep"; import * as nb from "atmorep/notebook";');
  const batch = await shown(
    'const prepared = await atmorep.prepare(atmorep.resolveConfig({ preset: "storm", seed: 1 }).config); prepared',
  );
  expect(batch["text/plain"]).toMatch(/^Batch 0 of train/);
  expect(batch["text/html"]).toContain("<details");
  expect((await shown("prepared.config"))["text/html"]).toContain("<table>");
});
