import { execFile } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { beforeAll, expect, it } from "vitest";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

beforeAll(() => promisify(execFile)(process.execPath, [join(ROOT, "bin/build.js")]));

/** Runs a script that has `engine`, `tf` and `heavy` (a compiled function of about 0.3 s). */
async function script(name: string, body: string): Promise<{ code: number; stdout: string; stderr: string }> {
  const file = join(tmpdir(), `native-${process.pid}-${name}.mjs`);
  writeFileSync(
    file,
    `import { createRequire } from "node:module";
     import { Worker, isMainThread } from "node:worker_threads";
     const require = createRequire(${JSON.stringify(join(ROOT, "package.json"))});
     const tf = require("@tensorflow/tfjs-core");
     const { openEngine } = await import(${JSON.stringify(join(ROOT, "dist/engine/index.js"))});
     const { openedTensorflow } = await import(${JSON.stringify(join(ROOT, "dist/engine/native.js"))});
     const { jitKernels } = await import(${JSON.stringify(join(ROOT, "dist/engine/jit/register.js"))});
     const { compileFunction } = await import(${JSON.stringify(join(ROOT, "dist/engine/compile/index.js"))});
     await openEngine("native");
     const engine = openedTensorflow();
     const heavy = () => compileFunction(engine, "heavy", [{ shape: [1500, 1500], dtype: "float32" }], ([a]) => {
       let y = a;
       for (let i = 0; i < 6; i++) y = tf.mul(tf.matMul(y, y), 1 / 1500);
       return [y];
     });
     ${body}`,
  );
  try {
    const env = { ...process.env, ATMOREP_KERNELS: "1" };
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [file], { timeout: 100_000, env });
    return { code: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, stdout, stderr };
  } finally {
    rmSync(file);
  }
}

it("a process ends cleanly in the middle of a run", async () => {
  const ended = await script(
    "exit",
    `heavy().run([tf.ones([1500, 1500])]); setTimeout(() => { console.log("leaving"); process.exit(3); }, 50);`,
  );
  expect(ended).toMatchObject({ code: 3, stdout: "leaving\n" });
});

it("an exception in the middle of a run ends the process with its message", async () => {
  const ended = await script("throw", `heavy().run([tf.ones([1500, 1500])]); throw new Error("on purpose");`);
  expect(ended.code).toBe(1);
  expect(ended.stderr).toContain("on purpose");
});

it("works in worker threads, one after the other and at once", async () => {
  const ended = await script(
    "workers",
    `const compute = async () => {
       const f = heavy();
       const [y] = await f.run([tf.ones([1500, 1500])]);
       return (await y.data())[0];
     };
     if (!isMainThread) {
       const { parentPort } = await import("node:worker_threads");
       parentPort.postMessage(await compute());
     } else {
       const start = () => new Promise((resolve, reject) => {
         const worker = new Worker(new URL(import.meta.url));
         let value;
         worker.on("message", (message) => { value = message; });
         worker.on("error", reject);
         worker.on("exit", () => resolve(value));
       });
       const own = await compute();
       const others = [await start(), ...(await Promise.all([start(), start()]))];
       console.log(others.every((value) => value === own) && own > 0);
     }`,
  );
  expect(ended).toMatchObject({ code: 0, stdout: "true\n" });
});

it("kernels of our own work in worker threads, one after the other and at once", async () => {
  const ended = await script(
    "kernels",
    `const { attention, only, dropout, linear } = await import(${JSON.stringify(join(ROOT, "dist/engine/kernels/index.js"))});
     const numbers = (n, step) => Float32Array.from({ length: n }, (_, i) => ((i * step) % 17) / 8 - 1);
     const compute = async (seeded) => {
       const inputs = [tf.tensor(numbers(240, 5), [20, 12]), tf.tensor(numbers(360, 7), [30, 12])];
       const fn = ([q, x]) => attention({ q: only(q), k: only(x), v: only(tf.mul(x, 2)) }, { batch: 2, heads: 3 });
       const eager = fn(inputs).dataSync();
       const shapes = inputs.map(({ shape }) => ({ shape, dtype: "float32" }));
       const compiled = compileFunction(engine, "kernels", shapes, ([q, x]) => tf.grads((q, x) => tf.sum(fn([q, x])))([q, x]));
       const gradients = await compiled.run(inputs);
       compiled.release();
       const masked = dropout(inputs[0], 0.5, [3, seeded]).dataSync();
       return [eager, masked, ...gradients.map((x) => x.dataSync())].map((list) => list.join()).join(";");
     };
     if (!isMainThread) {
       const { parentPort } = await import("node:worker_threads");
       parentPort.postMessage([await compute(4), jitKernels(engine) !== null]);
     } else {
       const start = () => new Promise((resolve, reject) => {
         const worker = new Worker(new URL(import.meta.url));
         let value;
         worker.on("message", (message) => { value = message; });
         worker.on("error", reject);
         worker.on("exit", () => resolve(value));
       });
       // two that meet kernels nobody has made, then one beside the main thread, and one after the other
       const others = await Promise.all([start(), start()]);
       const beside = start();
       const own = await compute(4);
       others.push(await beside, await start(), await start());
       console.log(others.every(([value, used]) => value === own && used), own.includes("NaN"), own.length > 1000);
     }`,
  );
  expect(ended).toMatchObject({ code: 0, stdout: "true false true\n" });
});

it("closing waits for what is running", async () => {
  const ended = await script(
    "close",
    `const { run } = heavy();
     const a = tf.ones([1500, 1500]);
     await run([a]);
     let done = false;
     run([a]).then(() => { done = true; });
     await engine.close();
     await new Promise((resolve) => setImmediate(resolve));
     console.log(done);`,
  );
  expect(ended).toMatchObject({ code: 0, stdout: "true\n" });
});

it("what has not begun when the engine is closed says so", async () => {
  const ended = await script(
    "early",
    `const compiled = heavy();
     const running = compiled.run([tf.ones([1500, 1500])]).catch((error) => error.message);
     await engine.close();
     console.log(await running);
     compiled.release();`,
  );
  expect(ended).toMatchObject({ code: 0, stdout: expect.stringMatching(/: the engine is closed\n$/) });
});

it("the library stays when JavaScript's objects of it are collected", async () => {
  const ended = await script(
    "collected",
    `const { setFlagsFromString } = await import("node:v8");
     const { runInNewContext } = await import("node:vm");
     setFlagsFromString("--expose-gc");
     const gc = runInNewContext("gc");
     const running = heavy().run([tf.ones([1500, 1500])]);
     for (let i = 0; i < 20; i++) { gc(); await new Promise((resolve) => setTimeout(resolve, 5)); }
     const [y] = await running;
     console.log((await y.data()).length);`,
  );
  expect(ended).toMatchObject({ code: 0, stdout: "2250000\n" });
});
