import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { knownNames } from "../../src/checks/knownNames.js";
import { configDocs, describeConfig } from "../../src/config/describe.js";
import { diffConfigs } from "../../src/config/diff.js";
import { jsonSchema } from "../../src/config/jsonSchema.js";
import { locateConfig } from "../../src/config/locate.js";
import { nearestName } from "../../src/config/nearest.js";
import { PACKAGE_ROOT } from "../../src/config/presets.js";
import { resolveConfig } from "../../src/config/resolve.js";
import { KEYS, SCHEMA } from "../../src/config/schema.js";
import { parseIsoTime } from "../../src/config/times.js";
import { storm } from "./names.js";

describe("the reference page", () => {
  it("is current (npx atmorep config docs > docs/configuration.md)", () => {
    expect(readFileSync(join(PACKAGE_ROOT, "docs", "configuration.md"), "utf8")).toBe(configDocs(knownNames()));
  });

  it("has a row for every key, and every key one sentence", () => {
    const page = configDocs(knownNames());
    for (const key of KEYS) expect(page).toContain(`| \`${key}\``);
    for (const { key, doc } of SCHEMA) expect(doc, key).toMatch(/^[A-Z[].*\.$/);
    expect(new Set(KEYS).size).toBe(KEYS.length);
  });
});

describe("configs/schema.json", () => {
  const schema = jsonSchema(knownNames()) as { properties: Record<string, Record<string, unknown>> };

  it("is current (npx atmorep config docs --json-schema > configs/schema.json)", () => {
    const text = readFileSync(join(PACKAGE_ROOT, "configs", "schema.json"), "utf8");
    expect(text).toBe(`${JSON.stringify(schema, null, 2)}\n`);
  });

  it("knows every key with its bounds, names, default and meaning", () => {
    expect(Object.keys(schema.properties)).toEqual(["$schema", ...KEYS]);
    expect(schema.properties.encoder_num_layers).toEqual({
      description: "Layers of each field's encoder. An integer of at least 1 (at most 4,096).",
      type: "integer",
      minimum: 1,
      maximum: 4096,
      default: 6,
    });
    expect(schema.properties.dropout_rate).toMatchObject({ type: "number", minimum: 0, exclusiveMaximum: 1 });
    expect(schema.properties.month).toMatchObject({ anyOf: [{ type: "array", uniqueItems: true }, { type: "null" }] });
    expect(schema.properties.n_size).toMatchObject({ minItems: 3, additionalItems: false });
    expect(schema.properties.fields.items).toMatchObject({ minItems: 6, items: { length: 7 } });
    expect(schema.properties.losses.items).toMatchObject({
      anyOf: [{ enum: expect.arrayContaining(["mse_ensemble", "kernel_crps"]) }, { type: "string" }],
    });
    expect(schema.properties.BERT_strategy_mix).toMatchObject({
      anyOf: [{ properties: { BERT: { exclusiveMinimum: 0 } } }, { type: "null" }],
    });
  });
});

describe("describeConfig", () => {
  it("tells value, origin and meaning", () => {
    const { config, origins } = resolveConfig({ preset: "storm", set: { dropout_rate: 0, "n_size[0]": 12 } });
    const described = describeConfig({ ...config, mine: 1 }, origins);
    expect(described.find(({ key }) => key === "dropout_rate")).toMatchObject({ text: "0.0", origin: "--set" });
    expect(described.find(({ key }) => key === "n_size")).toMatchObject({ text: "[12, 15.0, 30.0]" });
    expect(described.find(({ key }) => key === "file_path")).toMatchObject({ origin: "preset:storm" });
    expect(described.at(-1)).toMatchObject({ key: "mine", from: "unknown" });
  });
});

describe("diffConfigs", () => {
  it("names the deepest place that differs", () => {
    const b = storm({ "fields[0][1][1]": 96, losses: ["mse"], batch_size: 4 });
    expect(diffConfigs(storm(), { ...b, mine: 2 })).toEqual([
      { path: "fields[0][1][1]", a: storm().fields[0][1][1], b: 96 },
      { path: "batch_size", a: 8, b: 4 },
      { path: "losses", a: storm().losses, b: ["mse"] },
      { path: "mine", a: undefined, b: 2 },
    ]);
    expect(diffConfigs(storm(), storm())).toEqual([]);
  });
});

describe("locateConfig", () => {
  const out = mkdtempSync(join(tmpdir(), "atmorep-runs-"));
  const place = (home: string, id: string) => {
    const dir = join(out, home, `id${id}`);
    mkdirSync(dir, { recursive: true });
    const path = join(dir, `model_id${id}.json`);
    writeFileSync(path, "{}");
    return path;
  };

  it("finds files, folders of runs and run ids, also where the reference leaves them", () => {
    const ours = place("models", "aaaa1111");
    const theirs = place("results/models", "bbbb2222");
    expect(locateConfig(ours, out)).toBe(ours);
    expect(locateConfig("aaaa1111", out)).toBe(ours);
    expect(locateConfig("aaaa1111@best", out)).toBe(ours);
    expect(locateConfig("bbbb2222", out)).toBe(theirs);
    expect(locateConfig(join(out, "models", "idaaaa1111"), out)).toBe(ours);
  });

  it("names the nearest run", () => {
    expect(() => locateConfig("aaaa1112", out)).toThrow(
      /neither a configuration file nor a run.*Did you mean aaaa1111/,
    );
    expect(() => locateConfig("no.json", join(out, "none"))).toThrow(/--out/);
  });
});

describe("small parts", () => {
  it("finds the name that was meant, or none", () => {
    expect(nearestName("strom", ["waves", "storm"])).toBe("storm");
    expect(nearestName("ENCODER_NUM_HEADS", KEYS)).toBe("encoder_num_heads");
    expect(nearestName("qqqqqqqqqq", ["storm"])).toBeUndefined();
    expect(nearestName("x", [])).toBeUndefined();
  });

  // python3 -c "import datetime as d; print(int(d.datetime(1996,1,15,18,tzinfo=d.timezone.utc).timestamp()))"
  it.each([
    ["1996-01-15T18", 821728800],
    ["1996-01-15 18:00:00Z", 821728800],
    ["1996-01-15", 821664000],
    ["1996-02-29", 825552000],
    ["1995-02-29", null],
    ["1996-13-01", null],
    ["1996-01-15T24", null],
    ["15.1.1996", null],
    ["1996-01-15T18:00+01:00", null],
  ])("reads the time %s", (text, seconds) => {
    expect(parseIsoTime(text)).toBe(seconds);
  });
});
