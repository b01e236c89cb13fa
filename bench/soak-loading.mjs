// Loading for long: node bench/soak-loading.mjs [MINUTES] [WORKERS] [--http]   (30 minutes, two workers)
// --http reads the store from slow-server.mjs, which answers after 50 ms and every 50th request with 503.
// Training batches as a run takes them, masked, epoch after epoch (threads start with each), of a store larger than the cache of
// decoded chunks. Memory and open handles are looked at as time goes on: exit 1 if memory of the last third is above 1.1 times
// that of the second one, or if handles or files have become more. Needs a build; prints one JSON line. SIGTERM ends it early.
import { fork } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { resolveConfig } from "../dist/config/resolve.js";
import { makeWaves } from "../dist/data/waves.js";
import { trainBatches } from "../dist/training/batches.js";
import { openSession } from "../dist/training/open.js";

await soak();

async function soak() {
  const isHttp = process.argv.includes("--http");
  const [minutes = 30, workers = 2] = process.argv
    .slice(2)
    .filter((text) => text !== "--http")
    .map(Number);
  const MIB = 2 ** 20;
  const SAMPLES = 60;

  let ended = false;
  process.once("SIGTERM", () => {
    ended = true;
  });

  const FIELD = (name) => [name, [1, 24, [], 0], [96, 114], [4, 3, 3], [3, 6, 6], [0.5, 0.9, 0.2, 0.05]];
  const dir = mkdtempSync(join(tmpdir(), "atmorep-loading-"));
  const count = (folder) => {
    try {
      return readdirSync(folder).length;
    } catch {
      return null; // where there is no /proc
    }
  };
  const now = () => ({
    rss: process.memoryUsage().rss / MIB,
    handles: process.getActiveResourcesInfo().filter((name) => !/Immediate|Timeout/.test(name)).length,
    files: count("/proc/self/fd"),
    threads: count("/proc/self/task"),
  });

  try {
    const store = join(dir, "waves.zarr");
    // 1,200 steps of 10 planes of 91 x 180: 786 MB, where the cache holds 512 MiB
    await makeWaves(store, { res: [2, 2], days: 300 });
    const server = isHttp ? fork(new URL("slow-server.mjs", import.meta.url), [store]) : null;
    const answer = () => new Promise((resolve) => server.once("message", resolve));
    const address = server && `http://127.0.0.1:${(await answer()).port}`;
    process.env.ATMOREP_HTTP_CACHE = "off";
    const { config } = resolveConfig({
      preset: "waves",
      data: address ?? store,
      set: {
        fields: [FIELD("velocity_u"), FIELD("velocity_v")],
        fields_prediction: [["velocity_u", 1]],
        n_size: [12, 36, 36],
        dates_train: [["2021-01-01", "2021-09-30"]],
        dates_val: [["2021-10-01", "2021-10-27"]],
        batch_size: 16,
        samples_per_time: 4,
        // memory is looked at between epochs, and over http these are slower
        num_samples_per_epoch: isHttp ? 256 : 1024,
        num_loader_workers: workers,
        mask_streams: "batch",
      },
    });
    const session = await openSession(config, { out: join(dir, "out"), engine: "wasm" });
    const rows = [];
    let [batches, epoch] = [0, 0];
    const began = performance.now();
    const lasts = minutes * 60_000;
    let next = 0;
    while (!ended && performance.now() - began < lasts) {
      for await (const batch of trainBatches(session, epoch, 0)) {
        if (batch) batches += 1;
        if (performance.now() - began > lasts || ended) break;
        await setImmediate();
      }
      epoch += 1;
      // between epochs: no thread is at work, and what the last epoch held can go
      if (performance.now() - began >= next) {
        rows.push(now());
        next += lasts / SAMPLES;
      }
    }
    await session.close();
    let served = null;
    if (server) {
      const answered = answer();
      server.send("tell");
      served = await answered;
      server.disconnect();
    }
    const third = Math.floor(rows.length / 3);
    const [second, last] = [rows.slice(third, 2 * third), rows.slice(2 * third)];
    const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];
    const usual = (list, key) => median(list.map((row) => row[key] ?? 0));
    const ratio = usual(last, "rss") / usual(second, "rss");
    // the middle of many looks: a thread that has just been ended may still hold its files
    const open = ["handles", "files", "threads"].map((key) => [key, [usual(second, key), usual(last, key)]]);
    const more = open.filter(([, [before, after]]) => after > before).map(([key]) => key);
    console.log(
      JSON.stringify({
        minutes: Number(((performance.now() - began) / 60_000).toFixed(1)),
        workers,
        batches,
        epochs: epoch,
        ...(served && { http: served }),
        rssMiB: rows.filter((_, i) => i % Math.ceil(rows.length / 20) === 0).map(({ rss }) => Math.round(rss)),
        ratio: Number(ratio.toFixed(3)),
        open: Object.fromEntries(open),
        more,
      }),
    );
    if (!(ratio <= 1.1) || more.length > 0) process.exitCode = 1;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}
