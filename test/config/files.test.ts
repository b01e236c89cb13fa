import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { resolveConfig } from "../../src/config/resolve.js";
import { configText, consoleLines, inFileOrder, parseConfig, readConfigFile } from "../../src/config/text/files.js";
import { pythonFloat, pythonJson, pythonRepr } from "../../src/config/text/python.js";
import { GOLDEN_DIR } from "../support/golden.js";
import fc from "../support/property.js";

const golden = (...path: string[]) => readFileSync(join(GOLDEN_DIR, ...path), "utf8");

describe("files of the reference", () => {
  it.each(["train.json", "train_multi.json"])("%s is written again byte for byte", (name) => {
    const text = golden("presets", name);
    const { values, warnings } = parseConfig(text, name);
    expect(warnings).toEqual([]);
    expect(configText(values)).toBe(text);
    // the order of our schema is that of the reference's programs
    expect(configText(inFileOrder(values))).toBe(text);
  });

  it.each(["run_bert", "run_forecast", "run_temporal"])("%s: file and console lines are the same again", (name) => {
    const manifest = JSON.parse(golden(name, "manifest.json"));
    const id = manifest.config.wandb_id;
    const text = golden(name, "results", `id${id}`, `model_id${id}.json`);
    const { values } = parseConfig(text, name);
    expect(configText(values)).toBe(text);
    const log = golden(name, "console.log").split("\n");
    expect(log.slice(0, Object.keys(values).length)).toEqual(consoleLines(values));
  });
});

describe("parseConfig", () => {
  it("keeps unknown keys, after the known ones, and warns with the nearest", () => {
    const { values, warnings } = parseConfig('{"my_note": "x", "encoder_num_layer": 2, "batch_size": 3}', "f.json");
    expect(Object.keys(inFileOrder(values))).toEqual(["batch_size", "my_note", "encoder_num_layer"]);
    expect(warnings).toHaveLength(2);
    expect(warnings[1]).toContain('did you mean "encoder_num_layers"?');
  });

  it("lets a file name its JSON Schema, and copies that nowhere", () => {
    const { values, warnings } = parseConfig('{"$schema": "./schema.json", "batch_size": 3}', "f.json");
    expect([values, warnings]).toEqual([{ batch_size: 3 }, []]);
    expect(configText({ $schema: "./schema.json", batch_size: 3 })).toBe('{"batch_size": 3}');
    expect(consoleLines({ $schema: "./schema.json", batch_size: 3 })).toEqual(["batch_size : 3"]);
    expect(Object.keys(resolveConfig({ base: { $schema: "x" } }).config)).not.toContain("$schema");
  });

  it("takes PyTorch's 64-bit seeds and says so", () => {
    const { values, warnings } = parseConfig('{"torch_seed": 9223372036854775813}', "f.json");
    expect(values.torch_seed).toBe(5);
    expect(warnings[0]).toContain("9223372036854775813");
  });

  it("reads what Python writes and JSON does not know", () => {
    const { values } = parseConfig('\ufeff{"a": NaN, "b": [-Infinity, 1e-05], "c": "\\u00e9\\n"}', "f.json");
    expect(values).toEqual({ a: Number.NaN, b: [-Infinity, 1e-5], c: "é\n" });
  });

  it("is not misled by the names of an object's own machinery", () => {
    const { values } = parseConfig('{"__proto__": 1, "constructor": 2, "toString": 3}', "f.json");
    expect(Object.keys(values)).toEqual(["__proto__", "constructor", "toString"]);
  });

  const bad: [name: string, text: string, message: RegExp][] = [
    ["an empty file", "", /f\.json:1:1: .*the end of the file/],
    ["a missing comma", '{"a": 1\n "b": 2}', /f\.json:2:2: a comma or } is missing/],
    ["a trailing comma", '{"a": [1,]}', /f\.json:1:10: a value is missing/],
    ["a trailing comma of an object", '{"a": 1,}', /f\.json:1:9: a string in double quotes/],
    ["single quotes", "{'a': 1}", /f\.json:1:2: a string in double quotes/],
    ["a Python value", '{"a": None}', /f\.json:1:7: a value is missing or malformed; found "None}"/],
    ["a key that stands twice", '{"a": 1, "a": 2}', /f\.json:1:10: the key "a" stands twice/],
    ["a missing colon", '{"a" 1}', /f\.json:1:6: a colon is missing/],
    ["an open list", '{"a": [1', /comma or ] is missing/],
    ["an open string", '{"a": "b}', /a string in double quotes/],
    ["text after the end", '{"a": 1} {', /something follows/],
    ["a list at the top", "[1, 2]", /not a JSON object at the top; found a list/],
    ["null at the top", "null", /not a JSON object at the top; found null/],
    ["a leading zero", '{"a": 01}', /a comma or } is missing/],
    ["too deep a nesting", `{"a": ${"[".repeat(100)}}`, /nested deeper than 64/],
  ];
  it.each(bad)("refuses %s", (_, text, message) => {
    expect(() => parseConfig(text, "f.json")).toThrow(message);
  });

  it("agrees with JSON.parse on every JSON value", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 })), (value) => {
        expect(parseConfig(JSON.stringify(value, null, 1), "f").values).toEqual(JSON.parse(JSON.stringify(value)));
      }),
      { numRuns: 200 },
    );
  });

  it("names a file that does not exist", () => {
    expect(() => readConfigFile("no/such.json")).toThrow(/no\/such\.json: no such configuration file/);
  });

  it("refuses a folder", () => {
    expect(() => readConfigFile(GOLDEN_DIR)).toThrow(/cannot read the file/);
  });
});

describe("numbers and strings as Python writes them", () => {
  // python3 -c "print([repr(x) for x in (30.0, 1e-5, 1e-4, 123456789012345680.0, 1e16, 1e15, 0.1, -0.0, 5e-324, 1.5e-7)])"
  it.each([
    [30, "30.0"],
    [1e-5, "1e-05"],
    [1e-4, "0.0001"],
    [123456789012345680, "1.2345678901234568e+17"],
    [1e16, "1e+16"],
    [1e15, "1000000000000000.0"],
    [0.1, "0.1"],
    [-0, "-0.0"],
    [5e-324, "5e-324"],
    [1.5e-7, "1.5e-07"],
    [4.9999999999999996e-6, "4.9999999999999996e-06"],
  ])("%d is %s", (value, text) => {
    expect(pythonFloat(value)).toBe(text);
  });

  it("gives every float back", () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (x) => {
        expect(Object.is(Number(pythonFloat(x)), x)).toBe(true);
      }),
    );
  });

  it("quotes as Python does", () => {
    expect(pythonRepr(["a", "it's", `"'`, "\n\\", true, null, 2])).toBe(
      `['a', "it's", '"\\'', '\\n\\\\', True, None, 2]`,
    );
    expect(pythonJson({ é: "\u2028x", b: [false] })).toBe('{"\\u00e9": "\\u2028x", "b": [false]}');
  });

  it("leaves out the optional keys of the reference while they are null", () => {
    const config = { idx_time_mask: null, month: null, token_infos_transformation: null, slurm_job_id: null };
    expect(configText(config)).toBe('{"month": null}');
    expect(configText({ idx_time_mask: [1, 2] })).toBe('{"idx_time_mask": [1, 2]}');
  });

  it("writes floats of our own keys as floats", () => {
    expect(configText({ grad_clip: 1, loss_weights: [1, 0.5] })).toBe('{"grad_clip": 1.0, "loss_weights": [1.0, 0.5]}');
  });
});
