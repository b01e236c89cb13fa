/** The WASM engine on several threads, which exist in the built program only: its results, and its end. */
import { spawnSync } from "node:child_process";
import { afterEach, describe, expect, it, vi } from "vitest";
// @ts-expect-error plain JavaScript, which has to run before anything is built
import { build } from "../../bin/build.js";
import { openEngine } from "../../src/engine/index.js";

const at = (path: string) => JSON.stringify(new URL(`../../dist/engine/${path}`, import.meta.url).href);

/**
 * Prints how many threads there are, how often helpers were asked, and a hash of what comes out of products of every
 * orientation and of attention.
 */
const PROGRAM = `
const { createHash } = await import("node:crypto");
const { setTimeout } = await import("node:timers/promises");
const tf = await import("@tensorflow/tfjs-core");
const { openWasm } = await import(${at("wasm/open.js")});
const { linear, attention, only } = await import(${at("kernels/index.js")});
const { threads } = await openWasm();
// helpers do without being waited for
await setTimeout(1500);
let state = 7;
const draw = (...shape) => tf.tensor(Float32Array.from({ length: shape.reduce((a, b) => a * b) },
  () => (state = (state * 48271) % 2147483647) / 1073741823 - 1), shape);
const hash = createHash("sha256");
// each task of a helper begins with one
let asked = 0;
// wakes that come at any time must do no harm
const { Worker } = await import("node:worker_threads");
const waker = new Worker(\`const known = [];
  const wake = () => { for (const control of known) for (let i = 0; i < 50; i++) Atomics.notify(control, 0); setImmediate(wake); };
  require("node:worker_threads").parentPort.on("message", (control) => known.push(control));
  wake();\`, { eval: true, execArgv: [] });
waker.unref();
const known = new Set();
const notify = Atomics.notify;
Atomics.notify = (control, ...rest) => {
  asked++;
  if (!known.has(control)) waker.postMessage(control);
  known.add(control);
  return notify.call(Atomics, control, ...rest);
};
const add = (tensors) => { for (const tensor of tensors) hash.update(new Uint8Array(tensor.dataSync().buffer.slice(0))); };
for (const [m, n, k] of [[257, 190, 200], [12, 700, 900], [3, 1500, 1500], [800, 8, 900], [65, 333, 777]]) {
  for (const ta of [false, true]) for (const tb of [false, true]) {
    add([tf.matMul(draw(...(ta ? [k, m] : [m, k])), draw(...(tb ? [n, k] : [k, n])), ta, tb)]);
  }
}
add(tf.grads((x, w, b) => linear(x, w, b))([draw(301, 203), draw(110, 203), draw(110)], draw(301, 110)));
for (const [batch, heads, t, s] of [[1, 5, 203, 311], [3, 2, 205, 150], [1, 1, 700, 700]]) {
  const [q, k, v] = [t, s, s].map((rows) => draw(batch * rows, heads * 24));
  const norms = { queries: false, keys: false };
  const value = (q, k, v) => attention({ q: only(q), k: only(k), v: only(v), norms }, { batch, heads });
  add([value(q, k, v), ...tf.grads(value)([q, k, v], draw(batch * t, heads * 24))]);
}
console.log(JSON.stringify([threads, asked, hash.digest("hex")]));
`;

it("computes the same bytes on any number of threads, and ends", () => {
  build();
  const results = ["1", "2", "3", "5"].map((threads) => {
    const env = { ...process.env, ATMOREP_THREADS: threads };
    const run = spawnSync(process.execPath, ["--input-type=module", "-e", PROGRAM], {
      env,
      encoding: "utf8",
      timeout: 60_000,
    });
    expect(run.stderr).toBe("");
    expect(run.status).toBe(0);
    return JSON.parse(run.stdout.trim().split("\n").at(-1)!);
  });
  expect(results.map(([threads]) => threads)).toEqual([1, 2, 3, 5]);
  const asked = results.map(([, count]) => count);
  expect(asked[0]).toBe(0);
  for (const count of asked.slice(1)) expect(count).toBeGreaterThan(10);
  expect(new Set(results.map(([, , digest]) => digest)).size).toBe(1);
}, 240_000);

/** Prints how many threads the process has: before it is opened, open, and closed. */
const CLOSING = `
const { readdirSync } = await import("node:fs");
const { setTimeout } = await import("node:timers/promises");
const { openWasm } = await import(${at("wasm/open.js")});
const count = () => readdirSync("/proc/self/task").length;
const before = count();
const engine = await openWasm();
await setTimeout(1500);
const open = count();
await engine.close();
console.log(JSON.stringify([open - before >= 2, open - count()]));
`;

it.skipIf(process.platform !== "linux")(
  "ends its threads when it is closed",
  () => {
    build();
    const env = { ...process.env, ATMOREP_THREADS: "3" };
    const run = spawnSync(process.execPath, ["--input-type=module", "-e", CLOSING], {
      env,
      encoding: "utf8",
      timeout: 60_000,
    });
    expect(run.stderr).toBe("");
    expect(JSON.parse(run.stdout)).toEqual([true, 2]);
  },
  240_000,
);

describe("before it starts", () => {
  afterEach(() => vi.unstubAllEnvs());

  it.each([
    ["ATMOREP_PRODUCTS", "bf16x3", /^ATMOREP_PRODUCTS=bf16x3: .*the WASM engine/],
    ["ATMOREP_PRODUCTS", "tf32", /^ATMOREP_PRODUCTS: not a precision/],
    ["ATMOREP_THREADS", "none", /^ATMOREP_THREADS: not a number of threads/],
  ])("the WASM engine refuses %s=%s", async (name, value, message) => {
    vi.stubEnv(name, value);
    await expect(openEngine("wasm")).rejects.toThrow(message);
    vi.unstubAllEnvs();
    expect((await openEngine("wasm")).name).toBe("wasm");
  });
});
