/**
 * A JSON reader for configurations. JSON.parse would keep the last of two equal keys in silence, round
 * integers above 2^53 (PyTorch's initial seed is one), refuse the NaN that Python writes, and say where a
 * fault is in another way on every Node version.
 */
import { AtmorepError } from "../../errors.js";
import { cut } from "../../shown.js";

export interface ParsedJson {
  value: unknown;
  /** integers beyond 2^53 as they stand in the text, by path; `value` holds the nearest double */
  largeIntegers: Map<string, string>;
}

/** Lists and objects in each other. */
export const MAX_DEPTH = 64;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
/** More digits than any number needs. */
const MAX_DIGITS = 400;
/** Characters of a string and escapes; a repetition without end would need a stack as long as the string. */
const CHARACTERS = /(?:[ !#-[\]-\uffff]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})){1,1000}/y;
const WORDS: Record<string, unknown> = {
  true: true,
  false: false,
  null: null,
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  "-Infinity": Number.NEGATIVE_INFINITY,
};
const WORD = /-?[A-Za-z]+/y;

/**
 * Parses JSON (and Python's NaN, Infinity).
 *
 * @param where name of the file, for messages
 * @throws AtmorepError `config` with line and column
 */
export function parseJson(text: string, where: string): ParsedJson {
  let at = text.startsWith("\ufeff") ? 1 : 0;
  const largeIntegers = new Map<string, string>();

  const fail = (what: string, position = at): never => {
    const before = text.slice(0, position).split("\n");
    const found = position < text.length ? JSON.stringify(text.slice(position, position + 20)) : "the end of the file";
    throw new AtmorepError("config", what, {
      where: `${where}:${before.length}:${before[before.length - 1].length + 1}`,
      found,
      expected: "JSON",
      fix: "Correct the file there",
    });
  };
  const skipBlanks = () => {
    while (at < text.length && " \t\r\n".includes(text[at])) at++;
  };
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const found = pattern.exec(text)?.[0];
    if (found !== undefined) at += found.length;
    return found;
  };
  const parseString = (): string => {
    const start = at;
    const malformed = () => fail("a string in double quotes is missing or malformed", start);
    if (text[at++] !== '"') return malformed();
    while (match(CHARACTERS) !== undefined);
    return text[at++] === '"' ? JSON.parse(text.slice(start, at)) : malformed();
  };

  const parseValue = (path: string, depth: number): unknown => {
    if (depth > MAX_DEPTH) fail(`nested deeper than ${MAX_DEPTH}`);
    skipBlanks();
    const first = text[at];
    if (first === "{") return parseObject(path, depth);
    if (first === "[") return parseArray(path, depth);
    if (first === '"') return parseString();
    const literal = match(NUMBER);
    if (literal !== undefined) {
      if (literal.length > MAX_DIGITS) fail(`a number of ${literal.length} characters`, at - literal.length);
      const value = Number(literal);
      if (/^-?\d+$/.test(literal) && !Number.isSafeInteger(value)) largeIntegers.set(path, literal);
      return value;
    }
    const start = at;
    const word = match(WORD);
    if (word !== undefined && Object.hasOwn(WORDS, word)) return WORDS[word];
    return fail("a value is missing or malformed", start);
  };

  const parseArray = (path: string, depth: number): unknown[] => {
    const items: unknown[] = [];
    at++;
    skipBlanks();
    while (text[at] !== "]") {
      if (items.length > 0 && text[at++] !== ",") fail("a comma or ] is missing", at - 1);
      items.push(parseValue(`${path}[${items.length}]`, depth + 1));
      skipBlanks();
    }
    at++;
    return items;
  };

  const parseObject = (path: string, depth: number): Record<string, unknown> => {
    const entries = new Map<string, unknown>();
    at++;
    skipBlanks();
    while (text[at] !== "}") {
      if (entries.size > 0 && text[at++] !== ",") fail("a comma or } is missing", at - 1);
      skipBlanks();
      const keyAt = at;
      const key = parseString();
      if (entries.has(key)) fail(`the key ${JSON.stringify(cut(key))} stands twice`, keyAt);
      skipBlanks();
      if (text[at++] !== ":") fail("a colon is missing", at - 1);
      entries.set(key, parseValue(path ? `${path}.${key}` : key, depth + 1));
      skipBlanks();
    }
    at++;
    return Object.fromEntries(entries);
  };

  const value = parseValue("", 0);
  skipBlanks();
  if (at < text.length) fail("something follows the end of the value");
  return { value, largeIntegers };
}
