import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { GOLDEN_DIR } from "../support/golden.js";
import { runCli } from "../support/inProcess.js";
import { tempDir } from "../support/tempDir.js";

const WHOLE = join(GOLDEN_DIR, "run_bert", "models", "idabcd0865", "AtmoRep_idabcd0865.mod");

describe("weights info", () => {
  test("lists the tensors and counts shared storages once", async () => {
    const { code, stdout } = await runCli("weights", "info", WHOLE, "--json");
    expect(code).toBe(0);
    const info = JSON.parse(stdout);
    expect(info).toMatchObject({ format: "torch", names: 82, parameters: 36112, dtypes: ["F32"] });
    expect(info.tensors[10]).toEqual({
      name: "encoders.0.embed.weight",
      dtype: "F32",
      shape: [16, 36],
      aliasOf: "embeds.0.weight",
    });
    const text = (await runCli("weights", "info", WHOLE)).stdout;
    expect(text).toContain("36,112 values (F32), 141.1 KiB");
    expect(text).toMatch(/encoders\.0\.embed\.weight +F32 +\[16, 36\] +same storage as embeds\.0\.weight/);
  });
});

describe("weights convert", () => {
  test("there and back gives the same pickle and data", async () => {
    const dir = tempDir();
    const [safe, mod, again] = ["w.safetensors", "w.mod", "w2.safetensors"].map((name) => join(dir, name));
    expect((await runCli("weights", "convert", WHOLE, safe)).code).toBe(0);
    expect((await runCli("weights", "convert", safe, mod)).code).toBe(0);
    expect((await runCli("weights", "convert", mod, again)).code).toBe(0);
    expect(readFileSync(again).equals(readFileSync(safe))).toBe(true);
    const tensors = async (path: string) =>
      JSON.parse((await runCli("weights", "info", path, "--json")).stdout).tensors;
    expect(await tensors(mod)).toEqual(await tensors(WHOLE));
  });

  test("a safetensors file that says nothing of sharing shares the embeddings again", async () => {
    const dir = tempDir();
    const safe = join(dir, "w.safetensors");
    await runCli("weights", "convert", WHOLE, safe);
    const bytes = readFileSync(safe);
    writeFileSync(safe, Buffer.from(bytes.toString("latin1").replace("atmorep.aliases", "another.aliases"), "latin1"));
    await runCli("weights", "convert", safe, join(dir, "w.mod"));
    const { stdout } = await runCli("weights", "info", join(dir, "w.mod"), "--json");
    expect(JSON.parse(stdout).parameters).toBe(36112);
  });

  test.each([
    ["an ending that names no format", WHOLE, "w.txt", "does not say which format"],
    ["a missing file", "none.mod", "w.safetensors", "cannot be opened"],
    ["a folder", GOLDEN_DIR, "w.safetensors", "cannot be read"],
    ["a file that is no weights file", join(GOLDEN_DIR, "README.md"), "w.safetensors", "not a zip archive"],
  ])("%s exits 2 and writes nothing", async (_, input, output, message) => {
    const dir = tempDir();
    const { code, stderr } = await runCli("weights", "convert", input, join(dir, output));
    expect(code).toBe(2);
    expect(stderr).toContain(message);
    expect(readdirSync(dir)).toEqual([]);
    expect(existsSync(join(dir, output))).toBe(false);
  });
});
