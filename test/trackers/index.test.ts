import { existsSync, readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import { join } from "node:path";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { runFolder } from "../../src/runs/folder.js";
import { readMetrics } from "../../src/runs/metrics.js";
import { stateOf } from "../support/runState.js";
import { tempDir } from "../support/tempDir.js";
import { runAll, tinyConfig } from "../support/tinyRun.js";

let server: Server | null = null;
beforeEach(() => {
  vi.stubEnv("MLFLOW_TRACKING_URI", "");
});
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
  server = null;
});

/** A server that speaks as much of MLflow's interface as a run needs; `answer` may refuse a request. */
async function listen(answer: (path: string, body: Record<string, unknown>, n: number) => number): Promise<unknown[]> {
  const taken: unknown[] = [];
  let n = 0;
  server = createServer((request, response) => {
    let text = "";
    request.on("data", (part) => {
      text += part;
    });
    request.on("end", () => {
      const body = JSON.parse(text);
      const status = answer(request.url ?? "", body, n++);
      if (status === 0) return request.socket.destroy();
      if (status === 200) taken.push(...((body.metrics as unknown[]) ?? []));
      response.writeHead(status, { "content-type": "application/json" });
      const found = { experiments: [{ experiment_id: "0" }], run: { info: { run_id: "r1" } } };
      response.end(JSON.stringify(status === 200 ? found : { error_code: "INTERNAL_ERROR" }));
    });
  });
  await new Promise<void>((resolve) => server!.listen(0, "127.0.0.1", resolve));
  vi.stubEnv("MLFLOW_TRACKING_URI", `http://127.0.0.1:${(server.address() as { port: number }).port}/`);
  return taken;
}

const warnings = (events: { type: string; message?: string }[]) =>
  events.flatMap(({ type, message }) => (type === "warning" ? [message] : []));

it("mlflow without a server is refused before anything is written", async () => {
  const out = join(tempDir(), "new");
  const config = tinyConfig({ trackers: ["mlflow"] });
  await expect(runAll(config, { out })).rejects.toThrow(/MLFLOW_TRACKING_URI.*such as http/s);
  expect(existsSync(out)).toBe(false);
});

it("a server that is not there is told, and the run is as without trackers", async () => {
  const out = tempDir();
  vi.stubEnv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9");
  const { events } = await runAll(tinyConfig({ trackers: ["mlflow"] }), { out, runId: "tracked0", maxSteps: 4 });
  expect(warnings(events)).toEqual([expect.stringMatching(/mlflow is not told.*goes on without/)]);
  await runAll(tinyConfig(), { out, runId: "untracke", maxSteps: 4 });
  expect(await stateOf(out, "tracked0")).toEqual(await stateOf(out, "untracke"));
});

it("what a server misses while it is away comes later", async () => {
  const out = tempDir();
  const failures = [500, 0, 503];
  const taken = await listen((path, body) =>
    path.endsWith("log-batch") && body.metrics ? (failures.shift() ?? 200) : 200,
  );
  const { events } = await runAll(tinyConfig({ trackers: ["mlflow"] }), { out, runId: "awhile00", maxSteps: 6 });
  expect(warnings(events)).toEqual([]);
  expect(failures).toEqual([]);
  const rows = await readMetrics(runFolder(out, "awhile00").metrics);
  const values = taken.filter((metric) => (metric as { key: string }).key === "training loss");
  expect(values.map((metric) => (metric as { value: number }).value)).toEqual(
    rows.flatMap((row) => (row["training loss"] === undefined ? [] : [row["training loss"]])),
  );
});

it("a run whose reader leaves early is marked as interrupted, and its trackers as well", async () => {
  const out = tempDir();
  const ends: unknown[] = [];
  await listen((path, body) => {
    if (path.endsWith("runs/update")) ends.push(body.status);
    return 200;
  });
  const { train } = await import("../../src/training/train.js");
  for await (const event of train(tinyConfig({ trackers: ["mlflow"] }), { out, runId: "leftearl" })) {
    if (event.type === "step") break;
  }
  expect(ends).toEqual(["KILLED"]);
  expect(readFileSync(join(out, "results", "idleftearl", "end.json"), "utf8")).toContain("interrupted");
});
