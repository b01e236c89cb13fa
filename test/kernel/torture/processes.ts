// biome-ignore-all lint/suspicious/noTemplateCurlyInString: code of cells
/** What does not end, what would end the kernel, other threads and processes, memory, what is printed and shown. */
import type { Cell } from "./cell.js";

const GO = 'console.log("go"); ';
const INTERRUPTED = { name: "Interrupted", says: ["the cell was interrupted"] };

export const PROCESSES: readonly Cell[] = [
  { name: "a loop without an end", code: `${GO}for (;;) {}`, interrupt: true, error: { ...INTERRUPTED, line: 1 } },
  { name: "a loop of microtasks", code: `${GO}for (;;) await null;`, interrupt: true, error: INTERRUPTED },
  {
    name: "a loop of timers",
    code: `${GO}for (;;) await new Promise((done) => setTimeout(done, 1));`,
    interrupt: true,
    error: INTERRUPTED,
  },
  {
    name: "a regular expression that does not come back",
    code: `${GO}/^(a+)+$/.test("a".repeat(40) + "b");`,
    interrupt: true,
    error: INTERRUPTED,
  },
  {
    name: "a child that sleeps",
    code: `import { spawn } from "node:child_process";\n${GO}const sleeper = spawn("sleep", ["100"]); await new Promise((done) => sleeper.on("exit", done));`,
    interrupt: true,
    error: INTERRUPTED,
  },
  { name: "the child, ended", code: "sleeper.kill()", value: "true" },
  {
    name: "a timer left behind",
    code: "let ticks = 0;\nconst tick = setInterval(() => { if (++ticks === 3) clearInterval(tick); }, 5);",
  },
  { name: "what it has done since", code: "await new Promise((done) => setTimeout(done, 60)); ticks", value: "3" },
  { name: "process.exit", code: "process.exit(1);", error: { name: "Exit", says: ["restart the kernel"], line: 1 } },
  { name: "process.abort", code: "process.abort();", error: { name: "Exit", says: ["restart the kernel"], line: 1 } },
  {
    name: "a signal to itself",
    code: "process.kill(process.pid);",
    error: { name: "Exit", says: ["SIGTERM to the kernel's own process"], line: 1 },
  },
  {
    name: "another folder",
    code: "import { mkdirSync, readFileSync } from 'node:fs';\nmkdirSync('deeper'); process.chdir('deeper'); process.cwd().endsWith('/deeper')",
    value: "true",
  },
  {
    name: "imports, which begin at the notebook all the same",
    files: { "d.json": '{ "n": 3 }' },
    code: "import d from './d.json' with { type: 'json' };\nprocess.chdir('..'); d.n",
    value: "3",
  },
  {
    name: "a file that is not there",
    code: "\nreadFileSync('nowhere.txt');",
    error: { name: "Error", says: ["ENOENT", "nowhere.txt"], line: 2 },
  },
  { name: "a question", code: "`hello ${await jupyter.input('name? ')}`", answers: ["Ada"], value: "'hello Ada'" },
  {
    name: "two questions at once",
    code: "await Promise.all([jupyter.input('a? '), jupyter.input('b? ')])",
    answers: ["1", "2"],
    value: "[ '1', '2' ]",
  },
  {
    name: "a line of standard input",
    code: "import { createInterface } from 'node:readline/promises';\nawait createInterface({ input: process.stdin }).question('name? ')",
    error: { name: "Error", says: ["await jupyter.input(question)"] },
  },
  {
    name: "a worker, which prints, answers and ends",
    code: `import { Worker } from "node:worker_threads";
const worker = new Worker('require("node:worker_threads").parentPort.postMessage(42); console.log("printed"); console.error("its error")', { eval: true });
const answers: unknown[] = []; worker.on("message", (value) => answers.push(value));
[await new Promise((done) => worker.once("exit", done)), ...answers]`,
    out: ["printed\n"],
    err: ["its error\n"],
    value: "[ 0, 42 ]",
  },
  {
    name: "a worker that fails",
    code: "const failing = new Worker(`throw new RangeError('worker fails')`, { eval: true });\nawait new Promise((done, fail) => { failing.once('exit', done); failing.once('error', fail); });",
    error: { name: "RangeError", says: ["worker fails"] },
  },
  {
    name: "a worker that exits",
    code: "const exiting = new Worker('process.exit(3)', { eval: true });\nawait new Promise((done) => exiting.once('exit', done))",
    value: "3",
  },
  {
    name: "a worker that fails, to which nobody listens",
    code: "void new Worker(`throw new RangeError('alone')`, { eval: true });",
    late: { name: "RangeError", says: ["alone"] },
  },
  {
    name: "a child process that fails",
    code: "import { execSync } from 'node:child_process';\nexecSync('echo oops >&2; exit 4');",
    err: ["oops"],
    error: { name: "Error", says: ["Command failed", "oops"], line: 2 },
  },

  {
    name: "big typed arrays",
    code: "const big = new Float32Array(5e7).fill(1); big",
    value: /^Float32Array\(50000000\) {2}min 1, mean 1, max 1, std 0\n/,
  },
  {
    name: "an array that is too long",
    code: "new Float64Array(1e12);",
    error: { name: "RangeError", says: [/Invalid typed array length|Array buffer allocation failed/], line: 1 },
  },
  { name: "a million numbers", code: "Array.from({ length: 1e6 }, (_, i) => i)", value: /\.\.\. 999900 more items/ },
  {
    name: "twenty thousand lines",
    code: "for (let i = 0; i < 2e4; i++) console.log(i);",
    out: [/^0\n1\n[\s\S]*\n19999\n$/],
  },
  { name: "console.table", code: "console.table([{ a: 1, b: 'x' }]);", out: [/│ \(index\) │ a │ b {3}│/] },
  { name: "console.group, left open", code: "console.group('outer'); console.log('in');", out: ["outer\n  in\n"] },
  { name: "the cell behind it, not moved to the right", code: "console.log('left');", out: [/^left\n$/] },
  {
    name: "console.time, dir, count and assert",
    code: "console.time('t'); console.timeEnd('t'); console.dir({ a: { b: 1 } }, { depth: 0 }); console.count(); console.assert(false, 'not so');",
    out: [/^t: [\d.]+ms\n\{ a: \[Object\] \}\ndefault: 1\n$/],
    err: ["Assertion failed: not so"],
  },
  {
    name: "console.trace",
    code: "function here() { console.trace('at'); }\nhere();",
    err: [/^Trace: at\n {4}at here \(cell \[\d+\]:1:\d+\)\n {4}at cell \[\d+\]:2:1\n$/],
  },
  {
    name: "numbers that are none",
    code: "[NaN, -0, 10n, Symbol('s'), new Date(NaN), /a/g]",
    value: /NaN,[\s\S]*-0,[\s\S]*10n,[\s\S]*Symbol\(s\),[\s\S]*Invalid Date,[\s\S]*\/a\/g/,
  },
  {
    name: "maps, sets, typed arrays",
    code: "[new Map([['a', 1]]), new Set([NaN]), new Int8Array([1, -2])]",
    value: "[ Map(1) { 'a' => 1 }, Set(1) { NaN }, Int8Array(2) [ 1, -2 ] ]",
  },
  {
    name: "an object in itself",
    code: "const circ: Record<string, unknown> = { a: 1 }; circ.self = circ; circ",
    value: "<ref *1> { a: 1, self: [Circular *1] }",
  },
  {
    name: "a tensor that is disposed",
    code: "import * as tf from '@tensorflow/tfjs-core';\nimport '@tensorflow/tfjs-backend-cpu';\nconst t = tf.tensor1d([1, 2]); t.dispose(); t",
    value: "Tensor float32 [2], disposed",
  },
  { name: "its numbers", code: "\nawait t.data()", error: { name: "Error", says: ["Tensor is disposed"], line: 2 } },
  {
    name: "an operation as a method of a tensor",
    code: "t.add(1)",
    error: { name: "TypeScriptError", says: ["tf.add(tensor, ...)"], line: 1 },
  },
];

/** In a kernel with a heap of 600 MB. */
export const FULL: readonly Cell[] = [
  {
    name: "a heap that is full",
    code: "let all: unknown[] = []; for (let i = 0; ; i++) all.push({ i, list: [i] });",
    error: { name: "RangeError", says: ["out of memory", "max-old-space-size"] },
  },
  {
    name: "its variables, let go of",
    code: "all = []; let sum = 0; for (let i = 0; i < 1e6; i++) sum += i; sum",
    value: "499999500000",
  },
];
