/** Checking one value against its kind. */
import type { Fault, FaultCode } from "./faults.js";
import { describeKind, type Kind, type NameTable, type RealBounds } from "./kinds.js";
import { nearestName } from "./nearest.js";
import { MAX_DEPTH } from "./text/json.js";

/** Names that belong to other rooms, so that this one imports none of them. */
export interface KnownNames {
  losses: Readonly<Record<string, { members: number; doc: string }>>;
  strategies: readonly string[];
  transformations: readonly string[];
  /** registered metrics with a line about each; none if left out */
  metrics?: Readonly<Record<string, { doc: string }>>;
}

const MOST_CHARACTERS = 4096;
/** Lists and objects in each other: below what files may hold, so that what is written can be read. */
const MOST_DEPTH = MAX_DEPTH - 4;
/** Faults of one list that are told. */
const MOST_FAULTS = 20;

type Wrong = (code: FaultCode, what: string, fix: string, expected?: string) => Fault[];

const one = (code: FaultCode, path: string, what: string, found: unknown, expected: string, fix: string): Fault[] => [
  { code, path, what, found, expected, fix },
];

/** The faults of `value`, which stands at `path`; empty if it fits. */
export function checkValue(kind: Kind, value: unknown, path: string, names: KnownNames): Fault[] {
  const wrong: Wrong = (code, what, fix, expected = describeKind(kind)) =>
    one(code, path, what, value === undefined ? "nothing" : value, expected, fix);
  switch (kind.kind) {
    case "anything":
      return isShallow(value, MOST_DEPTH)
        ? []
        : wrong("out-of-range", "nested too deep", `Nest at most ${MOST_DEPTH} lists or objects`);
    case "boolean":
      return typeof value === "boolean"
        ? []
        : wrong("malformed", "not a truth value", "Write true or false, without quotes");
    case "constant":
      return value === kind.value ? [] : wrong("not-available", "not available", `Leave it at ${kind.value}`);
    case "integer":
      if (typeof value !== "number" || !Number.isInteger(value))
        return wrong("malformed", "not an integer", "Write a whole number");
      if (!Number.isSafeInteger(value) && !kind.limit)
        return wrong("out-of-range", "number too large", `Stay below 2^53 = ${2 ** 53}`);
      return withinBounds(kind, value) ? [] : outOfRange(kind, value, wrong);
    case "real":
      if (typeof value !== "number" || !Number.isFinite(value))
        return wrong("malformed", "not a finite number", "Write a number");
      return withinBounds(kind, value) ? [] : outOfRange(kind, value, wrong);
    case "text":
      if (typeof value !== "string") return wrong("malformed", "not a string", "Write it in double quotes");
      if (value.length > MOST_CHARACTERS) {
        return wrong("out-of-range", `${value.length} characters`, `Write at most ${MOST_CHARACTERS} characters`);
      }
      return kind.pattern && !kind.pattern.test(value)
        ? wrong("malformed", "malformed", `Write ${describeKind(kind)}`)
        : [];
    case "choice":
      return kind.of.includes(value as string | number)
        ? []
        : wrong("unknown-name", "unknown value", suggest(value, kind.of.map(String)));
    case "name": {
      const known = knownNames(kind.table, names);
      return typeof value === "string" && known.includes(value)
        ? []
        : wrong(
            "unknown-name",
            `not ${describeKind(kind)}`,
            suggest(value, known),
            known.length ? known.join(", ") : "none",
          );
    }
    case "shares":
      return checkShares(kind, value, path, names);
    case "nullable":
      return value === null ? [] : checkValue(kind.of, value, path, names);
    case "either":
      return kind.of.some((option) => checkValue(option, value, path, names).length === 0)
        ? []
        : wrong("malformed", "wrong type", `Write ${describeKind(kind)}`);
    case "list":
      return checkList(kind, value, path, names);
    case "tuple":
      return checkTuple(kind, value, path, names);
  }
}

function checkList(kind: Extract<Kind, { kind: "list" }>, value: unknown, path: string, names: KnownNames): Fault[] {
  const expected = describeKind(kind);
  if (!Array.isArray(value)) {
    const hint = typeof value === "string" && value.startsWith("[");
    const fix = hint ? `Quote it for the shell: --set '${path}=["a","b"]'` : "Write a list in square brackets";
    return one("malformed", path, "not a list", value, expected, fix);
  }
  const minLength = kind.minLength ?? 0;
  if (value.length < minLength) {
    return one("wrong-length", path, "the list is too short", value, expected, `Give at least ${minLength}`);
  }
  if (value.length > kind.maxLength) {
    const found = `${value.length} entries`;
    return one("wrong-length", path, "the list is too long", found, expected, `Give at most ${kind.maxLength}`);
  }
  const faults = value.flatMap((item, i) => checkValue(kind.of, item, `${path}[${i}]`, names));
  if (kind.unique) {
    const seen = new Set();
    for (const [i, item] of value.entries()) {
      const at = `${path}[${i}]`;
      if (seen.has(item)) faults.push(...one("repeated", at, "listed twice", item, expected, "Remove one of the two"));
      seen.add(item);
    }
  }
  return fewOf(faults, path);
}

/** The first faults of a list, with the number of those left out. */
function fewOf(faults: Fault[], path: string): Fault[] {
  if (faults.length <= MOST_FAULTS) return faults;
  const left = faults.length - MOST_FAULTS + 1;
  const more: Fault = {
    code: "more-faults",
    path,
    what: `${left} more faults like these`,
    expected: "none",
    fix: "Correct the first ones and check again",
  };
  return [...faults.slice(0, MOST_FAULTS - 1), more];
}

function checkTuple(kind: Extract<Kind, { kind: "tuple" }>, value: unknown, path: string, names: KnownNames): Fault[] {
  const expected = describeKind(kind);
  if (!Array.isArray(value)) return one("malformed", path, "not a list", value, expected, `Write ${expected}`);
  const least = kind.items.length - kind.optional;
  if (value.length < least || value.length > kind.items.length) {
    const count = kind.optional ? `${least} to ${kind.items.length}` : `${least}`;
    return one("wrong-length", path, `${value.length} entries`, value, expected, `Give ${count} entries`);
  }
  return value.flatMap((item, i) => checkValue(kind.items[i].of, item, `${path}[${i}]`, names).map(labelled(kind, i)));
}

/** Says which place of the tuple is meant, since its path has a number only. */
function labelled(kind: Extract<Kind, { kind: "tuple" }>, place: number): (fault: Fault) => Fault {
  return (fault) => ({ ...fault, what: `${kind.items[place].name}: ${fault.what}` });
}

function withinBounds({ min, max, above, below, limit }: RealBounds, value: number): boolean {
  if (min !== undefined && value < min) return false;
  if (max !== undefined && value > max) return false;
  if (above !== undefined && value <= above) return false;
  if (limit !== undefined && value > limit.most) return false;
  return !(below !== undefined && value >= below);
}

function outOfRange(kind: Kind & RealBounds, value: number, wrong: Wrong): Fault[] {
  const { limit } = kind;
  if (!limit || value <= limit.most)
    return wrong("out-of-range", "number out of range", `Change it to ${describeKind(kind)}`);
  return wrong("out-of-range", `number out of range: ${limit.needs(value)}`, `Set it to ${limit.most} or less`);
}

/** Whether no list or object in `value` is nested deeper than `depth`; one that holds itself is. */
function isShallow(value: unknown, depth: number): boolean {
  if (typeof value !== "object" || value === null) return true;
  return depth > 0 && Object.values(value).every((item) => isShallow(item, depth - 1));
}

function checkShares(
  kind: Extract<Kind, { kind: "shares" }>,
  value: unknown,
  path: string,
  names: KnownNames,
): Fault[] {
  const known = knownNames(kind.table, names);
  const expected = `shares by name (${known.join(", ")})`;
  const entries = typeof value === "object" && value !== null && !Array.isArray(value) ? Object.entries(value) : [];
  if (entries.length === 0) {
    return one("malformed", path, "not an object of shares", value, expected, `Write {"${known[0]}": 1}`);
  }
  return entries.flatMap(([name, share]): Fault[] => {
    const at = `${path}.${name}`;
    if (!known.includes(name)) return one("unknown-name", at, "unknown name", name, expected, suggest(name, known));
    if (typeof share === "number" && Number.isFinite(share) && share > 0) return [];
    return one("malformed", at, "not a share", share, expected, "Write a number above 0");
  });
}

/** The names of a table. */
export function knownNames(table: NameTable, names: KnownNames): string[] {
  if (table === "losses" || table === "metrics") return Object.keys(names[table] ?? {});
  return [...names[table]];
}

function suggest(name: unknown, known: readonly string[]): string {
  const nearest = typeof name === "object" ? undefined : nearestName(String(name), known);
  if (nearest) return `Did you mean ${JSON.stringify(nearest)}?`;
  return known.length ? `Choose ${known.join(", ")}` : "Set it to null";
}
