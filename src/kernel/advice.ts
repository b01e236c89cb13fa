/** What to do about the compiler's messages that newcomers meet: one sentence each, put behind the message. */

/** Names that people type who come from there. */
const PYTHON: Readonly<Record<string, string>> = {
  print: "console.log(...), or the value alone as the last line of the cell.",
  input: "await jupyter.input(question).",
  None: "null.",
  True: "true.",
  False: "false.",
  len: "list.length.",
  range: "for (let i = 0; i < n; i++) { ... }",
  str: "String(value).",
};
const QUOTES = "These are typographic quotes, as word processors write them. Here: \" or '";
const HELP = "? for help is IPython's. Here: put the cursor on the name and press Shift-Tab.";

const ADVICE: Rules = [
  [
    /^Cannot find name '(print|input|None|True|False|len|range|str|np|numpy|plt|pd|xr|torch)'/,
    (name) => `${name} is Python's.${PYTHON[name] === undefined ? "" : ` Here: ${PYTHON[name]}`}`,
  ],
  [/^Invalid character/, (_, { line = "" }) => (/[\u201c\u201d\u2018\u2019]/.test(line) ? QUOTES : undefined)],
  [
    /^(?:Expression|Declaration or statement) expected/,
    (_, { line = "" }) => (/^\s*(?:\?+\s*[\w.]+|[\w.]+\s*\?+)\s*$/.test(line) ? HELP : undefined),
  ],
  [
    /^Cannot find name '([^']+)'\.(?! Did you mean)/,
    (name, { line }) =>
      isAssigned(name, line)
        ? `To make it, write: let ${name} = ...`
        : `Run the cell that defines ${name} first, without an error; after a restart, run all cells from the top.`,
  ],
  [
    /^A 'return' statement can only be used within a function body/,
    () => "A cell shows the value of its last expression: write it alone, without return.",
  ],
  [
    /^'[^']+' is possibly '(?:null|undefined|null' or 'undefined)'/,
    () => "Look whether it is there first (if), or write ?. behind it, or ! if you know that it is.",
  ],
  [
    /^Property '([^']+)' does not exist on type 'Tensor(?:\dD)?(?:<.*>)?'/,
    (name) => `Operations are functions: tf.${name}(tensor, ...).`,
  ],
  [
    /^Cannot redeclare block-scoped variable '([^']+)'/,
    (name) =>
      `Give one of the two another name, or assign to it with "let ${name}" once; a later cell may declare it anew.`,
  ],
  [
    /^Cannot find module '(\.[^']*)'/,
    (name, { file }) =>
      file === undefined
        ? `There is no file ${name} beside this notebook; paths begin at the notebook's folder.`
        : `There is no file ${name} beside ${file}.`,
  ],
  [
    /^Cannot find module 'node:([^']+)'/,
    (name) => `Node has no module ${name}; those that it has: (await import("node:module")).builtinModules`,
  ],
  [
    /^Cannot find module '([^']+)'/,
    (name) => `Correct the name, or install the package in the notebook's folder: npm install ${name}`,
  ],
  [/Promise<.*(?:is not assignable|can't be used|does not exist)|'Promise</, () => "Put await in front of the call."],
  [
    /^Exported variable '([^']+)' has or is using name .* cannot be named/,
    (name) => `Import it at the top of a cell: import * as ${name} from "...".`,
  ],
  [
    /^Type '([^']+)' is not assignable to type '[^']+'\.$/,
    (type) => `Give a value of the second type, or declare the variable as ${type.startsWith('"') ? "string" : type}.`,
  ],
  [
    /^Property '([^']+)' does not exist on type 'typeof import\(.*\)'\.$/,
    () => "Press Tab after the dot to see what there is.",
  ],
];

/** Where a message is about: a line of the cell, or a file. */
export interface About {
  line?: string;
  file?: string;
}

/** Patterns, and what to say with their first group. */
export type Rules = readonly (readonly [
  pattern: RegExp,
  advice: (found: string, about: About) => string | undefined,
])[];

const isAssigned = (name: string, line = ""): boolean =>
  line.trimStart().startsWith(name) && /^\s*=[^=>]/.test(line.trimStart().slice(name.length));

/** Of the first rule that fits and has something to say. */
export function adviceOf(rules: Rules, text: string, about: About = {}): string | undefined {
  for (const [pattern, advice] of rules) {
    const match = pattern.exec(text);
    const found = match === null ? undefined : advice(match[1] ?? "", about);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The message with what to do, where that is known. */
export function advised(message: string, about: About = {}): string {
  const advice = adviceOf(ADVICE, message, about);
  return advice === undefined ? message : `${message}${/[.?!]$/.test(message) ? "" : "."} ${advice}`;
}
