/** Checking one value against its kind. */
import type { Fault, FaultCode } from "./faults.js";
import { describeKind, type Kind, type NameTable } from "./kinds.js";
import { nearestName } from "./nearest.js";

/** Names that belong to other rooms, so that this one imports none of them. */
export interface KnownNames {
  losses: Readonly<Record<string, { members: number; doc: string }>>;
  strategies: readonly string[];
  transformations: readonly string[];
  /** registered metrics with a line about each; none if left out */
  metrics?: Readonly<Record<string, { doc: string }>>;
}

/** The faults of `value`, which stands at `path`; empty if it fits. */
export function checkValue(kind: Kind, value: unknown, path: string, names: KnownNames): Fault[] {
  const wrong = (code: FaultCode, what: string, fix: string, expected = describeKind(kind)): Fault[] => [
    { code, path, what, found: value === undefined ? "nothing" : value, expected, fix },
  ];
  switch (kind.kind) {
    case "anything":
      return [];
    case "boolean":
      return typeof value === "boolean"
        ? []
        : wrong("malformed", "not a truth value", "Write true or false, without quotes");
    case "constant":
      return value === kind.value ? [] : wrong("not-available", "not available", `Leave it at ${kind.value}`);
    case "integer":
      if (typeof value !== "number" || !Number.isInteger(value))
        return wrong("malformed", "not an integer", "Write a whole number");
      if (!Number.isSafeInteger(value))
        return wrong("out-of-range", "number too large", `Stay below 2^53 = ${2 ** 53}`);
      return withinBounds(kind, value)
        ? []
        : wrong("out-of-range", "number out of range", `Change it to ${describeKind(kind)}`);
    case "real":
      if (typeof value !== "number" || !Number.isFinite(value))
        return wrong("malformed", "not a finite number", "Write a number");
      return withinBounds(kind, value)
        ? []
        : wrong("out-of-range", "number out of range", `Change it to ${describeKind(kind)}`);
    case "text":
      if (typeof value !== "string") return wrong("malformed", "not a string", "Write it in double quotes");
      return kind.pattern && !kind.pattern.test(value)
        ? wrong("malformed", "malformed", `Write ${describeKind(kind)}`)
        : [];
    case "choice":
      return kind.of.includes(value as string | number)
        ? []
        : wrong("unknown-name", "unknown value", suggest(String(value), kind.of.map(String)));
    case "name": {
      const known = knownNames(kind.table, names);
      return typeof value === "string" && known.includes(value)
        ? []
        : wrong(
            "unknown-name",
            `not ${describeKind(kind)}`,
            suggest(String(value), known),
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
    return [{ code: "malformed", path, what: "not a list", found: value, expected, fix }];
  }
  const minLength = kind.minLength ?? 0;
  if (value.length < minLength) {
    return [
      {
        code: "wrong-length",
        path,
        what: "the list is too short",
        found: value,
        expected,
        fix: `Give at least ${minLength}`,
      },
    ];
  }
  const faults = value.flatMap((item, i) => checkValue(kind.of, item, `${path}[${i}]`, names));
  if (!kind.unique) return faults;
  value.forEach((item, i) => {
    if (value.indexOf(item) < i) {
      faults.push({
        code: "repeated",
        path: `${path}[${i}]`,
        what: "listed twice",
        found: item,
        expected,
        fix: "Remove one of the two",
      });
    }
  });
  return faults;
}

function checkTuple(kind: Extract<Kind, { kind: "tuple" }>, value: unknown, path: string, names: KnownNames): Fault[] {
  const expected = describeKind(kind);
  if (!Array.isArray(value))
    return [{ code: "malformed", path, what: "not a list", found: value, expected, fix: `Write ${expected}` }];
  const least = kind.items.length - kind.optional;
  if (value.length < least || value.length > kind.items.length) {
    const count = kind.optional ? `${least} to ${kind.items.length}` : `${least}`;
    return [
      {
        code: "wrong-length",
        path,
        what: `${value.length} entries`,
        found: value,
        expected,
        fix: `Give ${count} entries`,
      },
    ];
  }
  return value.flatMap((item, i) => checkValue(kind.items[i].of, item, `${path}[${i}]`, names).map(labelled(kind, i)));
}

/** Says which place of the tuple is meant, since its path has a number only. */
function labelled(kind: Extract<Kind, { kind: "tuple" }>, place: number): (fault: Fault) => Fault {
  return (fault) => ({ ...fault, what: `${kind.items[place].name}: ${fault.what}` });
}

function withinBounds({ min, max, above, below }: Record<string, unknown>, value: number): boolean {
  if (typeof min === "number" && value < min) return false;
  if (typeof max === "number" && value > max) return false;
  if (typeof above === "number" && value <= above) return false;
  return !(typeof below === "number" && value >= below);
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
    return [
      {
        code: "malformed",
        path,
        what: "not an object of shares",
        found: value,
        expected,
        fix: `Write {"${known[0]}": 1}`,
      },
    ];
  }
  return entries.flatMap(([name, share]): Fault[] => {
    if (!known.includes(name)) {
      return [
        {
          code: "unknown-name",
          path: `${path}.${name}`,
          what: "unknown name",
          found: name,
          expected,
          fix: suggest(name, known),
        },
      ];
    }
    if (typeof share === "number" && Number.isFinite(share) && share > 0) return [];
    return [
      {
        code: "malformed",
        path: `${path}.${name}`,
        what: "not a share",
        found: share,
        expected,
        fix: "Write a number above 0",
      },
    ];
  });
}

function knownNames(table: NameTable, names: KnownNames): string[] {
  if (table === "losses" || table === "metrics") return Object.keys(names[table] ?? {});
  return [...names[table]];
}

function suggest(name: string, known: readonly string[]): string {
  const nearest = nearestName(name, known);
  if (nearest) return `Did you mean ${JSON.stringify(nearest)}?`;
  return known.length ? `Choose ${known.join(", ")}` : "Set it to null";
}
