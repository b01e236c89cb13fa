/** The button of a training, pressed by a page that is this test. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Message } from "../../src/kernel/wire/message.js";
import { SETUP } from "../lab/runs.js";
import { type Content, KernelClient } from "./client.js";

let folder: string;
let client: KernelClient;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "atmorep-button-"));
  client = await KernelClient.start(folder);
});
afterAll(async () => {
  await client.stop();
  rmSync(folder, { recursive: true, force: true });
});

it("stops the run while its cell trains; the cell goes on, and shows the figure without the widget", async () => {
  expect((await client.execute(SETUP)).reply.status).toBe("ok");
  const press = async ({ header, content }: Message) => {
    if (header.msg_type !== "comm_open") return;
    const data = { method: "update", state: { stopping: true }, buffer_paths: [] };
    await client.post("comm_msg", { comm_id: content.comm_id, data }).sent;
  };
  const { reply, of } = await client.execute(
    'const run = await nb.train(config, { out, runId: "buttonr1", stopButton: true });\nrun.finished.reason',
    { onMessage: (message) => void press(message) },
  );
  expect(reply.status).toBe("ok");
  expect((of("execute_result")[0].data as Content)["text/plain"]).toBe("'interrupted'");
  const [first] = of("display_data").map(({ data }) => Object.keys(data as Content));
  const last = of("update_display_data").map(({ data }) => Object.keys(data as Content));
  expect(first).toContain("application/vnd.jupyter.widget-view+json");
  expect(first).toContain("text/html");
  expect(last.at(-1)).toContain("application/vnd.plotly.v1+json");
  expect(last.at(-1)).not.toContain("application/vnd.jupyter.widget-view+json");
  expect(of("comm_close")).toHaveLength(1);
});
