/**
 * Batch preparation of this program and of the original, in turn (A B A B ...), in one process each.
 *
 *   ATMOREP_SRC=<checkout of the original> PYTHON=<its Python> node bench/prepare-beside-original.mjs CONFIG STORE PEER [pairs]
 *
 * PEER is the folder with `bench_peer.py`. Prints each pair's samples per second and the median ratio.
 */
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const [config, store, peer, pairs = "3"] = process.argv.slice(2);
const program = fileURLToPath(new URL("../bin/atmorep.js", import.meta.url));
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];

/** [{masking: false, ...}, {masking: true, ...}] */
function ours() {
  const args = ["bench", "prepare", "--config", config, "--data", store, "--workers", "0", "--json"];
  return JSON.parse(execFileSync(process.execPath, [program, ...args], { encoding: "utf8" }));
}

function original() {
  const args = ["-W", "ignore", "bench_peer.py", "prep", "--config", config, "--store", store, "--repeats", "6"];
  const out = execFileSync(process.env.PYTHON ?? "python3", args, { cwd: peer, encoding: "utf8" });
  return JSON.parse(out.trim().split("\n").at(-1));
}

const ratios = { sampler: [], "sampler and masking": [] };
for (let i = 0; i < Number(pairs); i++) {
  const a = ours();
  const b = original();
  const rate = (masking) => a.find((row) => row.masking === masking).samplesPerSecond;
  const pair = { sampler: [rate(false), b.sampler.samples_per_s] };
  pair["sampler and masking"] = [rate(true), b.sampler_masking.samples_per_s];
  for (const [what, [mine, theirs]] of Object.entries(pair)) {
    console.log(`${what}: ${mine.toFixed(0)} samples/s, the original ${theirs.toFixed(0)}`);
    ratios[what].push(mine / theirs);
  }
}
for (const [what, values] of Object.entries(ratios)) console.log(`${what}: median ratio ${median(values).toFixed(1)}`);
