/** What to do about the compiler's messages that newcomers meet: one sentence each, put behind the message. */

const ADVICE: Rules = [
  [
    /^Cannot find name '([^']+)'\.(?! Did you mean)/,
    (name) => `Run the cell that defines ${name} first, without an error; after a restart, run all cells from the top.`,
  ],
  [
    /^Cannot redeclare block-scoped variable '([^']+)'/,
    (name) =>
      `Give one of the two another name, or assign to it with "let ${name}" once; a later cell may declare it anew.`,
  ],
  [
    /^Cannot find module '(\.[^']*)'/,
    (name) => `There is no file ${name} beside this notebook; paths begin at the notebook's folder.`,
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

/** Patterns, and what to say with their first group. */
export type Rules = readonly (readonly [pattern: RegExp, advice: (found: string) => string])[];

/** Of the first rule that fits. */
export function adviceOf(rules: Rules, text: string): string | undefined {
  for (const [pattern, advice] of rules) {
    const match = pattern.exec(text);
    if (match !== null) return advice(match[1] ?? "");
  }
  return undefined;
}

/** The message with what to do, where that is known. */
export function advised(message: string): string {
  const advice = adviceOf(ADVICE, message);
  return advice === undefined ? message : `${message}${/[.?!]$/.test(message) ? "" : "."} ${advice}`;
}
