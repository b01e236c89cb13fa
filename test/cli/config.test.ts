import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Command } from "commander";
import { afterEach, describe, expect, it, vi } from "vitest";
import { registerConfig } from "../../src/cli/commands/config.js";
import { PACKAGE_ROOT } from "../../src/config/presets.js";

const folder = mkdtempSync(join(tmpdir(), "atmorep-cli-"));
const write = (name: string, text: string) => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

/** Runs `atmorep config ...` in this process. */
async function config(...args: string[]): Promise<{ out: string; err: string; code: number }> {
  const out: string[] = [];
  const err: string[] = [];
  vi.spyOn(process.stdout, "write").mockImplementation((text) => out.push(String(text)) > 0);
  vi.spyOn(process.stderr, "write").mockImplementation((text) => err.push(String(text)) > 0);
  process.exitCode = undefined;
  const program = new Command("atmorep").exitOverride();
  registerConfig(program);
  try {
    await program.parseAsync(["config", ...args], { from: "user" });
    return { out: out.join(""), err: err.join(""), code: Number(process.exitCode ?? 0) };
  } finally {
    process.exitCode = undefined;
    vi.restoreAllMocks();
  }
}

afterEach(() => vi.restoreAllMocks());

describe("config show", () => {
  it("prints each key with its value and origin", async () => {
    const { out } = await config("show", "--preset", "storm", "--set", "dropout_rate=0", "--seed", "3");
    expect(out).toMatch(/^dropout_rate +0\.0 +--set$/m);
    expect(out).toMatch(/^rng_seed +3 +--seed$/m);
    expect(out).toMatch(/^encoder_num_mlp_layers +2 +default$/m);
  });

  it("gives JSON, and the file itself, which resolves to the same", async () => {
    const { config: resolved, origins } = JSON.parse((await config("show", "--json")).out);
    expect(origins.fields).toBe("preset:storm");
    const raw = (await config("show", "--preset", "storm", "--raw")).out;
    expect(raw.trimEnd()).not.toContain("\n");
    const again = JSON.parse((await config("show", write("raw.json", raw), "--json")).out);
    expect(again.config).toEqual(resolved);
  });

  it("warns of unknown keys and keeps them", async () => {
    const { err, out } = await config("show", write("unknown.json", '{"encoder_layers": 3}'), "--raw");
    expect(err).toContain('unknown key "encoder_layers" is kept');
    expect(out).toContain('"encoder_layers": 3}');
  });
});

describe("config validate", () => {
  it("tells what can be drawn from the store", async () => {
    const data = join(PACKAGE_ROOT, "assets", "storm_199601.zarr");
    const { out, code, err } = await config("validate", "--preset", "storm", "--data", data);
    expect(err).toBe("");
    expect(code).toBe(0);
    // steps 0-43 hold 38 cubes of 7 steps, steps 48-63 hold 10; 12 of 29 rows and 12 of 24 columns leave 17 x 12 places
    expect(out).toMatch(/^train: 38 times, 17 x 12 = 204 places; /m);
    expect(out).toMatch(/^validate: 10 times, 17 x 12 = 204 places; /m);
  });

  it("lists all faults and asks for exit code 2", async () => {
    const { err, out, code } = await config("validate", "--set", "dropout_rate=2", "--set", "encoder_num_heads=7");
    expect(code).toBe(2);
    expect(out).toBe("");
    expect(err).toMatch(/^2 faults\n {2}dropout_rate: .*\n {2}fields\[0\]\[1\]\[1\]: /);
  });

  it("lists the faults that the data shows", async () => {
    const { out, code } = await config("validate", "--json", "--set", "fields[0][0]=temperature");
    expect(code).toBe(2);
    expect(JSON.parse(out)).toMatchObject({ ok: false });
    const set = 'fields_prediction=[["velocity_v_sfc",1]]';
    const levels = await config(
      "validate",
      "--json",
      "--set",
      "fields[0][0]=velocity_v_sfc",
      "--set",
      set,
      "--set",
      "fields[0][2]=[500]",
    );
    expect(levels.code).toBe(2);
    expect(JSON.parse(levels.out).faults[0]).toMatchObject({ code: "not-in-store", path: "fields[0][0]" });
  });

  it("checks without the store if it is not here, unless it was asked for", async () => {
    const { err, code } = await config("validate", "--preset", "single");
    expect(code).toBe(0);
    expect(err).toContain("only what needs no data was checked");
    await expect(config("validate", "--preset", "single", "--data", join(folder, "none.zarr"))).rejects.toThrow(
      /there is no store at this path/,
    );
  });

  it("refuses unknown keys of --set", async () => {
    await expect(config("validate", "--set", "droput_rate=0")).rejects.toThrow(/Did you mean dropout_rate\?/);
  });
});

describe("config diff", () => {
  it("compares files, runs and presets", async () => {
    const a = write("a.json", '{"batch_size": 2}');
    mkdirSync(join(folder, "models", "idabcd1234"), { recursive: true });
    write("models/idabcd1234/model_idabcd1234.json", '{"batch_size": 3}');
    const { out } = await config("diff", a, "abcd1234", "--out", folder);
    expect(out.trim().split("\n")).toHaveLength(2);
    expect(out).toMatch(/^batch_size +2 +3$/m);
    const { differences } = JSON.parse((await config("diff", a, "--preset", "single", "--json")).out);
    expect(differences).toContainEqual({ path: "batch_size", a: 2, b: 96 });
    expect((await config("diff", a, a)).out).toBe("the configurations are the same\n");
    await expect(config("diff", a)).rejects.toThrow(/needs two configurations/);
  });
});

describe("config docs", () => {
  it("prints the page, or the schema", async () => {
    expect((await config("docs")).out).toMatch(/^# Configuration\n/);
    const schema = JSON.parse((await config("docs", "--json")).out);
    expect(schema.find(({ key }: { key: string }) => key === "n_size")).toMatchObject({ default: [36, 13.5, 27] });
  });

  it("prints the JSON Schema, and single keys", async () => {
    const { properties } = JSON.parse((await config("docs", "--json-schema")).out);
    expect(properties.batch_size).toMatchObject({ type: "integer", minimum: 1, default: 96 });
    const { out } = await config("docs", "batch_size", "grad_clip");
    expect(out).toMatch(/^batch_size\n {2}Samples of .*\n {2}value: an integer of at least 1 .*\n {2}default: 96\n/);
    expect(out).toMatch(/^grad_clip \(ours\)$/m);
    await expect(config("docs", "batch_siz")).rejects.toThrow(/config docs: unknown key.*Did you mean batch_size\?/);
  });
});
