import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { PACKAGE_ROOT } from "../../src/config/presets.js";
import { resolveConfig, resolveStorePath, storePathOfRun } from "../../src/config/resolve.js";
import { KEYS } from "../../src/config/schema.js";
import { withSeeds } from "../../src/config/seeds.js";
import { parseOverride } from "../../src/config/text/overrides.js";

const folder = mkdtempSync(join(tmpdir(), "atmorep-config-"));
const write = (name: string, values: unknown) => {
  const path = join(folder, name);
  writeFileSync(path, JSON.stringify(values));
  return path;
};

describe("resolveConfig", () => {
  it("fills in every key of the schema, in file order", () => {
    const { config, origins, warnings } = resolveConfig();
    expect(Object.keys(config)).toEqual(KEYS);
    expect(new Set(Object.values(origins))).toEqual(new Set(["default"]));
    expect(warnings).toEqual([]);
    expect(config).toMatchObject({ num_samples_per_epoch: 49152, n_size: [36, 13.5, 27], encoder_num_layers: 6 });
  });

  it("gives fresh defaults each time", () => {
    resolveConfig().config.losses.push("x");
    expect(resolveConfig().config.losses).toEqual(["mse_ensemble", "stats"]);
  });

  it("says where each value came from", () => {
    const file = write("a.json", { batch_size: 4, unknown_thing: 1, file_path: "s.zarr" });
    const {
      config,
      origins,
      warnings,
      folder: from,
    } = resolveConfig({
      file,
      base: { batch_size: 2, num_epochs: 3 },
      set: ["dropout_rate=0", "n_size[0]=12"],
      seed: 7,
      runId: "abcd1234",
    });
    expect(config).toMatchObject({
      batch_size: 4,
      num_epochs: 3,
      dropout_rate: 0,
      torch_seed: 7,
      rng_seed: 7,
      wandb_id: "abcd1234",
      unknown_thing: 1,
    });
    expect(config.n_size).toEqual([12, 13.5, 27]);
    expect(origins).toMatchObject({
      batch_size: "file",
      num_epochs: "base",
      dropout_rate: "--set",
      n_size: "--set",
      rng_seed: "--seed",
      wandb_id: "--run-id",
      month: "default",
    });
    expect(warnings).toHaveLength(1);
    expect(from).toBe(folder);
  });

  it("predicts every field that can be hidden when a file names its fields alone", () => {
    const entry = (name: string, dynamic: 0 | 1, rate: number) => {
      return [name, [dynamic, 32, [], 0], [96], [12, 3, 6], [3, 18, 18], [rate, 0.9, 0.2, 0]];
    };
    const file = write("b.json", { fields: [entry("u", 1, 0.5), entry("v", 0, 0.5), entry("t", 1, 0)] });
    const { config, origins } = resolveConfig({ file });
    expect(config.fields_prediction).toEqual([["u", 1]]);
    expect(origins.fields_prediction).toBe("default (from fields)");
  });

  it("refuses a file together with a preset, and unknown presets", () => {
    expect(() => resolveConfig({ file: "a.json", preset: "storm" })).toThrow(/both a configuration file and a preset/);
    expect(() => resolveConfig({ preset: "strom" })).toThrow(/unknown preset.*Did you mean storm\?/);
  });
});

describe("overrides", () => {
  it("are JSON if they parse, else strings", () => {
    expect(parseOverride("fields[0][2]=[96,105]")).toMatchObject({ key: "fields", indices: [0, 2], value: [96, 105] });
    expect(parseOverride("BERT_strategy=forecast").value).toBe("forecast");
    expect(parseOverride('losses=["mse"]').value).toEqual(["mse"]);
    expect(parseOverride("file_path=a=b").value).toBe("a=b");
    expect(parseOverride("month=null").value).toBeNull();
    expect(parseOverride("file_path=[x").value).toBe("[x");
  });

  it("are lists also when the shell took the quotes away", () => {
    expect(parseOverride("losses=[mse,crps]").value).toEqual(["mse", "crps"]);
    expect(parseOverride("fields_prediction=[[velocity_u, 1e-1],[t2, null]]").value).toEqual([
      ["velocity_u", 0.1],
      ["t2", null],
    ]);
  });

  it("change one place and leave the rest", () => {
    const { config } = resolveConfig({ preset: "storm", set: { "fields[0][1][1]": 32 } });
    expect(config.fields[0][1]).toEqual([1, 32, [], 0]);
    expect(resolveConfig({ preset: "storm" }).config.fields[0][1][1]).not.toBe(32);
  });

  it.each([
    ["encoder_num_layer=2", /unknown key; found encoder_num_layer;.*Did you mean encoder_num_layers\?/],
    ["bert_strategy=BERT", /Did you mean BERT_strategy\?/],
    ["zzzzzzzzzzzzzzzz=1", /Look it up with atmorep config docs/],
    ["__proto__=1", /unknown key/],
    ["constructor=1", /unknown key/],
    ["fields[7][2]=[96]", /fields\[7\] does not exist.*an index below 1/],
    ['fields[0][6]="local"', /fields\[0\]\[6\] does not exist.*Set the whole of fields\[0\] instead/],
    ["batch_size[0]=1", /batch_size is 8, not a list/],
    ["fields[-1]=1", /malformed override/],
    ["fields.0=1", /malformed override/],
    ["batch_size", /malformed override/],
    ["=3", /malformed override/],
  ])("refuses %s", (text, message) => {
    expect(() => resolveConfig({ preset: "storm", set: [text] })).toThrow(message);
  });
});

describe("storePathOfRun", () => {
  it("keeps what the current folder, the package or an address finds; else names the place", () => {
    const beside = join(tmpdir(), "runs", "beside.zarr");
    expect(storePathOfRun("beside.zarr", beside)).toBe(beside);
    expect(storePathOfRun("beside.zarr", join(process.cwd(), "beside.zarr"))).toBe("beside.zarr");
    expect(storePathOfRun("assets/a.zarr", join(PACKAGE_ROOT, "assets", "a.zarr"))).toBe("assets/a.zarr");
    expect(storePathOfRun(beside, beside)).toBe(beside);
    expect(storePathOfRun("http://localhost:1/x.zarr", "http://localhost:1/x.zarr")).toBe("http://localhost:1/x.zarr");
  });
});

describe("resolveStorePath", () => {
  it("looks beside the configuration, then in the current folder, then in the package", () => {
    mkdirSync(join(folder, "beside.zarr"), { recursive: true });
    expect(resolveStorePath("beside.zarr", folder)).toBe(join(folder, "beside.zarr"));
    expect(resolveStorePath("package.json", folder)).toBe(join(process.cwd(), "package.json"));
    expect(resolveStorePath("configs/storm.json", folder)).toBe(join(PACKAGE_ROOT, "configs", "storm.json"));
  });

  it("leaves addresses alone", () => {
    expect(resolveStorePath("http://localhost:1/x.zarr")).toBe("http://localhost:1/x.zarr");
  });

  it("says where it looked", () => {
    expect(() => resolveStorePath("absent.zarr", folder)).toThrow(/found absent\.zarr.*looked at .*absent\.zarr, /);
    expect(() => resolveStorePath("")).toThrow(/no store is named/);
  });
});

describe("seeds", () => {
  it("draws what is null and keeps what is given", () => {
    const { config } = resolveConfig({ set: { rng_seed: 0 } });
    expect(withSeeds(config, () => 17)).toMatchObject({ rng_seed: 0, torch_seed: 17 });
    const drawn = withSeeds(config).torch_seed;
    expect(Number.isSafeInteger(drawn)).toBe(true);
    expect(withSeeds(config).torch_seed).not.toBe(drawn);
  });
});
