/** What is no TypeScript, what TypeScript refuses, and what it takes. */
import type { Cell } from "./cell.js";

const TS = "TypeScriptError";

export const LANGUAGE: readonly Cell[] = [
  {
    name: "a brace that is not closed, marked in the cell's last line",
    code: "function f() {\n  const a = 1;\n\nf();",
    error: { name: TS, says: ["'}' expected", /^(?!.*Circular)/], line: 4 },
  },
  {
    name: "a comment that does not end",
    code: "const a = 1; /* no end",
    error: { name: TS, says: ["'*/' expected"], line: 1 },
  },
  {
    name: "a string that does not end",
    code: "const a = 1;\nconst text = 'abc;\ntext",
    error: { name: TS, says: ["Unterminated string literal"], line: 2 },
  },
  {
    name: "a regular expression that is none",
    code: "const ok = 1;\nconst r = /a(/;",
    error: { name: TS, says: ["')' expected"], line: 2 },
  },
  {
    name: "a mark below a line that begins with a tab",
    code: "\tconst t: number = 's';",
    error: { name: TS, says: ["not assignable", "\n    | \t      ^"], line: 1 },
  },
  {
    name: "await in a plain function",
    code: "function f() {\n  await null;\n}",
    error: { name: TS, says: ["only allowed within async functions"], line: 2 },
  },
  {
    name: "return at the top",
    code: "const a = 1;\nreturn a;",
    error: { name: TS, says: ["last expression: write it alone, without return"], line: 2 },
  },
  {
    name: "a type error",
    code: "\nconst a: string = 1;",
    error: { name: TS, says: ["Type 'number' is not assignable to type 'string'", "declare the variable"], line: 2 },
  },
  {
    name: "thirty type errors, of which ten are shown",
    code: Array.from({ length: 30 }, (_, i) => `const v${i}: string = ${i};`).join("\n"),
    error: { name: TS, says: ["line 10:7", "and 20 more", /^(?![\s\S]*line 11:7)/] },
  },
  {
    name: "what may be missing",
    code: "const m = /a/.exec('b');\nm[0]",
    error: { name: TS, says: ["possibly 'null'", "?."], line: 2 },
  },
  {
    name: "an assignment to what was never declared",
    code: "counter = 3;",
    error: { name: TS, says: ["write: let counter = ..."], line: 1 },
  },
  { name: "a shell line", code: "!ls -l", error: { name: TS, says: ['await nb.sh("ls -l")'], line: 1 } },
  { name: "a magic", code: "%timeit f()", error: { name: TS, says: ["await nb.time(() => f())"], line: 1 } },
  { name: "a question mark for help", code: "console?", error: { name: TS, says: ["press Shift-Tab"], line: 1 } },
  { name: "JSX", code: "const el = <b>hi</b>;", error: { name: TS, says: ["JSX", "jupyter.html"], line: 1 } },
  {
    name: "a browser's prompt",
    code: "const n = prompt('name?');",
    error: { name: TS, says: ["await jupyter.input(question)"], line: 1 },
  },
  { name: "Python's print", code: "print(3)", error: { name: TS, says: ["Python's", "console.log"], line: 1 } },
  { name: "Python's None", code: "const a = None;", error: { name: TS, says: ["None is Python's", "null"], line: 1 } },
  {
    name: "Python's loop",
    code: "for i in range(3):\n  print(i)",
    error: { name: TS, says: ["for (const x of list)"] },
  },
  { name: "Python's comment", code: "# a comment\n1", error: { name: TS, says: ["begins with //"], line: 1 } },
  { name: "a word processor's quotes", code: "const a = “x”;", error: { name: TS, says: ["typographic"], line: 1 } },
  { name: "// @ts-nocheck", code: "// @ts-nocheck\nconst loose: number = 'x';\nloose", value: "'x'" },
  { name: "export const", code: "export const ex = 1;\nexport default ex;", value: "1" },
  {
    name: "a standard decorator",
    code: `function twice(m: (this: Two) => number, _: ClassMethodDecoratorContext) {
  return function (this: Two) { return 2 * m.call(this); };
}
class Two { @twice one() { return 1; } }
new Two().one()`,
    value: "2",
  },
  {
    name: "using, disposed at the end of its cell",
    code: "using res = { [Symbol.dispose]() { console.log('disposed'); } };\n'body'",
    out: ["disposed\n"],
    value: "'body'",
  },
  {
    name: "an error in a disposal, beside the one before it",
    code: "using bad = { [Symbol.dispose]() { throw new Error('dispose'); } };\nthrow new Error('body');",
    error: {
      name: "SuppressedError",
      says: ["thrown last:\n", "Error: dispose", "thrown before it:\n", "Error: body"],
    },
  },
  {
    name: "generators",
    code: "function* nat() { let n = 0; while (true) yield n++; }\nconst g = nat();\n[g.next().value, g.next().value, g.return(undefined).done]",
    value: "[ 0, 1, true ]",
  },
  {
    name: "await at the top in every shape",
    code: `const [a1, { b: b1 }] = await Promise.all([1, { b: 2 }]);
const o1 = { v: await 3, [await "k"]: \`\${await 4}\` };
if (await true) { await null; }
for (const p of [await 5, await 6]) await p;
label: for (let i = await 0; i < (await 2); i++) continue label;
try { await Promise.reject(new Error("x")); } catch { await 1; } finally { await 2; }
async function* ag() { yield 1; yield 2; }
let sum = 0; for await (const n of ag()) sum += n;
[a1, b1, o1, sum, (await true) ? await 1 : await 2, await (async () => 7)()]`,
    value: "[ 1, 2, { v: 3, k: '4' }, 3, 1, 7 ]",
  },
  {
    name: "destructuring with defaults",
    code: `const { a: { b: [, second = 9] = [] } = { b: [1] }, c: third = 3, ...others } = { d: 4 } as {
  a?: { b?: number[] }; c?: number; d: number };
[second, third, others]`,
    value: "[ 9, 3, { d: 4 } ]",
  },
  { name: "what it declared, in the next cell", code: "second + third", value: "12" },
  { name: "a name as a constant", code: "const same = 1; type Same = number; const s0: Same = 1;" },
  {
    name: "again as one of another type",
    code: "const same = 'text'; type Same = string; const s0: Same = 'x'; same",
    value: "'text'",
  },
  { name: "again as a class", code: "class same { x = 5; }\nnew same().x", value: "5" },
  { name: "again as a function", code: "function same() { return 6; }\nsame()", value: "6" },
  { name: "again as an enumeration", code: "enum same { A, B }\nsame.B", value: "1" },
  { name: "again as a namespace", code: "namespace same { export const z = 3; }\nsame.z", value: "3" },
  { name: "a global shadowed", code: "const Math = { PI: 3 };\nconst Promise = 4;\nMath.PI + Promise", value: "7" },
  {
    name: "cells that await under a shadowed Promise",
    code: "const af = async () => 1; (await af()) + Promise",
    value: "5",
  },
  { name: "globals taken back", code: "const { Math, Promise } = globalThis;\nMath.max(1, 2)", value: "2" },
  {
    name: "what an ES module declares to be as CommonJS",
    code: `import { createRequire } from "node:module";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
const __dirname = dirname(fileURLToPath(import.meta.url));
const require = createRequire(import.meta.url);
[__dirname === import.meta.dirname, require("node:path").sep]`,
    value: "[ true, '/' ]",
  },
  {
    name: "exports as a variable",
    code: "let before = 1;\nconst exports = 3;",
    error: { name: TS, says: ["Give this one another name"], line: 2 },
  },
  {
    name: "declare global",
    code: `declare global { interface Array<T> { last(): T | undefined } }
Array.prototype.last = function () { return this[this.length - 1]; };
[1, 2].last()`,
    value: "2",
  },
  { name: "the cell behind it", code: "const three = [1, 3].last(); three", value: "3" },
  { name: "and one more", code: "[1, 4].last()", value: "4" },
  {
    name: "labelled loops",
    code: `const found: number[] = [];
outer: for (let i = 0; i < 3; i++) for (let j = 0; j < 3; j++) {
  if (j === 2) continue outer;
  if (i === 2) break outer;
  found.push(i * 10 + j);
}
found`,
    value: "[ 0, 1, 10, 11 ]",
  },
  {
    name: "a let in front of its declaration",
    code: "function early() { return late; }\nearly();\nlet late = 2;",
    error: { name: "ReferenceError", says: ["Cannot access 'late' before initialization"], line: 1 },
  },
  {
    name: "a let that failed",
    code: "let half = JSON.parse('{');",
    error: { name: "SyntaxError", says: ["JSON"], line: 1 },
  },
  { name: "its name", code: "half", error: { name: "ReferenceError", says: ["has no value", "Run that cell again"] } },
  { name: "its name once it is set", code: "half = 3; half", value: "3" },
  { name: "a function as the value", code: "() => 1", value: "[Function (anonymous)]" },
];
