/** What Tab and Shift-Tab give, as JupyterLab asks for it. `|` in a cell is the cursor. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { presets } from "../../src/config/presets.js";
import { EVALUATION_MODES } from "../../src/evaluation/modes.js";
import { lossNames } from "../../src/losses/names.js";
import { type Content, KernelClient } from "./client.js";

const IMPORTS = 'import * as atmorep from "atmorep";\nimport * as nb from "atmorep/notebook";\n';

let kernel: KernelClient;
let folder = "";
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "complete-"));
  mkdirSync(join(folder, "data", "deeper"), { recursive: true });
  for (const name of ["mine.ts", "table.json", "data/era5.nc", ".hidden"]) writeFileSync(join(folder, name), "");
  kernel = await KernelClient.start(folder);
});
afterAll(async () => {
  await kernel.stop();
  rmSync(folder, { recursive: true, force: true });
});

function request(type: string, cell: string): Promise<Content> {
  const cursor = Array.from(cell.slice(0, cell.indexOf("|"))).length;
  return kernel.request(type, { code: cell.replace("|", ""), cursor_pos: cursor, detail_level: 0 });
}

interface Typed {
  start: number;
  end: number;
  text: string;
  type: string;
  signature?: string;
}

/** The reply to Tab; what Jupyter calls experimental has a type for each match. */
async function tab(cell: string): Promise<{ matches: string[]; types: Typed[]; replaced: string }> {
  const reply = await request("complete_request", cell);
  expect(reply).toMatchObject({ status: "ok" });
  const matches = reply.matches as string[];
  const types = (reply.metadata as { _jupyter_types_experimental: Typed[] })._jupyter_types_experimental;
  expect(types.map(({ text }) => text)).toEqual(matches);
  for (const { type, start, end } of types) {
    expect(type).toMatch(/^[a-z ]+$/);
    expect([start, end]).toEqual([reply.cursor_start, reply.cursor_end]);
  }
  const [start, end] = [reply.cursor_start as number, reply.cursor_end as number];
  return { matches, types, replaced: Array.from(cell.replace("|", "")).slice(start, end).join("") };
}

describe("Tab in a cell that imports the package itself", () => {
  const inCell = (line: string) => tab(IMPORTS + line);

  it.each(["resolveConfig({ set: { lo|", "resolveConfig({ set: { lo| } })", 'evaluate("ab12cd34", { set: { lo| } })'])(
    "gives the keys of a configuration: %s",
    async (line) => {
      const { matches, types, replaced } = await inCell(`atmorep.${line}`);
      expect(matches.slice(0, 3)).toEqual(["log_test_num_ranks", "loss_weights", "losses"]);
      expect(types[0]).toMatchObject({ type: "property", signature: "number" });
      expect(replaced).toBe("lo");
    },
  );

  it.each(['resolveConfig({ preset: "|', 'resolveConfig({ preset: "|" })', "resolveConfig({ preset: '|', seed: 1 })"])(
    "gives the presets: %s",
    async (line) => {
      const { matches, types } = await inCell(`atmorep.${line}`);
      expect([...matches].sort()).toEqual(
        presets()
          .map(({ name }) => name)
          .sort(),
      );
      expect(types[0].type).toBe("value");
    },
  );

  it("replaces what of a string is typed, before and behind the cursor", async () => {
    expect(await inCell('"😀"; atmorep.resolveConfig({ preset: "sto|rm-" })')).toMatchObject({
      matches: ["storm", "storm-day", "coupled-storm"],
      replaced: "storm-",
    });
  });

  it("gives strategies, losses and kinds of attention", async () => {
    const inSet = async (text: string) => (await inCell(`atmorep.resolveConfig({ set: { ${text} } })`)).matches;
    expect(await inSet('BERT_strategy: "|"')).toEqual(["BERT", "forecast", "temporal_interpolation"]);
    expect(await inSet('BERT_strategy: "fo|')).toEqual(["forecast"]);
    expect((await inSet('losses: ["mse", "|"]')).sort()).toEqual(Object.keys(lossNames()).sort());
    expect(await inSet('encoder_att_type: "|"')).toEqual(["axial", "axial_parallel", "dense"]);
  });

  it("gives modes of evaluation", async () => {
    expect((await inCell('await atmorep.evaluate("ab12cd34", { mode: "|" })')).matches).toEqual(
      Object.keys(EVALUATION_MODES).sort(),
    );
  });

  it("gives members with what they are", async () => {
    const { types } = await inCell("nb.sh|");
    expect(types[0]).toMatchObject({ text: "sh", type: "function" });
    expect(types[0].signature).toContain("Promise<");
    expect((await inCell("const { config } = atmorep.resolveConfig();\nconfig.lr_m|")).types).toMatchObject([
      { text: "lr_max", type: "property", signature: "number" },
      { text: "lr_min", type: "property", signature: "number" },
    ]);
    const all = (await inCell("class Own {}\nlet owner = 1;\nOwn|")).types;
    expect(all.slice(0, 2)).toMatchObject([
      { text: "Own", type: "class" },
      { text: "owner", type: "instance", signature: "number" },
    ]);
  });
});

describe("Tab in an import", () => {
  it.each([
    "import { res|",
    "import { res| }",
    'import { prepare, res| } from "atmorep"',
    "1;\nimport {\n  prepare,\n  res|\n}",
  ])("gives what the package exports: %s", async (cell) => {
    const { matches, replaced } = await tab(cell);
    expect(matches[0]).toBe("resolveConfig");
    expect(replaced).toBe("res");
  });

  it("gives files and folders of the notebook's, one part of a path at a time", async () => {
    const files = await tab('import { x } from "./|"');
    expect(files.matches).toEqual(["data/", "mine", "table.json"]);
    expect(files.types.map(({ type }) => type)).toEqual(["path", "path", "path"]);
    expect(await tab('import { x } from "./mi|')).toMatchObject({ matches: ["mine"], replaced: "mi" });
  });

  it("gives packages, those of the checkout too", async () => {
    expect((await tab('import * as atmorep from "atm|"')).matches).toEqual([
      "atmorep",
      "atmorep/notebook",
      "atmorep/scores",
    ]);
    expect(await tab('import * as nb from "atmorep/n|"')).toMatchObject({
      matches: ["atmorep/notebook"],
      replaced: "atmorep/n",
    });
    expect((await tab('await import("zarr|")')).matches).toEqual(["zarrita"]);
    expect((await tab('import { join } from "node:pa|"')).matches).toContain("node:path");
  });
});

describe("Tab in any other string", () => {
  it("gives files where a path has begun", async () => {
    expect((await tab('const file = "./|"')).matches).toEqual(["data/", "mine.ts", "table.json"]);
    expect(await tab('const file = "./data/e|')).toMatchObject({ matches: ["era5.nc", "deeper/"], replaced: "e" });
    expect((await tab("const file = `./.h|`")).matches).toEqual([".hidden"]);
    expect((await tab(`const file = "${folder}/t|"`)).matches[0]).toBe("table.json");
    expect(await tab("nb.sh`ncdump -h ./data/er|`")).toMatchObject({ matches: ["era5.nc", "deeper/"], replaced: "er" });
    expect((await tab('const word = "da|"')).matches).toEqual([]);
    expect((await tab('const address = "https://|"')).matches).toEqual([]);
  });
});

it("Tab gives what earlier cells declared, nearest first", async () => {
  await kernel.execute("const before = { inner: 1 }; function beforehand() { return 1; }");
  expect((await tab("befor|")).types).toMatchObject([
    { text: "before", type: "instance" },
    { text: "beforehand", type: "function" },
  ]);
  expect(await tab("before.in|")).toMatchObject({ matches: ["inner"], replaced: "in" });
});

describe("Shift-Tab", () => {
  async function shown(cell: string): Promise<Record<string, string>> {
    const reply = await request("inspect_request", cell);
    expect(reply).toMatchObject({ status: "ok", found: true });
    return reply.data as Record<string, string>;
  }

  it("gives in Markdown the signature, what it does, parameters, errors and an example", async () => {
    const data = await shown(`${IMPORTS}nb.sh|("ls")`);
    expect(data["text/markdown"]).toMatch(
      /^```typescript\nsh\(line: string \| TemplateStringsArray.*\n```\n\nRuns a line/,
    );
    expect(data["text/markdown"]).toMatch(/\*\*Returns\*\*\n\n- what it printed/);
    expect(data["text/markdown"]).toMatch(/\*\*Throws\*\*\n\n- AtmorepError \(failed\) if/);
    expect(data["text/markdown"]).toMatch(/\*\*Example\*\*\n\n```typescript\nawait sh\("ls -l data"\);\n```/);
    expect(data["text/plain"]).toMatch(/^sh\(line: .*\n\nRuns a line[\s\S]*\n\nThrows:\n {2}AtmorepError \(failed\)/);
    expect((await shown(`${IMPORTS}nb.time|`))["text/markdown"]).toContain(
      "**Parameters**\n\n- `options`: `runs`: so many calls",
    );
  });

  it("gives the meaning of a configuration's key, its unit, bounds and default", async () => {
    const doc = /Learning rate of the first epoch\. Value: a number above 0 \(at most 1,000\)\. Default: [\d.e-]+\./;
    expect((await shown(`${IMPORTS}atmorep.resolveConfig({ set: { lr_s|tart: 1e-4 } })`))["text/markdown"]).toMatch(
      doc,
    );
    const cell = `${IMPORTS}const { config } = atmorep.resolveConfig();\nconfig.`;
    expect((await shown(`${cell}lr_start|`))["text/markdown"]).toMatch(doc);
    expect((await shown(`${cell}n_si|ze`))["text/markdown"]).toContain("degrees of latitude");
  });

  it("between the brackets of a call is about the function", async () => {
    for (const call of ["nb.time(() => 1, |)", "nb.time(() => 1, { | })", "nb.time(|"]) {
      expect((await shown(IMPORTS + call))["text/markdown"], call).toContain("prints the median");
    }
  });

  it("sees the types that cells are checked with: what may be absent is told", async () => {
    const asked = await request("inspect_request", 'const m = new Map<string, number>();\nconst v| = m.get("a");');
    expect((asked.data as Record<string, string>)["text/markdown"]).toContain("number | undefined");
  });

  it("finds nothing where nothing is", async () => {
    expect(await request("inspect_request", "|")).toMatchObject({ status: "ok", found: false, data: {} });
  });
});
