/** Numbers and lists beyond any use: a fault that says why, at once, for every key of the schema. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { knownNames } from "../../src/checks/knownNames.js";
import { planNetwork } from "../../src/checks/plan.js";
import { formatFault } from "../../src/config/faults.js";
import type { Kind, RealBounds } from "../../src/config/kinds.js";
import { formatBytes, time } from "../../src/config/limits.js";
import { SCHEMA } from "../../src/config/schema.js";
import { parseConfig, readConfigFile } from "../../src/config/text/files.js";
import { parseOverride } from "../../src/config/text/overrides.js";
import type { RunConfig } from "../../src/config/types.js";
import { validateConfig } from "../../src/config/validate.js";
import { isAtmorepError } from "../../src/errors.js";
import { learningRates } from "../../src/step/schedule.js";
import { tempDir } from "../support/tempDir.js";
import { storm } from "./names.js";

/** A number somewhere in the value of a key. */
interface Place {
  path: string;
  kind: Kind & RealBounds;
  /** the configuration with another number there */
  with: (number: number) => RunConfig;
}

/** Some value of a kind, other places' faults aside. */
function example(kind: Kind): unknown {
  switch (kind.kind) {
    case "tuple":
      return kind.items.slice(0, kind.items.length - kind.optional).map(({ of }) => example(of));
    case "list":
      return [example(kind.of)];
    case "nullable":
      return example(kind.of);
    case "either":
      return example(kind.of[0]);
    case "choice":
      return kind.of[0];
    default:
      return kind.kind === "integer" || kind.kind === "real" ? (kind.min ?? 0.5) : "a";
  }
}

function numbers(kind: Kind, value: unknown, path: string, put: (value: unknown) => RunConfig): Place[] {
  if (kind.kind === "integer" || kind.kind === "real") return [{ path, kind, with: put }];
  if (kind.kind === "nullable") return numbers(kind.of, value, path, put);
  if (kind.kind === "either") return kind.of.flatMap((option) => numbers(option, value, path, put));
  if (kind.kind !== "list" && kind.kind !== "tuple") return [];
  const items = (Array.isArray(value) && value.length > 0 ? value : example(kind)) as unknown[];
  const kinds = kind.kind === "list" ? [kind.of] : kind.items.map(({ of }) => of);
  return kinds.flatMap((of, i) =>
    // optional places before this one need a value too
    numbers(of, items[i], `${path}[${i}]`, (changed) =>
      put(
        [...Array.from({ length: Math.max(items.length, i) }, (_, j) => items[j] ?? example(kinds[j]))].toSpliced(
          i,
          1,
          changed,
        ),
      ),
    ),
  );
}

const BASE = storm();
const PLACES = SCHEMA.flatMap(({ key, kind }) =>
  numbers(kind, BASE[key], key, (value) => ({ ...BASE, [key]: value }) as RunConfig),
);
const LISTS = SCHEMA.flatMap(({ key, kind }) => {
  const inner = kind.kind === "nullable" ? kind.of : kind;
  return inner.kind === "list" ? [{ key, kind: inner }] : [];
});

/** The result, and that it came soon: 3 s hold where other processes hold the machine; a loop over 1e9 does not. */
function soon<T>(what: string, act: () => T): T {
  const start = performance.now();
  const result = act();
  expect(performance.now() - start, what).toBeLessThan(3000);
  return result;
}

describe("every number of the schema", () => {
  it("is found by this test, in lists and tuples too", () => {
    const paths = PLACES.map(({ path }) => path);
    for (const path of [
      "batch_size",
      "fields[0][1][1]",
      "fields[0][1][4][1]",
      "n_size[2]",
      "score_regions[0][1][0][1]",
    ])
      expect(paths).toContain(path);
    expect(paths.length).toBeGreaterThan(70);
  });

  it.each(PLACES.map((place) => [place.path, place] as const))("%s has an upper bound", (path, { kind }) => {
    // seeds use all whole numbers that a double holds
    if (path.endsWith("_seed")) return;
    expect(kind.max ?? kind.below ?? kind.limit?.most).toBeLessThan(1e20);
  });

  it.each(PLACES.map((place) => [place.path, place] as const))(
    "%s beyond it is refused with the reason",
    (path, place) => {
      const { limit } = place.kind;
      if (!limit) return;
      for (const number of [limit.most * 2, 1e30]) {
        const faults = soon(`${path} = ${number}`, () => validateConfig(place.with(number), knownNames()));
        const fault = faults.find((candidate) => candidate.path === path);
        // a place that holds a number or something else tells its kinds
        if (/device|\[1\]\[3\]/.test(path)) continue;
        expect(fault?.what).toContain(limit.needs(number));
        expect(formatFault(fault!)).toContain(`Set it to ${limit.most} or less`);
      }
      expect(limit.needs(limit.most).length).toBeGreaterThan(10);
    },
  );

  it.each(PLACES.map((place) => [place.path, place] as const))("%s: any number is judged at once", (path, place) => {
    for (const number of [0, -1, 1.5, 1e6, 1e9, 1e15, 2 ** 53, 1e300, Number.POSITIVE_INFINITY, Number.NaN]) {
      const config = place.with(number);
      const faults = soon(`${path} = ${number}`, () => validateConfig(config, knownNames()));
      if (faults.length > 0) continue;
      // what is sound can be planned
      soon(`plan of ${path} = ${number}`, () => planNetwork(config));
      soon(`rates of ${path} = ${number}`, () => learningRates(config));
    }
  });
});

describe("every list of the schema", () => {
  it.each(LISTS.map((list) => [list.key, list.kind] as const))("%s of 100,000 entries is refused", (key, kind) => {
    const entry = (BASE[key] as unknown[] | null)?.[0] ?? example(kind.of);
    for (const entries of [Array(100_000).fill(entry), Array.from({ length: 100_000 }, (_, i) => i)]) {
      const faults = soon(key, () => validateConfig({ ...BASE, [key]: entries }, knownNames()));
      expect(faults.map(formatFault).join("\n")).toMatch(/the list is too long; found "100000 entries"/);
      expect(faults.map(formatFault).join("\n").length).toBeLessThan(20_000);
    }
    const full = { ...BASE, [key]: Array(kind.maxLength).fill(entry) };
    soon(`${key} of most entries`, () => validateConfig(full, knownNames()));
  });
});

describe("large runs", () => {
  const FIELDS = Array.from({ length: 12 }, (_, i) => [
    `field_${i}`,
    [1, 16_384, [], 0],
    Array.from({ length: 137 }, (_, level) => level + 1),
    [12, 8, 16],
    [3, 9, 9],
    [0.5, 0.9, 0.2, 0.05],
  ]);
  const LARGE = {
    fields: FIELDS.slice(0, 1),
    fields_prediction: [["field_0", 1]],
    n_size: [36, 18, 36],
    encoder_num_layers: 1000,
    decoder_num_layers: 1000,
    encoder_num_heads: 128,
    decoder_num_heads: 128,
    net_tail_num_nets: 256,
    batch_size: 1,
    num_samples_per_epoch: 5_000_000,
    num_epochs: 10_000,
    num_loader_workers: 128,
  };

  it("are let pass, and planned at once", () => {
    const config = storm(LARGE);
    expect(validateConfig(config, knownNames())).toEqual([]);
    expect(soon("the plan", () => planNetwork(config)).parameters).toBeGreaterThan(1e12);
    const names = FIELDS.map(([name]) => [name, 1]);
    const wide = storm({
      ...LARGE,
      fields: FIELDS,
      fields_prediction: names,
      encoder_num_layers: 100,
      decoder_num_layers: 100,
    });
    expect(validateConfig(wide, knownNames())).toEqual([]);
  });

  it("are refused where the whole needs more than any computer has", () => {
    const most = { encoder_num_layers: 4096, "fields[0][1][1]": 65_536, encoder_num_heads: 64, decoder_num_heads: 64 };
    const text = (set: Record<string, unknown>) =>
      validateConfig(storm({ ...LARGE, ...set }), knownNames())
        .map(formatFault)
        .join();
    expect(text(most)).toMatch(/encoder_num_layers: weights, gradients and moments would need at least [\d.]+ PiB/);
    expect(text({ batch_size: 16_384 })).toMatch(/batch_size: a batch would need at least [\d.]+ [PE]iB of memory/);
    expect(text({ net_tail_num_nets: 16_384, net_tail_num_layers: 1000, "fields[0][1][1]": 128 })).toMatch(
      /net_tail_num_nets: the network would have 3[\d,]+ tensors; expected at most 1,000,000/,
    );
  });
});

describe("files and overrides", () => {
  const texts: [name: string, text: string, message: RegExp][] = [
    [
      "60,000 unknown keys",
      JSON.stringify(Object.fromEntries(Array.from({ length: 60_000 }, (_, i) => [`key_${i}`, i]))),
      /60000 unknown keys; found "key_0", "key_1"/,
    ],
    ["a number of many digits", `{"batch_size": ${"9".repeat(1_000_000)}}`, /:1:16: a number of 1000000 characters/],
    ["lists in lists", `{"fields": ${"[".repeat(100_000)}${"]".repeat(100_000)}}`, /nested deeper than 64/],
  ];
  it.each(texts)("%s are refused", (_, text, message) => {
    expect(() => soon("reading", () => parseConfig(text, "f.json"))).toThrow(message);
  });

  it("long strings are read, and refused where they make no sense", () => {
    const long = `${"x\\n\\u00e9".repeat(300_000)}`;
    const { values } = soon("reading", () => parseConfig(`{"file_path": "${long}", "mine": "${long}"}`, "f.json"));
    expect((values.mine as string).length).toBe(900_000);
    const [fault] = validateConfig({ ...BASE, ...values }, knownNames());
    expect(formatFault(fault)).toMatch(/^file_path: 900000 characters; .{0,200}at most 4096 characters$/);
  });

  it("a file without end is not read to its end", () => {
    expect(() => readConfigFile("/dev/zero")).toThrow(/too large for a configuration; found more than 2097152 bytes/);
    const path = join(tempDir(), "large.json");
    writeFileSync(path, `{"fields": [${"1,".repeat(1_500_000)}1]}`);
    expect(() => readConfigFile(path)).toThrow(/large\.json: the file is too large for a configuration/);
  });

  it("of many unknown keys only some are named", () => {
    const text = JSON.stringify(Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`key_${i}`, i])));
    const { warnings, values } = parseConfig(text, "f.json");
    expect(warnings).toHaveLength(21);
    expect(warnings.at(-1)).toBe("f.json: 80 more unknown keys are kept but not read");
    expect(Object.keys(values)).toHaveLength(100);
  });

  it.each([
    [`fields=${"[".repeat(60_000)}${"]".repeat(60_000)}`, /nested deeper than 64/],
    [`fields${"[0]".repeat(30_000)}x=1`, /malformed override/],
    [`${"x".repeat(100_000)}=1`, /unknown key/],
  ])("an override such as %.20s is refused in few words", (text, message) => {
    try {
      soon("parsing", () => parseOverride(text));
      expect.unreachable();
    } catch (error) {
      expect(isAtmorepError(error)).toBe(true);
      expect((error as Error).message).toMatch(message);
      expect((error as Error).message.length).toBeLessThan(1000);
    }
  });

  it("values of programs are judged too: deep ones, and those that hold themselves", () => {
    const deep: unknown[] = [];
    let inner = deep;
    for (let i = 0; i < 100_000; i++) {
      const next: unknown[] = [];
      inner.push(next);
      inner = next;
    }
    const circle: unknown[] = [];
    circle.push(circle);
    for (const value of [deep, circle]) {
      for (const key of ["fields_targets", "fields", "batch_size", "file_path", "losses"]) {
        const faults = soon(key, () => validateConfig({ ...BASE, [key]: value }, knownNames()));
        expect(faults.map(formatFault).join("\n")).toContain(key);
      }
    }
  });
});

it("amounts are told in readable units", () => {
  expect([1, 2048, 1.5 * 2 ** 40, 2 ** 80].map(formatBytes)).toEqual(["1 bytes", "2 KiB", "1.5 TiB", "1.0e+6 EiB"]);
  expect(time(1, 0.01, "x").needs(1e15)).toBe("it would take at least 317,000 years: x");
  expect(time(1, 1, "x").needs(7200)).toBe("it would take at least 2 hours: x");
});
