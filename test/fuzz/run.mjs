/**
 * Fuzzing of every reader, guided by V8's coverage of the compiled program (jazzer.js wants a newer C library than Debian 12
 * has; where it loads, it runs the same targets):
 *
 *   node test/fuzz/run.mjs [TARGET...] [--runs N] [--seed S] [--regress]
 *
 * A target is a module of `targets/` with `fuzz(data)`, which gives or throws; `seeds()` and `dictionary` help. `corpus/TARGET/`
 * has inputs to begin with, and those that once failed (`found-...`). `--regress` gives each of them once. Else N inputs in all are made
 * of them. Each target runs in a process of its own, which may take 10 s for an input and 1 GB; what fails is written to
 * `corpus/TARGET/found-DIGEST`. Coverage is taken for batches; a batch that reaches something new is tried again input by
 * input, and those that do are kept for this call. Exit status 1 if anything was found.
 */
import { fork } from "node:child_process";
import { createHash } from "node:crypto";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { Session } from "node:inspector";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { generator, mutate } from "./mutate.mjs";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const SECONDS = 10;
const BYTES = 2 ** 30;
const BATCH = 64;
/** of the inputs, where it is not as many as others get: HDF5 is compiled code, and slow */
const SHARES = { netcdf4: 0.1 };
/** longer inputs are cut: what matters is how they begin */
const LONGEST = 65_536;

const corpusOf = (target) => join(HERE, "corpus", target);
const corpusFiles = (target) => (existsSync(corpusOf(target)) ? readdirSync(corpusOf(target)).sort() : []);

/** The process of one target: gives inputs, one after the other, and writes each down before it does. */
async function child(target, runs, seed, regress, current, without) {
  const { fuzz, seeds = () => [], dictionary = [] } = await import(`./targets/${target}.mjs`);
  const names = corpusFiles(target).filter((name) => !without.includes(name));
  const files = names.map((name) => readFileSync(join(corpusOf(target), name)));
  const corpus = [...(await seeds()), ...files];
  let refused = 0;
  const give = async (data) => {
    writeFileSync(current, data);
    if ((await fuzz(Buffer.from(data))) === false) refused += 1;
  };
  const coverage = regress ? null : startCoverage();
  for (const data of corpus) await give(data);
  coverage?.news();
  const random = generator(seed);
  let done = corpus.length;
  while (!regress && done < runs) {
    const batch = Array.from({ length: Math.min(BATCH, runs - done) }, () =>
      mutate(corpus, dictionary, random, LONGEST),
    );
    for (const data of batch) await give(data);
    done += batch.length;
    if (coverage.news() > 0) {
      coverage.forgetLast();
      for (const data of batch) {
        await give(data);
        if (coverage.news() > 0) corpus.push(data);
      }
    }
    process.send?.({ done, refused, corpus: corpus.length, covered: coverage.size() });
  }
  process.send?.({ done, refused, corpus: corpus.length, covered: coverage?.size() ?? 0, ended: true });
}

/** What of the program's own code has run. */
function startCoverage() {
  const session = new Session();
  session.connect();
  let answer = null;
  const post = (method, params) => {
    session.post(method, params, (error, result) => {
      if (error) throw new Error(error.message);
      answer = result;
    });
    return answer;
  };
  post("Profiler.enable");
  post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
  /** of each function, by its place, which of its characters have run: V8 joins blocks as their counts happen to be */
  const seen = new Map();
  let last = [];
  let size = 0;
  return {
    /** how many characters of the program ran since the last call that never had before */
    news() {
      last = [];
      for (const { url, functions } of post("Profiler.takePreciseCoverage").result) {
        if (!url.includes("/dist/") || url.includes("node_modules")) continue;
        for (const { ranges } of functions) {
          const [{ startOffset, endOffset, count }] = ranges;
          if (count === 0) continue;
          const ran = new Uint8Array(endOffset - startOffset).fill(1);
          for (const inner of ranges.slice(1)) {
            ran.fill(inner.count > 0 ? 1 : 0, inner.startOffset - startOffset, inner.endOffset - startOffset);
          }
          const key = `${url}:${startOffset}`;
          const known = seen.get(key) ?? new Uint8Array(ran.length);
          seen.set(key, known);
          for (let i = 0; i < ran.length; i++) {
            if (ran[i] === 0 || known[i] === 1) continue;
            known[i] = 1;
            last.push([known, i]);
          }
        }
      }
      size += last.length;
      return last.length;
    },
    /** so that they are news once more, to find out which input it was */
    forgetLast() {
      size -= last.length;
      for (const [known, i] of last) known[i] = 0;
    },
    size: () => size,
  };
}

/** Watches a target's process. @returns what it told last, and why it ended before its time */
function watch(target, runs, seed, regress, current, without) {
  return new Promise((resolve) => {
    const args = ["--child", target, String(runs), String(seed), String(Number(regress)), current, without.join()];
    const process_ = fork(fileURLToPath(import.meta.url), args, {
      execArgv: ["--max-old-space-size=1024"],
      stdio: ["ignore", "ignore", "pipe", "ipc"],
    });
    let told = { done: 0, refused: 0, corpus: 0, covered: 0 };
    let stderr = "";
    let why = null;
    const began = Date.now();
    const watching = setInterval(() => {
      const since = Date.now() - (existsSync(current) ? statSync(current).mtimeMs : began + 60_000);
      if (since > SECONDS * 1000) why = `it takes more than ${SECONDS} s`;
      if (memoryOf(process_.pid) > BYTES) why = "it takes more than 1 GB";
      if (why) process_.kill("SIGKILL");
    }, 250);
    process_.stderr.on("data", (chunk) => {
      stderr = `${stderr}${chunk}`.slice(-4000);
    });
    process_.on("message", (message) => {
      told = message;
    });
    process_.on("close", (code, signal) => {
      clearInterval(watching);
      if (code !== 0) why ??= stderr || `it ended by ${signal ?? `exit ${code}`}`;
      resolve({ ...told, why });
    });
  });
}

/** Resident memory, where the system tells. */
function memoryOf(pid) {
  try {
    return 1024 * Number(/^VmRSS:\s*(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      runs: { type: "string", default: "10000" },
      seed: { type: "string", default: "1" },
      regress: { type: "boolean", default: false },
    },
  });
  const all = readdirSync(join(HERE, "targets"))
    .map((name) => name.replace(/\.mjs$/, ""))
    .sort();
  const targets = positionals.length > 0 ? positionals : all;
  const work = mkdtempSync(join(tmpdir(), "atmorep-fuzzing-"));
  const shares = targets.reduce((sum, target) => sum + (SHARES[target] ?? 1), 0);
  let found = 0;
  let total = 0;
  try {
    for (const target of targets) {
      const began = Date.now();
      const share = Math.ceil((Number(values.runs) * (SHARES[target] ?? 1)) / shares);
      let left = share;
      let seed = Number(values.seed);
      let failed = 0;
      let told;
      const without = [];
      do {
        const current = join(work, `${target}-${seed}`);
        told = await watch(target, left, seed, values.regress, current, without);
        left -= told.done;
        total += told.done;
        if (!told.why) break;
        failed += 1;
        without.push(keep(target, current, told.why));
        // the same seed would give the same input; three faults of one reader are enough for one call
        seed += 1_000_003;
      } while (failed < 3 && left > 0 && !values.regress);
      found += failed;
      const seconds = ((Date.now() - began) / 1000).toFixed(1);
      console.log(
        `${target}: ${share - Math.max(0, left)} inputs, ${told.refused} refused in the last process, ${told.covered} characters of code, corpus ${told.corpus}, ${failed} found, ${seconds} s`,
      );
    }
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  console.log(`${total} inputs, ${found} found`);
  process.exitCode = found > 0 ? 1 : 0;
}

function keep(target, current, why) {
  const data = existsSync(current) ? readFileSync(current) : Buffer.alloc(0);
  const name = `found-${createHash("sha256").update(data).digest("hex").slice(0, 12)}`;
  mkdirSync(corpusOf(target), { recursive: true });
  writeFileSync(join(corpusOf(target), name), data);
  console.log(`${target}: ${name} (${data.length} bytes): ${why}`);
  return name;
}

if (process.argv[2] === "--child") {
  const [, , , target, runs, seed, regress, current, without] = process.argv;
  await child(target, Number(runs), Number(seed), regress === "1", current, without.split(","));
  process.exit(0);
} else await main();
