// Everything at once for long: node bench/soak-everything.mjs [MINUTES]   (30)
// A training with two loader threads reads a store larger than its cache from slow-server.mjs; each epoch validates and saves, and
// takes seconds. Beside it a process watches the run as a notebook does, and every few minutes `atmorep evaluate` reads its newest
// weights. Memory, open files and threads of training and watching are looked at as time goes on: exit 1 unless what is usual in the
// last third is what was usual in the second, if an evaluation fails, or if the run cannot be verified in the end. Linux; needs a build;
// prints one JSON line. SIGTERM ends it early.
import { fork, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { resolveConfig } from "../dist/config/resolve.js";
import { makeWaves } from "../dist/data/waves.js";

const ID = "soakmany";
const MIB = 2 ** 20;
const minutes = Number(process.argv[2] ?? 30);
const LASTS = minutes * 60_000;
const LOOKS = 300;
/** What may come on top of what was usual before: garbage and threads that start and end are never the same twice. */
const ROOM = { rss: (before) => 1.1 * before + 8, files: (before) => before + 2, threads: (before) => before + 2 };

const LAUNCHER = fileURLToPath(new URL("../bin/atmorep.js", import.meta.url));
const WATCH = `
  const { watch } = await import(process.argv[1]);
  await watch(process.argv[2], { out: process.argv[3], every: 1000, until: new Promise((resolve) => process.on("SIGTERM", resolve)) });
`;
const FIELD = (name) => [name, [1, 24, [], 0], [96, 114], [4, 3, 3], [3, 6, 6], [0.5, 0.9, 0.2, 0.05]];

let ended = false;
process.once("SIGTERM", () => {
  ended = true;
});
const dir = mkdtempSync(join(tmpdir(), "atmorep-soak-"));
const out = join(dir, "out");
const started = [];

/** @returns what it prints when it ends, its code, and the process */
function start(args) {
  const child = spawn(process.execPath, args, { env: { ...process.env, ATMOREP_HTTP_CACHE: "off" } });
  started.push(child);
  let tail = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (text) => {
      tail = `${tail}${text}`.slice(-4000);
    });
  }
  const end = new Promise((resolve) => child.on("close", (code, signal) => resolve({ code: code ?? signal, tail })));
  return {
    pid: child.pid,
    end,
    kill: (signal) => child.kill(signal),
    isOver: () => child.exitCode !== null || child.signalCode !== null,
  };
}

/** Of a process, or null if it is gone. */
function look(pid) {
  try {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    const number = (key) => Number(new RegExp(`^${key}:\\s+(\\d+)`, "m").exec(status)[1]);
    return {
      rss: (number("VmRSS") * 1024) / MIB,
      files: readdirSync(`/proc/${pid}/fd`).length,
      threads: number("Threads"),
    };
  } catch {
    return null;
  }
}

const usual = (rows, key) => [...rows.map((row) => row[key])].sort((a, b) => a - b)[rows.length >> 1];

/** What was usual in the second third and in the last, and what has grown. */
function told(rows) {
  const third = Math.floor(rows.length / 3);
  const [second, last] = [rows.slice(third, 2 * third), rows.slice(2 * third)];
  const pairs = Object.keys(ROOM).map((key) => [key, [usual(second, key), usual(last, key)].map(Math.round)]);
  return {
    ...Object.fromEntries(pairs),
    rssMiB: rows.filter((_, i) => i % Math.ceil(rows.length / 15) === 0).map(({ rss }) => Math.round(rss)),
    grown: pairs.filter(([key, [before, after]]) => !(after <= ROOM[key](before))).map(([key]) => key),
  };
}

try {
  const store = join(dir, "waves.zarr");
  // 786 MB, where the cache holds 512 MiB
  await makeWaves(store, { res: [2, 2], days: 300 });
  const server = fork(new URL("slow-server.mjs", import.meta.url), [store]);
  const answer = () => new Promise((resolve) => server.once("message", resolve));
  const { port } = await answer();
  const { config } = resolveConfig({
    preset: "waves",
    data: `http://127.0.0.1:${port}`,
    set: {
      fields: [FIELD("velocity_u"), FIELD("velocity_v")],
      fields_prediction: [["velocity_u", 1]],
      n_size: [12, 36, 36],
      dates_train: [["2021-01-01", "2021-09-30"]],
      dates_val: [["2021-10-01", "2021-10-27"]],
      encoder_num_layers: 1,
      decoder_num_layers: 1,
      encoder_num_heads: 2,
      decoder_num_heads: 2,
      net_tail_num_nets: 2,
      batch_size: 4,
      batch_size_validation: 4,
      samples_per_time: 4,
      num_samples_per_epoch: 128,
      num_samples_validate: 8,
      num_epochs: 100_000,
      keep_epochs: 2,
      num_loader_workers: 2,
      mask_streams: "batch",
    },
  });
  const file = join(dir, "soak.json");
  writeFileSync(file, JSON.stringify(config));
  const training = start([LAUNCHER, "train", file, "--out", out, "--run-id", ID, "--engine", "wasm"]);
  const best = join(out, "models", `id${ID}`, `AtmoRep_id${ID}.mod`);
  while (!existsSync(best) && !training.isOver() && !ended) await sleep(500);
  const index = new URL("../dist/notebook/index.js", import.meta.url).href;
  const watching = start(["--input-type=module", "-e", WATCH, index, ID, out]);

  const rows = { training: [], watching: [] };
  const failed = [];
  let evaluations = 0;
  let evaluating = null;
  const began = performance.now();
  const passed = () => performance.now() - began;
  while (passed() < LASTS && !ended && !training.isOver() && !watching.isOver()) {
    await sleep(LASTS / LOOKS);
    for (const [name, { pid }] of Object.entries({ training, watching })) {
      const row = look(pid);
      if (row) rows[name].push(row);
    }
    // one at a time, in every tenth of the time
    if (evaluating || passed() < ((evaluations + 0.5) * LASTS) / 10) continue;
    evaluations += 1;
    const id = `soakev${String(evaluations).padStart(2, "0")}`;
    evaluating = start([LAUNCHER, "evaluate", `${ID}@latest`, "--out", out, "--run-id", id, "--engine", "wasm"]);
    evaluating.end.then(({ code, tail }) => {
      if (code !== 0) failed.push({ evaluation: id, code, tail });
      rmSync(join(out, "results", `id${id}`), { recursive: true, force: true });
      evaluating = null;
    });
  }
  await evaluating?.end;
  for (const [name, one] of Object.entries({ training, watching })) {
    if (one.isOver()) failed.push({ [name]: "ended before its time", ...(await one.end) });
  }
  training.kill("SIGTERM");
  const { code, tail } = await training.end;
  if (code !== 143) failed.push({ training: "ended otherwise than asked", code, tail });
  watching.kill("SIGTERM");
  const watched = await watching.end;
  if (watched.code !== 0) failed.push({ watching: "failed", ...watched });
  const verified = await start([LAUNCHER, "runs", "verify", ID, "--out", out, "--no-data"]).end;
  if (verified.code !== 0) failed.push({ verify: verified.tail });
  const metrics = readFileSync(join(out, "results", `id${ID}`, "metrics.jsonl"), "utf8").trimEnd();
  const { step: steps } = JSON.parse(metrics.slice(metrics.lastIndexOf("\n") + 1));
  const served = answer();
  server.send("tell");
  const http = await served;
  server.disconnect();
  const result = { training: told(rows.training), watching: told(rows.watching) };
  const spent = Number((passed() / 60_000).toFixed(1));
  console.log(JSON.stringify({ minutes: spent, steps, evaluations, http, ...result, failed }));
  const grown = [...result.training.grown, ...result.watching.grown];
  if (grown.length > 0 || failed.length > 0) process.exitCode = 1;
} finally {
  for (const child of started) child.kill("SIGKILL");
  rmSync(dir, { recursive: true, force: true });
}
