// The train step of this program and of the original, in turn (A B A B ...), in one process each.
//
//   ATMOREP_SRC=<checkout of the original> PYTHON=<its Python> node bench/step-beside-original.mjs CONFIG PEER \
//     [--pairs 3] [--steps 8] [--checkpointing] [--engine native|wasm]
//
// PEER is the folder with `bench_peer.py`. Prints each pair and the median ratios.
import { execFileSync } from "node:child_process";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    pairs: { type: "string", default: "3" },
    steps: { type: "string", default: "8" },
    checkpointing: { type: "boolean", default: false },
    engine: { type: "string", default: "native" },
  },
});
const [config, peer] = positionals;
const program = fileURLToPath(new URL("./step.mjs", import.meta.url));
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
const lastLine = (command, args, cwd) =>
  JSON.parse(
    execFileSync(command, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] })
      .trim()
      .split("\n")
      .at(-1),
  );

const ours = (...more) => {
  const set = ["--set", `grad_checkpointing=${options.checkpointing}`];
  return lastLine(process.execPath, [
    program,
    config,
    "--engine",
    options.engine,
    "--steps",
    options.steps,
    ...set,
    ...more,
  ]);
};

function original() {
  const flags = ["--config", resolve(config), "--checkpointing", options.checkpointing ? "1" : "0"];
  const rest = ["--repeats", options.steps, "--tmp", join(tmpdir(), "bench-original")];
  return lastLine(process.env.PYTHON ?? "python3", ["-W", "ignore", "bench_peer.py", "step", ...flags, ...rest], peer);
}

const ratios = { time: [], memory: [] };
for (let i = 0; i < Number(options.pairs); i++) {
  const [a, b] = [ours(), original()];
  const times = `${a.median_s.toFixed(4)} s (processor ${a.processor_s.toFixed(3)}), the original ${b.median_s.toFixed(4)} s`;
  const memory = `${a.peak_rss_mib.toFixed(0)} MiB, the original ${b.peak_rss_mib.toFixed(0)} MiB`;
  console.log(
    `${times}; ${memory}; first step ${a.first_step_s.toFixed(1)} s, block ${a.longest_block_ms.toFixed(0)} ms`,
  );
  ratios.time.push(a.median_s / b.median_s);
  ratios.memory.push(a.peak_rss_mib / b.peak_rss_mib);
}
for (const [what, values] of Object.entries(ratios)) console.log(`${what}: median ratio ${median(values).toFixed(2)}`);
const { share, peak_gflops, gflop } = ours("--peak");
console.log(`${gflop.toFixed(1)} GFLOP, ${(100 * share).toFixed(0)} % of ${peak_gflops.toFixed(0)} GFLOP/s`);
