/** What people type who know other notebooks: not TypeScript, though the compiler may read it as such. */

import { adviceOf, type Rules } from "./advice.js";

const PYTHON_BLOCKS = "That is Python. Here: for (const x of list) { ... }, if (a > b) { ... } else { ... }";

const FOREIGN: Rules = [
  [
    /^\s*!\s*([\w./~-]+.*?)\s*;?\s*$/,
    (line) =>
      `"!" before a shell line is IPython's. Here: await nb.sh(${JSON.stringify(line)}), with import * as nb from "atmorep/notebook"`,
  ],
  [
    /^\s*%%?time(?:it)?\b\s*(.*?)\s*;?\s*$/,
    (line) =>
      `"%" commands are IPython's. Here: await nb.time(() => ${line === "" ? "..." : line}), with import * as nb from "atmorep/notebook"`,
  ],
  [/^\s*(%%?\w+)/, (name) => `"%" commands such as ${name} are IPython's; a cell here is TypeScript.`],
  [
    /^\s*(?:from\s+[\w.]+\s+)?import\s+([\w.]+)(?:\s+as\s+\w+)?\s*$/,
    (name) => `That is Python. Here: import * as ${name.split(".")[0]} from "${name}"`,
  ],
  [/^\s*#+(?:\s|$)/, () => "That is Python. A comment here begins with //"],
  [/^\s*(?:for\s+\w+\s+in\b|(?:if|elif|else|while|try|with|class)\b[^{]*:\s*$)/, () => PYTHON_BLOCKS],
  [/\bf(?:"|')[^"']*\{/, () => "That is Python. Here: `text $" + "{value}`"],
  [/^\s*def\s+(\w+)\s*\(/, (name) => `That is Python. Here: function ${name}(...) { ... }`],
  [
    /\b(?:prompt|confirm|alert)\s*\(/,
    () => "That is a browser's. Here: await jupyter.input(question) asks for a line, console.log(text) shows one.",
  ],
  [
    /(?:^|[=(,?:]|=>|return)\s*<\/?(?:[A-Za-z][\w.]*)(?:\s[^<>]*)?\/?>/,
    () => "That is JSX, which cells do not take. Here: await jupyter.html(`<b>text</b>`) shows HTML.",
  ],
  [/\b(document|window|localStorage)\s*\./, (name) => `${name} is a browser's; a cell runs in Node, beside it.`],
];

/** What to do about a line that the compiler refused, if it is of another language; else undefined. */
export const foreignAdvice = (line: string): string | undefined => adviceOf(FOREIGN, line);
