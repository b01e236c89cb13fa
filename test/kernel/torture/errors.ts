// biome-ignore-all lint/suspicious/noTemplateCurlyInString: code of cells
/** Errors of every kind, of cells and of modules beside the notebook. */
import type { Cell } from "./cell.js";

export const ERRORS: readonly Cell[] = [
  {
    name: "in nested functions",
    code: "function outer() {\n  const inner = () => {\n    throw new RangeError('deep');\n  };\n  inner();\n}\nouter();",
    error: {
      name: "RangeError",
      says: ["deep", /at inner \(cell \[\d+\]:3:11\)\n.*at outer \(cell \[\d+\]:5:3\)/],
      line: 3,
    },
  },
  {
    name: "behind an await",
    code: "async function slow() {\n  await null;\n  throw new Error('slow');\n}\nawait slow();",
    error: { name: "Error", says: ["slow", /at async cell \[\d+\]:5:1/], line: 3 },
  },
  {
    name: "with a cause",
    code: "try {\n  JSON.parse('{');\n} catch (cause) {\n  throw new Error('cannot read', { cause });\n}",
    error: { name: "Error", says: ["cannot read", /caused by:\n.*SyntaxError[\s\S]*> 2 \|/], line: 4 },
  },
  {
    name: "with a cause that is none",
    code: "throw new Error('a', { cause: { code: 3 } });",
    error: { name: "Error", says: ["caused by:\n{ code: 3 }"] },
  },
  {
    name: "that is its own cause",
    code: "const ring = new Error('ring'); ring.cause = ring; throw ring;",
    error: { name: "Error", says: ["ring"] },
  },
  {
    name: "many in one",
    code: "throw new AggregateError([...Array(20).keys()].map((i) => (i < 2 ? `text ${i}` : new Error(`e${i}`))), 'many');",
    error: { name: "AggregateError", says: ["many", "text 1", "Error: e4", "and 15 more errors"] },
  },
  { name: "a string", code: "\nthrow 'text';", error: { name: "Thrown", says: ["text"], line: 2 } },
  { name: "undefined", code: "throw undefined;", error: { name: "Thrown", says: ["undefined"], line: 1 } },
  {
    name: "a rejection with nothing",
    code: "await Promise.reject();",
    error: { name: "Thrown", says: ["undefined", /^(?![\s\S]*>)/] },
  },
  { name: "an object", code: "throw { code: 7 };", error: { name: "Thrown", says: ["{ code: 7 }"], line: 1 } },
  {
    name: "an object whose name and message are no text",
    code: "throw { name: { a: 1 }, message: 5 };",
    error: { name: "Error", says: ["5"], line: 1 },
  },
  {
    name: "of a class without a name",
    code: "class Late extends Error {}\nthrow new Late('l');",
    error: { name: "Late", says: ["l"], line: 2 },
  },
  {
    name: "with frames in its message",
    code: "throw new Error(`one\\n    ${'at'} two (three)`);",
    error: { name: "Error", says: [/^(?![\s\S]*at two[\s\S]*at two)/], line: 1 },
  },
  {
    name: "in its own getter",
    code: "throw { name: 'X', get message(): string { throw new Error('inner'); } };",
    error: { name: "Error", says: ["inner"] },
  },
  {
    name: "in a Proxy",
    code: "new Proxy({}, { get() { throw new Error('trap'); } })",
    error: { name: "Error", says: ["trap"], line: 1 },
  },
  {
    name: "in toString",
    code: "const o = { toString(): string { throw new Error('no text'); } };\n`${o}`",
    error: { name: "Error", says: ["no text"] },
  },
  {
    name: "where a value would be shown",
    code: "({ [Symbol.for('nodejs.util.inspect.custom')]() { throw new Error('no'); } })",
    value: "[a value that cannot be shown: no]",
  },
  {
    name: "in a getter, which is not asked",
    code: "({ get a(): number { throw new Error('g'); } })",
    value: "{ a: [Getter] }",
  },
  {
    name: "recursion without an end, told once",
    code: "function deep(n: number): number { return deep(n + 1) + 1; }\ndeep(0);",
    error: {
      name: "RangeError",
      says: ["call stack", "and the same again and again", /^(?!([\s\S]*at deep){4})/],
      line: 1,
    },
  },
  {
    name: "of an emitter to which nobody listens",
    code: "import { EventEmitter } from 'node:events';\nnew EventEmitter().emit('error', new Error('nobody'));",
    error: { name: "Error", says: ["nobody"], line: 2 },
  },
  {
    name: "printed",
    code: "\nconsole.error('failed:', new Error('shown'), { a: 1 });",
    err: [/^failed: Error: shown\n {4}at cell \[\d+\]:2:26 \{ a: 1 \}\n$/],
  },
  {
    name: "as a value",
    code: "new Error('value', { cause: new TypeError('why') })",
    value: /^Error: value\n {4}at cell \[\d+\]:1:1 \{\n {2}\[cause\]: TypeError: why\n {6}at cell \[\d+\]:1:\d+\n\}$/,
  },

  {
    name: "of a promise that rejects later",
    code: "setTimeout(() => {\n  void Promise.reject(new Error('later'));\n}, 20);\n'done'",
    value: "'done'",
    late: { name: "Error", says: ["later"], line: 2 },
  },
  {
    name: "of an asynchronous function that nobody waits for",
    code: "void (async () => {\n  await new Promise((done) => setTimeout(done, 20));\n  throw new Error('later too');\n})();",
    late: { name: "Error", says: ["later too"], line: 3 },
  },
  {
    name: "in a timer",
    code: "setTimeout(() => {\n  throw new Error('timer');\n}, 10);\n1",
    value: "1",
    late: { name: "Error", says: ["timer"], line: 2 },
  },
  {
    name: "of a child that is not there",
    code: "import { spawn } from 'node:child_process';\nsetTimeout(() => spawn('no-such-program'), 20); 1",
    late: { name: "Error", says: ["spawn no-such-program ENOENT"] },
  },
  {
    name: "after a cell has removed all listeners",
    code: "process.removeAllListeners('uncaughtException');\nsetTimeout(() => { throw new Error('still told'); }, 5); 1",
    late: { name: "Error", says: ["still told"] },
  },
  {
    name: "of a promise that is handled after all",
    code: "const odd = Promise.reject(new Error('odd'));\nsetTimeout(() => odd.catch(() => {}), 20);",
    error: { name: "Error", says: ["odd"], line: 1 },
  },

  {
    name: "of a module, in its file and line",
    files: { "mine.ts": "type A = 1;\n\nexport function fails(): never {\n  throw new Error('in mine');\n}\n" },
    code: "import { fails } from './mine';\n\nfails();",
    error: { name: "Error", says: ["in mine", /at fails \(.*\/mine\.ts:4:9\)/], line: 3 },
  },
  {
    name: "of a module while it loads",
    files: { "loads.ts": "interface B { b: 1 }\nexport const x: number = JSON.parse('{');\n" },
    code: "import { x } from './loads';\nx",
    error: { name: "SyntaxError", says: ["JSON", /loads\.ts:2:31/], line: 1 },
  },
  {
    name: "and of none once it is mended",
    files: { "loads.ts": "export const x: number = JSON.parse('7');\n" },
    code: "import { x } from './loads';\nx",
    value: "7",
  },
  {
    name: "of a module that does not compile",
    files: { "syntax.ts": "export const s = 1;\nexport const = 2;\n" },
    code: "import { s } from './syntax';\ns",
    error: { name: "TypeScriptError", says: [/syntax\.ts:2:14/] },
  },
  {
    name: "of a module that lacks another",
    files: { "needs.ts": "import { gone } from './gone';\nexport const y = gone;\n" },
    code: "import { y } from './needs';\ny",
    error: { name: "TypeScriptError", says: ["There is no file ./gone beside needs.ts", "needs.ts:1:22"] },
  },
  {
    name: "of a module that awaits at its top",
    files: { "waits.ts": "export const w = await Promise.resolve(1);\n" },
    code: "import { w } from './waits';\nw",
    error: { name: "SyntaxError", says: ["waits.ts awaits outside", "async function"] },
  },
  {
    name: "of modules that need each other",
    files: {
      "p.ts": "import { q } from './q';\nexport const p: number = q + 1;\n",
      "q.ts": "import { p } from './p';\nexport const q: number = p + 1;\n",
    },
    code: "import { p } from './p';\np",
    error: { name: "ReferenceError", says: ["in a ring", /q\.ts:2:\d+/] },
  },
  {
    name: "of none in a ring of functions",
    files: {
      "a.ts": "import { b } from './b';\nexport const a = (): number => b() + 1;\nexport const base = 10;\n",
      "b.ts": "import { base } from './a';\nexport const b = (): number => base;\n",
    },
    code: "import { a } from './a';\na()",
    value: "11",
  },
  {
    name: "of a module with an ending that is not taken",
    files: { "typed.mts": "export const t = 1;\n" },
    code: "import { t } from './typed.mts';\nt",
    error: { name: "Error", says: ["end in .ts, .js"] },
  },
  {
    name: "of a module that is not there",
    code: "import { z } from './nowhere';\nz",
    error: { name: "TypeScriptError", says: ["There is no file ./nowhere"], line: 1 },
  },
  {
    name: "of a package that is not there",
    code: "import * as z from 'no-such-pkg';\nz",
    error: { name: "TypeScriptError", says: ["npm install no-such-pkg"], line: 1 },
  },
  {
    name: "of a module that Node does not have",
    code: "import * as z from 'node:nothing';\nz",
    error: { name: "TypeScriptError", says: ["Node has no module nothing"], line: 1 },
  },
  {
    name: "of none: a module for its effect",
    files: { "side.ts": "console.log('effect');\n" },
    code: "import './side';\n'done'",
    out: ["effect\n"],
    value: "'done'",
  },
  {
    name: "of none: CommonJS, imported and required",
    files: { "old.cjs": "module.exports = { c: 6 };\n" },
    code: "import old from './old.cjs';\nold.c + require('./old.cjs').c",
    value: "12",
  },
  {
    name: "of none: JSON with attributes",
    files: { "d.json": '{ "n": 3 }' },
    code: "import d from './d.json' with { type: 'json' };\nd.n",
    value: "3",
  },
  {
    name: "of JSON that is none",
    files: { "broken.json": '{ "n": ' },
    code: "import b from './broken.json' with { type: 'json' };\nb",
    error: { name: "SyntaxError", says: ["broken.json"] },
  },
  {
    name: "of none: what a module imports",
    files: {
      "t1.ts": "import { mid } from './t2';\nexport const top1 = () => mid() + 1;\n",
      "t2.ts": "export const mid = () => 10;\n",
    },
    code: "import { top1 } from './t1';\ntop1()",
    value: "11",
  },
  {
    name: "of what a module imports, once that has changed",
    files: { "t2.ts": "\n\nexport const mid = (): number => {\n  throw new RangeError('mid');\n};\n" },
    code: "import { top1 } from './t1';\ntop1()",
    error: { name: "RangeError", says: ["mid", /at mid \(.*t2\.ts:4:9\)/, /at top1 \(.*t1\.ts:2:/] },
  },
  {
    name: "of none: import.meta of a module",
    files: { "where.ts": "export const here = import.meta.url;\n" },
    code: "import { here } from './where';\nhere.split('/').pop()",
    value: "'where.js'",
  },
];
