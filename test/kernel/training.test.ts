/** Training in a cell that is interrupted, as a person does it: the run is there, saved, and can be continued. */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { KernelClient, type Outcome } from "./client.js";

let kernel: KernelClient;
let folder = "";
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "training-"));
  kernel = await KernelClient.start(folder);
  const { reply } = await kernel.execute(`import * as atmorep from "atmorep";
import * as nb from "atmorep/notebook";
const set = { num_samples_per_epoch: 4000, batch_size: 2, batch_size_validation: 2, num_epochs: 9, num_samples_validate: 4, num_loader_workers: 0 };
const { config } = atmorep.resolveConfig({ preset: "storm", seed: 1, set });
let steps = 0;
const options = { engine: "wasm", onEvent: (event: { type: string }) => event.type === "step" && steps++ === 1 && console.log("go") } as const;`);
  expect(reply).toMatchObject({ status: "ok" });
});
afterAll(async () => {
  await kernel.stop();
  rmSync(folder, { recursive: true, force: true });
});

const value = ({ of }: Outcome) => (of("execute_result")[0]?.data as Record<string, string>)?.["text/plain"];

describe("an interrupted training", { timeout: 180_000 }, () => {
  it("is the cell's variable, has ended and is saved, and goes on from there", async () => {
    let started = () => {};
    const start = new Promise<void>((done) => {
      started = done;
    });
    const running = kernel.execute("const run = await nb.train(config, options);", {
      onMessage: ({ header, content }) =>
        header.msg_type === "stream" && String(content.text).includes("go") && started(),
    });
    await start;
    await kernel.interrupt();
    expect((await running).reply).toMatchObject({ status: "error", ename: "Interrupted" });
    expect(value(await kernel.execute("run.finished.reason"))).toContain("interrupted");
    expect(value(await kernel.execute("nb.lastRun().runId === run.runId"))).toBe("true");
    const id = value(await kernel.execute("run.runId")).replaceAll(/['"]/g, "");
    expect(JSON.parse(readFileSync(join(folder, "results", `id${id}`, "end.json"), "utf8"))).toMatchObject({
      reason: "interrupted",
    });
    const next = await kernel.execute(
      "const more = await nb.train(config, { continue: run.runId, engine: 'wasm', maxSteps: run.finished.step + 1 }); more.finished.step - run.finished.step",
    );
    expect(value(next)).toBe("1");
  });

  it("is known after an error too", async () => {
    const failing = await kernel.execute(
      'const lost = await nb.train(config, { engine: "wasm", onEvent: ({ type }) => { if (type === "step") throw new Error("mine"); } });',
    );
    expect(failing.reply).toMatchObject({ status: "error", evalue: "mine" });
    expect(value(await kernel.execute("nb.lastRun().finished"))).toBe("null");
    expect((await kernel.execute("lost.runId")).reply).toMatchObject({ ename: "ReferenceError" });
    expect(value(await kernel.execute("nb.lastRun().runId.length"))).toBe("8");
  });
});
