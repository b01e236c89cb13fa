/** Wrong configurations, stores, weights, checkpoints and options: a clear message, exit 2, nothing written. */
import { cpSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { zipSync } from "fflate";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runFolder } from "../../src/runs/folder.js";
import { weightPath } from "../../src/runs/weightFiles.js";
import { tinyStore } from "../data/support.js";
import { atmorep, type Outcome } from "../support/cli.js";
import { runCli } from "../support/inProcess.js";
import { tempDir } from "../support/tempDir.js";
import { writeTinyConfig } from "../support/tinyProgram.js";
import { runAll, temporaryFolder, tinyConfig } from "../support/tinyRun.js";

/** All paths below a folder. */
const listing = (dir: string) => readdirSync(dir, { recursive: true }).map(String).sort();

/** What every fault has in common: exit 2, one message without a stack, nothing on standard output, nothing written. */
async function refused(out: string, args: readonly string[], message: RegExp): Promise<void> {
  const before = listing(out);
  expectRefusal(await runCli(...args, "--out", out), message);
  expect(listing(out)).toEqual(before);
}

function expectRefusal({ code, stdout, stderr }: Outcome, message: RegExp): void {
  expect(stderr).toMatch(message);
  expect(stderr).not.toMatch(/^ {4}at |fault of the program/m);
  expect(stdout).toBe("");
  expect(code).toBe(2);
}

describe("configurations", () => {
  const FIELD = "fields[0]";
  const BAD: [name: string, set: string[], message: RegExp][] = [
    ["an unknown key", ["droput_rate=0"], /--set: unknown key; found droput_rate.*Did you mean dropout_rate\?/],
    ["an override without a value", ["dropout_rate"], /malformed override.*path=value/],
    ["an index that does not exist", ["fields[3][0]=x"], /fields\[3\] does not exist.*index below 1/],
    ["a rate above 1", ["dropout_rate=2"], /dropout_rate: /],
    ["text for a number", ["batch_size=many"], /batch_size: .*found "?many/],
    ["half a sample", ["batch_size=1.5"], /batch_size: .*not an integer/],
    ["no epochs", ["num_epochs=0"], /num_epochs: /],
    ["heads that do not divide the width", ["encoder_num_heads=5"], /encoder_num_heads = 5/],
    ["an unknown loss", ['losses=["mae"]'], /losses\[0\]: /],
    ["an ensemble loss of one member", ["net_tail_num_nets=1", 'losses=["crps"]'], /net_tail_num_nets of at least 2/],
    ["a batch larger than the epoch", ["batch_size=500"], /batch_size: the batch is larger than the epoch/],
    ["an unknown strategy", ["BERT_strategy=bert"], /BERT_strategy: .*Did you mean "BERT"/],
    [
      "a forecast of everything",
      ["BERT_strategy=forecast", "forecast_num_tokens=4"],
      /forecast_num_tokens: the forecast hides all 4/,
    ],
    [
      "a time token that does not exist",
      ["BERT_strategy=temporal_interpolation", "idx_time_mask=[7]"],
      /idx_time_mask\[0\]: .*no such time token/,
    ],
    ["tokens that do not fill the cube", [`${FIELD}[3][0]=3`], /fields\[0\]\[3\]\[0\]: 3 tokens of 3 time steps/],
    ["a window of other degrees", ["n_size[1]=20"], /n_size\[1\]: .*make 22\.5 degrees of latitude/],
    ["a window larger than the store", [`${FIELD}[3][1]=20`, "n_size[1]=150"], /larger than the store in latitude/],
    [
      "a field that the store lacks",
      [`${FIELD}[0]=snow_depth`, "fields_prediction=[[snow_depth,1]]"],
      /fields\[0\]\[0\]: the store has no such surface field/,
    ],
    [
      "a level that the store lacks",
      [`${FIELD}[0]=velocity_v`, `${FIELD}[2]=[123]`, 'fields_prediction=[["velocity_v",1]]'],
      /fields\[0\]\[2\]\[0\]: the store has no such level/,
    ],
    ["a predicted field that is none", ['fields_prediction=[["pressure",1]]'], /fields_prediction\[0\]\[0\]: /],
    ["overlapping dates", ['dates_val=[["1996-01-10","1996-01-20"]]'], /validation overlaps training/],
    ["dates that are none", ['dates_train=[["yesterday","1996-01-10"]]'], /dates_train\[0\]\[0\]: not a time/],
    [
      "dates outside the store",
      ['dates_val=[["2005-01-01","2005-02-01"]]'],
      /dates_val: no time can be drawn for validation/,
    ],
    [
      "a range without places",
      ["geo_range_sampling=[[-80,-70],[0,360]]"],
      /geo_range_sampling\[0\]: no window centre lies in the range/,
    ],
    ["a thousand million layers", ["encoder_num_layers=1e9"], /encoder_num_layers: .*at least 179 TiB of memory/],
    ["1e15 samples", ["num_samples_per_epoch=1e15"], /num_samples_per_epoch: .*at least 71\.1 PiB of memory/],
    ["1e15 epochs", ["num_epochs=1e15"], /num_epochs: .*at least 317,000 years/],
    ["a number beyond all", ["lr_max=1e400"], /lr_max: not a finite number; found Infinity/],
    ["an index beyond all", ["fields[99999999999999999999]=1"], /does not exist.*an index below 1/],
    ["lists in lists", [`fields=${"[".repeat(50_000)}`], /--set: nested deeper than 64/],
    ["an empty path of the store", ["file_path="], /no store is named/],
  ];
  it.each(BAD)("%s", async (_, set, message) => {
    const dir = tempDir();
    const config = writeTinyConfig(dir);
    await refused(dir, ["train", config, ...set.flatMap((text) => ["--set", text])], message);
  });

  const FILES: [name: string, text: string | null, message: RegExp][] = [
    ["is missing", null, /bad\.json: no such configuration file/],
    ["is empty", "", /bad\.json:1:1: .*the end of the file/],
    ["is no JSON", "{batch_size: 2}", /bad\.json:1:2: .*double quotes/],
    ["ends early", '{"batch_size": 2', /bad\.json:1:17: a comma or } is missing/],
    ["is a list", "[1, 2]", /bad\.json: not a JSON object at the top; found a list/],
    ["has a key twice", '{"batch_size": 2, "batch_size": 3}', /the key "batch_size" stands twice/],
    ["has fields as text", '{"fields": "u"}', /fields: not a list/],
    ["nests without end", "[".repeat(100_000), /nested deeper than 64/],
    ["holds a long string", `{"file_path": "${"x".repeat(1_500_000)}"}`, /file_path: 1500000 characters/],
    ["is as long as a book", `{"file_path": "${"x".repeat(15_000_000)}"}`, /too large for a configuration/],
    [
      "has 60,000 unknown keys",
      JSON.stringify(Object.fromEntries(Array.from({ length: 60_000 }, (_, i) => [`key_${i}`, i]))),
      /60000 unknown keys/,
    ],
  ];
  it.each(FILES)("a file that %s", async (_, text, message) => {
    const dir = tempDir();
    const path = join(dir, "bad.json");
    if (text !== null) writeFileSync(path, text);
    await refused(dir, ["train", path], message);
  });

  it.each([
    ["encoder_num_layers=1e9", /TiB of memory/],
    ["num_samples_per_epoch=1e15", /PiB of memory/],
    ["samples_per_time=9007199254740992", /PiB of memory/],
    ["fields[0][3]=[65536,65536,65536]", /PiB of memory/],
  ])("a plan with %s, before anything is computed", async (set, message) => {
    const dir = tempDir();
    const start = performance.now();
    await refused(dir, ["train", writeTinyConfig(dir), "--dry-run", "--set", set], message);
    expect(performance.now() - start).toBeLessThan(5000);
  });

  it("a fault of training and validation alike is told once", async () => {
    const dir = tempDir();
    const set = ["--set", "geo_range_sampling=[[-80,-70],[0,360]]"];
    const { stderr } = await runCli("train", writeTinyConfig(dir), ...set, "--out", dir);
    expect(stderr.match(/no window centre/g)?.length).toBe(1);
  });

  it("all faults are told at once", async () => {
    const dir = tempDir();
    const set = ["dropout_rate=2", "num_epochs=0", "encoder_num_heads=7"].flatMap((text) => ["--set", text]);
    const { stderr, code } = await runCli("train", writeTinyConfig(dir), ...set, "--out", dir);
    expect(code).toBe(2);
    for (const key of ["dropout_rate", "num_epochs", "encoder_num_heads"]) expect(stderr).toContain(key);
  });
});

describe("options", () => {
  const BAD: [args: string[], message: RegExp][] = [
    [["--max-steps", "0"], /--max-steps: not a positive whole number; found 0/],
    [["--max-steps", "many"], /--max-steps: .*found many/],
    [["--max-time", "90"], /--max-time: not a duration; found 90; expected a number with s, m or h/],
    [["--seed", "-1"], /--seed: not a seed; found -1/],
    [["--overfit", "1.5"], /--overfit: .*found 1\.5/],
    [["--engine", "gpu"], /gpu.*auto, native, wasm/],
    [["--run-id", "SHORT"], /run id.*SHORT/],
    [["--in-place"], /--in-place needs --continue/],
    [["--no-such-flag"], /unknown option '--no-such-flag'/],
    [["--preset", "strom"], /strom/],
    [["--data", "nowhere.zarr"], /there is no store at this path; found nowhere\.zarr/],
    [["--init-from", "nowhere.mod"], /nowhere\.mod/],
    [["--init-from", "aaaaaaaa@3"], /AtmoRep_idaaaaaaaa_epoch3\.mod/],
    [["--init-from", "not a run"], /not a run; expected RUN/],
    [["--continue", "aaaaaaaa"], /there is no such run.*npx atmorep runs/],
    [["--continue", "../x"], /not a run/],
    [["--continue", "aaaaaaaa", "--preset", "storm"], /a continued run has its configuration/],
    [["--continue", "aaaaaaaa", "--in-place", "--run-id", "bbbbbbbb"], /--in-place keeps the run id/],
  ];
  it.each(BAD)("%j", async (args, message) => {
    const dir = tempDir();
    await refused(dir, ["train", ...args], message);
  });
});

describe("stores", () => {
  const TINY = {
    fields: [["a", [1, 24, [], 0], [1, 2], [2, 3, 2], [2, 2, 3], [0.5, 0.9, 0.4, 0.3]]],
    fields_prediction: [["a", 1]],
    n_size: [4, 6, 6],
    years_train: [2022],
    years_val: [2022],
    dates_train: null,
    dates_val: null,
    samples_per_time: 4,
  };
  const edit = (path: string, change: (json: Record<string, unknown>) => void) => {
    const json = JSON.parse(readFileSync(path, "utf8"));
    change(json);
    writeFileSync(path, JSON.stringify(json));
  };
  const chunks = (store: string, array: string) =>
    readdirSync(join(store, array)).filter((name) => !name.startsWith("."));
  const meta = (array: string, change: (json: Record<string, unknown>) => void) => (store: string) =>
    edit(join(store, array, ".zarray"), change);
  const attrs = (change: (json: Record<string, unknown>) => void) => (store: string) =>
    edit(join(store, ".zattrs"), change);

  const BAD: [name: string, harm: (store: string) => void, message: RegExp][] = [
    ["no metadata", (s) => rmSync(join(s, ".zgroup")), /not a Zarr store; found neither zarr\.json nor \.zgroup/],
    [
      "metadata that are no JSON",
      (s) => writeFileSync(join(s, ".zattrs"), "{fields"),
      /\.zattrs: metadata are not JSON/,
    ],
    ["no data", (s) => rmSync(join(s, "data"), { recursive: true }), /the store has no array data or data_sfc/],
    ["no time", (s) => rmSync(join(s, "time"), { recursive: true }), /the store has no array time/],
    ["no latitudes", (s) => rmSync(join(s, "lats"), { recursive: true }), /the store has no array lats/],
    [
      "no normalisation",
      (s) => rmSync(join(s, "normalization"), { recursive: true }),
      /no global normalisation.*data normalize/,
    ],
    ["no fields attribute", attrs((a) => delete a.fields), /attribute fields: the root attribute is missing/],
    [
      "fields that are numbers",
      attrs((a) => {
        a.fields = [1, 2];
      }),
      /attribute fields: .*a list of field names/,
    ],
    [
      "a field too many",
      attrs((a) => {
        a.fields = ["a", "b", "c"];
      }),
      /data: the shape contradicts/,
    ],
    [
      "levels too few",
      attrs((a) => {
        a.levels = [1];
      }),
      /data: the shape contradicts/,
    ],
    [
      "a grid step of another size",
      attrs((a) => {
        a.res = [2, 1];
      }),
      /lats\[1\]: the axis contradicts the attribute res/,
    ],
    [
      "no resolution",
      attrs((a) => {
        a.res = "1 degree";
      }),
      /attribute res: /,
    ],
    [
      "is_global of a region",
      attrs((a) => {
        a.is_global = 1;
      }),
      /is_global is 1 but the longitudes do not go round/,
    ],
    [
      "times without a unit",
      meta("time", (m) => {
        m.dtype = "<i8";
      }),
      /time: the times have no unit/,
    ],
    [
      "a shape of another length",
      meta("data", (m) => {
        m.shape = [12, 2, 2, 9];
      }),
      /data: the shape contradicts/,
    ],
    [
      "an unknown codec",
      meta("data", (m) => {
        m.compressor = { id: "lz77" };
      }),
      /data: unsupported codec; found lz77/,
    ],
    [
      "text where numbers belong",
      meta("data", (m) => {
        m.dtype = "|S4";
      }),
      /data: /,
    ],
    [
      "a chunk that ends early",
      (s) => {
        for (const name of chunks(s, "data")) truncateSync(join(s, "data", name), 7);
      },
      /data\/\d.*: a chunk is damaged/,
    ],
    [
      "a chunk of garbage",
      (s) => {
        for (const name of chunks(s, "data")) writeFileSync(join(s, "data", name), "garbage");
      },
      /data\/\d.*: a chunk is damaged/,
    ],
    ["a damaged axis", (s) => writeFileSync(join(s, "lats", "0"), "x"), /lats\/0: a chunk is damaged/],
  ];
  it.each(BAD)("with %s", async (_, harm, message) => {
    const dir = tempDir();
    const store = await tinyStore(join(dir, "store.zarr"));
    harm(store);
    await refused(dir, ["train", writeTinyConfig(dir, TINY), "--data", store], message);
  });

  it("the undamaged store of these tests is accepted", async () => {
    const dir = tempDir();
    const store = await tinyStore(join(dir, "store.zarr"));
    const { code, stderr } = await runCli("train", writeTinyConfig(dir, TINY), "--data", store, "--dry-run");
    expect(code, stderr).toBe(0);
  });

  const VALUES: [name: string, options: Parameters<typeof tinyStore>[1], message: RegExp][] = [
    ["missing values", { edit: () => Number.NaN }, /missing.*missing_values|NaN/s],
    ["times that go back", { stepHours: -6 }, /time.*ascend/],
    ["a time twice", { stepHours: 0 }, /time.*ascend/],
    ["latitudes below the pole", { lat0: 175 }, /lats.*degrees from the North pole/],
    ["too few steps", { steps: 3 }, /the cube is longer than the store/],
    ["no rows left", { rows: 4 }, /larger than the store in latitude/],
    ["another year", { start: 0 }, /years_train: no time can be drawn for training/],
    ["longitudes that go round twice", { columns: 400 }, /longitudes go round more than once/],
  ];
  it.each(VALUES)("with %s", async (_, options, message) => {
    const dir = tempDir();
    const store = await tinyStore(join(dir, "store.zarr"), options);
    await refused(dir, ["train", writeTinyConfig(dir, TINY), "--data", store], message);
  });

  const ZIPS: [name: string, make: (whole: Uint8Array) => Uint8Array, message: RegExp][] = [
    ["is no zip", () => Buffer.from("just text, and not short of it either"), /not a folder and not a zip archive/],
    ["is empty", () => new Uint8Array(), /not a folder and not a zip archive/],
    ["was cut off", (whole) => whole.subarray(0, whole.length >> 1), /not a folder and not a zip archive/],
    ["holds something else", () => zipSync({ "readme.txt": Buffer.from("hello") }), /not a Zarr store/],
  ];
  it.each(ZIPS)("a file that %s", async (_, make, message) => {
    const dir = tempDir();
    const store = await tinyStore(join(dir, "store.zarr"));
    const files = listing(store).filter((name) => !readdirSync(dir).includes(name) && /\d$|\.z/.test(name));
    const entries = Object.fromEntries(
      files.flatMap((name) => {
        try {
          return [[name, readFileSync(join(store, name))]];
        } catch {
          return [];
        }
      }),
    );
    const path = join(dir, "store.zip");
    writeFileSync(path, make(zipSync(entries, { level: 0 })));
    await refused(dir, ["train", writeTinyConfig(dir, TINY), "--data", path], message);
  });

  describe("over http", () => {
    const server = createServer((request, response) => {
      response.statusCode = request.url?.startsWith("/forbidden") ? 403 : 404;
      response.end();
    });
    let address: string;
    beforeAll(async () => {
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      address = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    });
    afterAll(() => {
      server.close();
    });
    it.each([
      ["404 everywhere", "/none.zarr", /not a Zarr store/],
      ["403", "/forbidden.zarr", /the server answered 403/],
      ["a zip", "/store.zip", /a zip file cannot be read over http/],
    ])("%s", async (_, path, message) => {
      const dir = tempDir();
      await refused(dir, ["train", writeTinyConfig(dir, TINY), "--data", `${address}${path}`], message);
    });
    it("nobody answers", async () => {
      const dir = tempDir();
      const config = writeTinyConfig(dir, TINY);
      await refused(dir, ["train", config, "--data", "http://127.0.0.1:9/x.zarr"], /no answer/);
    });
  });
});

describe("weights and runs", () => {
  let base: string;
  beforeAll(async () => {
    base = temporaryFolder();
    await runAll(tinyConfig(), { out: base, runId: "base0001", maxSteps: 7 });
  });
  /** A copy of a run that may be harmed. */
  const copied = () => {
    const out = tempDir();
    cpSync(base, out, { recursive: true });
    const folder = runFolder(out, "base0001");
    return { out, folder, weights: weightPath(folder.modelsDir, "base0001", "latest") };
  };
  const halve = (path: string) => truncateSync(path, readFileSync(path).length >> 1);

  it.each([
    ["are cut off", halve, /not a zip archive|damaged/],
    ["are empty", (path: string) => writeFileSync(path, ""), /not a zip archive|damaged|shorter/],
    ["are text", (path: string) => writeFileSync(path, "not weights at all"), /not a zip archive/],
    [
      "are an evil pickle",
      (path: string) =>
        writeFileSync(
          path,
          zipSync(
            { "archive/data.pkl": Buffer.from("\x80\x02cos\nsystem\nX\x02\0\0\0ls\x85R.", "latin1") },
            { level: 0 },
          ),
        ),
      /the pickle asks for os\.system, which is refused/,
    ],
  ] as const)("weights that %s", async (_, harm, message) => {
    const { out, folder, weights } = copied();
    harm(weights);
    const args = ["train", writeTinyConfig(out), "--init-from", "base0001"];
    await refused(out, args, /AtmoRep_idbase0001\.mod: the weights do not match their digest/);
    expectRefusal(await runCli("weights", "info", weights), message);
    // as a run of version 0.1, which has no list of digests
    rmSync(join(folder.modelsDir, "digests.json"));
    await refused(out, args, message);
  });

  it("weights of another network: every difference is told", async () => {
    const { out } = copied();
    const args = ["train", writeTinyConfig(out, { encoder_num_layers: 2 }), "--init-from", "base0001"];
    await refused(out, args, /the weights do not fit the network.*missing encoders\.0\.heads\.1/s);
  });

  it("both checkpoints damaged", async () => {
    const { out, folder } = copied();
    for (const name of readdirSync(folder.checkpointDir)) halve(join(folder.checkpointDir, name));
    await refused(out, ["train", "--continue", "base0001"], /no checkpoint of the run can be read/);
  });

  it("the newest checkpoint damaged: the one before it is used, with a warning", async () => {
    const { out, folder } = copied();
    halve(join(folder.checkpointDir, "latest.safetensors"));
    const { code, stderr } = await runCli("train", "--continue", "base0001", "--out", out, "--max-steps", "8");
    expect(stderr).toMatch(
      /^warning: .*latest\.safetensors: .*digest.*latest\.previous\.safetensors is used instead: step 6 of epoch 1/m,
    );
    expect(code).toBe(0);
  });

  it.each([
    [
      "no checkpoint",
      (r: ReturnType<typeof copied>) => rmSync(r.folder.checkpointDir, { recursive: true }),
      /has no checkpoint "latest"/,
    ],
    [
      "rows cut off",
      (r: ReturnType<typeof copied>) => halve(r.folder.metrics),
      /metrics\.jsonl: rows are missing before the checkpoint/,
    ],
    ["no rows", (r: ReturnType<typeof copied>) => rmSync(r.folder.metrics), /metrics\.jsonl: rows are missing/],
    [
      "no configuration",
      (r: ReturnType<typeof copied>) => {
        for (const dir of [r.folder.modelsDir, r.folder.resultsDir]) rmSync(join(dir, "model_idbase0001.json"));
      },
      /the run has no configuration/,
    ],
    [
      "a damaged configuration",
      (r: ReturnType<typeof copied>) => halve(join(r.folder.modelsDir, "model_idbase0001.json")),
      /model_idbase0001\.json:1:\d+: /,
    ],
  ] as const)("a run with %s", async (_, harm, message) => {
    const run = copied();
    harm(run);
    await refused(run.out, ["train", "--continue", "base0001"], message);
    await refused(run.out, ["train", "--continue", "base0001", "--in-place"], message);
  });

  it.each([
    ["a numbered epoch", ["base0001@0"], /a numbered epoch holds weights only.*--init-from base0001@0/],
    ["a state that does not exist", ["base0001@newest"], /not a run/],
    ["too few epochs", ["base0001", "--set", "num_epochs=1"], /the run has finished.*num_epochs/],
    ["too few steps", ["base0001", "--max-steps", "3"], /has done these steps already/],
    ["another network", ["base0001", "--set", "net_tail_num_nets=4"], /do not fit the network/],
    ["a taken id", ["base0001", "--run-id", "base0001"], /a run with this id exists already/],
  ])("continuing %s", async (_, args, message) => {
    const { out } = copied();
    await refused(out, ["train", "--continue", ...args], message);
  });

  it("as a process too: exit 2, one line, nothing written", async () => {
    await atmorep(["--version"]); // builds if that is due
    const dir = tempDir();
    expectRefusal(
      await atmorep(["train", "--set", "dropout_rate=2", "--out", join(dir, "new")]),
      /^error: .*dropout_rate/,
    );
    expectRefusal(
      await atmorep(["train", "--continue", "aaaaaaaa", "--out", dir]),
      /^error: [^\n]*no such run[^\n]*\n$/,
    );
    expect(readdirSync(dir)).toEqual([]);
  });
});
