/** Files made to exhaust or deceive whoever reads them: one message, quickly, in little memory; and what terminals obey is shown. */
import { execFileSync, spawn } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { BUDGET, jsonFault, parseBounded, readBounded, readBoundedSync } from "../../src/budgets.js";
import { readMapping } from "../../src/data/foreign/mapping.js";
import { AtmorepError, isAtmorepError } from "../../src/errors.js";
import { removeUnfinished, withAtomicFile } from "../../src/formats/atomic.js";
import { openSafetensors } from "../../src/formats/safetensors.js";
import { unpickle } from "../../src/formats/torch/unpickle.js";
import { openWeights } from "../../src/formats/weights.js";
import { ZipReader } from "../../src/formats/zip/reader.js";
import { readRun } from "../../src/runs/list.js";
import { readMetricsAndFault } from "../../src/runs/metrics.js";
import { brief, pruned, shown, shownJson } from "../../src/shown.js";
import { atmorep } from "../support/cli.js";
import { runCli } from "../support/inProcess.js";
import { tempDir } from "../support/tempDir.js";
import { runAll, tinyConfig } from "../support/tinyRun.js";

/** Of the processor, since other work may be going on; what is tested took half a minute, or never ended. */
const SECONDS = 10;

// the program is built before it is timed
beforeAll(async () => {
  const { code, stderr } = await atmorep(["--version"]);
  expect(code, stderr).toBe(0);
});

/** The error of `work`, which must be ours and come soon. */
async function refused(work: () => unknown): Promise<string> {
  const began = process.cpuUsage();
  let message: string | null = null;
  try {
    await work();
  } catch (error) {
    if (!isAtmorepError(error)) throw error;
    message = error.message;
  }
  const { user, system } = process.cpuUsage(began);
  expect((user + system) / 1e6).toBeLessThan(SECONDS);
  if (message === null) throw new Error("it was read");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: what a terminal obeys
  expect(message).not.toMatch(/[\x00-\x08\x0b-\x1f\x7f-\x9f]/);
  expect(message.length).toBeLessThan(5000);
  return message;
}

function written(name: string, bytes: Uint8Array | string): string {
  const path = join(tempDir(), name);
  writeFileSync(path, bytes);
  return path;
}

function safetensors(header: string, data = Buffer.alloc(4)): string {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(Buffer.byteLength(header)));
  return written("a.safetensors", Buffer.concat([length, Buffer.from(header), data]));
}

describe("JSON", () => {
  it("with a key twice, in whatever letters, too deep or of too many values is refused, and all else is parsed", () => {
    expect(jsonFault('{"a":1,"b":[{"a":1}],"c":{"a":":,\\"{"}}')).toBe(null);
    expect(jsonFault('{"a":1,"\\u0061":2}')).toMatch(/stands twice/);
    expect(jsonFault('{"a":{"b":1,"c":[1,2],"b":2}}')).toMatch(/"b" stands twice/);
    expect(jsonFault(`${"[".repeat(100_000)}${"]".repeat(100_000)}`)).toMatch(/nested deeper than 64/);
    expect(jsonFault(`[${"0,".repeat(BUDGET.jsonValues + 1)}0]`)).toMatch(/more than 4000000 values/);
    expect(jsonFault('{"a')).toBe(null);
    expect(parseBounded('{"a\\\\":"\\\\\\"","b":[null]}', "x")).toEqual({ "a\\": '\\"', b: [null] });
    expect(() => parseBounded("{", "x.json")).toThrow(/^x\.json: not JSON/);
  });

  it("of mapping files", async () => {
    expect(await refused(() => readMapping(written("m.json", '{"source":"a","source":"b"}')))).toMatch(/twice/);
    expect(await refused(() => readMapping(written("m.json", "[".repeat(1e5) + "]".repeat(1e5))))).toMatch(/deeper/);
    expect(await refused(() => readMapping(written("m.json", `"${"x".repeat(2 ** 25)}"`)))).toMatch(/larger than/);
    expect(await refused(() => readMapping(written("m.json", '{"\\u001b[2J":1}')))).toContain("\\u001b[2J");
  });
});

describe("messages", () => {
  it("show what a terminal would obey, and a bounded part of any value", () => {
    expect(shown("a\x1b[2J\x9b\u202e\tb\n")).toBe("a\\u001b[2J\\u009b\\u202e\tb\n");
    expect(JSON.parse(shownJson({ "\x9b2J": "\u202e" }))).toEqual({ "\x9b2J": "\u202e" });
    let doubled: unknown = [];
    for (let i = 0; i < 60; i++) doubled = [doubled, doubled];
    const ring: unknown[] = [];
    ring.push(ring);
    for (const value of [doubled, ring, "x".repeat(1e8), new Array(1e6).fill({ a: 1 })]) {
      expect(brief(value).length).toBeLessThan(2100);
      expect(JSON.stringify(pruned(value)).length).toBeLessThan(50_000);
      expect(new AtmorepError("input", "what", { found: value, where: "\x1b[2J" }).message).toContain("\\u001b[2J");
    }
    expect(brief({ a: [1, "b", null, { c: true }] })).toBe('{"a":[1,"b",null,{"c":true}]}');
  });

  it("of commands, tables and JSON too", async () => {
    const path = safetensors('{"\\u001b[2Jevil\\u009b2J":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}');
    for (const json of [[], ["--json"]]) {
      const { code, stdout } = await runCli("weights", "info", path, ...json);
      expect(code).toBe(0);
      expect(stdout).toContain("\\u001b[2Jevil\\u009b2J");
    }
  });
});

describe("pickles", () => {
  const start = Buffer.from([0x80, 4, 0x7d, 0x29, 0x71, 1]);
  /** A tuple that holds itself twice, sixty times over. */
  const doubling = Buffer.concat(
    Array.from({ length: 60 }, (_, i) => Buffer.from([0x68, i + 1, 0x68, i + 1, 0x86, 0x71, i + 2])),
  );
  const last = Buffer.from([0x68, 61]);
  const pickle = (...parts: (Buffer | number[])[]) =>
    Buffer.concat([start, doubling, last, ...parts.map((part) => Buffer.from(part))]);

  it("whose lists double are never written out", async () => {
    const asGlobal = pickle(last, [0x93, 0x2e]);
    expect(await refused(() => unpickle(asGlobal, "x"))).toMatch(/a global has no name/);
    const asAttribute = Buffer.concat([
      Buffer.from([0x80, 4, 0x29, 0x71, 1]),
      doubling,
      Buffer.from([0x7d, 0x7d, 0x28]),
      last,
      Buffer.from([0x4e, 0x75, 0x62, 0x2e]),
    ]);
    expect(await refused(() => unpickle(asAttribute, "x"))).toMatch(/asks for an attribute, which is refused/);
  });

  it("of too many values, and of endless texts", async () => {
    for (const code of [0x7d, 0x28, 0x4e, 0x5d]) {
      const many = Buffer.concat([Buffer.from([0x80, 2]), Buffer.alloc(5e6, code), Buffer.from(".")]);
      expect(await refused(() => unpickle(many, "x"))).toMatch(/makes more than (2000000 values|200000 dicts)/);
    }
    const named = (name: string) => Buffer.from(`\x80\x02c${name}\nx\n.`, "latin1");
    expect(await refused(() => unpickle(named("o".repeat(1e7)), "x"))).toMatch(/longer than any name/);
    expect(await refused(() => unpickle(named("os\x1b[2J"), "x"))).toContain("os\\u001b[2J.x");
  });
});

describe("safetensors", () => {
  it("headers beyond the budget, of any length, nested, with a name twice", async () => {
    const entry = '{"dtype":"F32","shape":[1],"data_offsets":[0,4]}';
    const open = (path: string) => refused(() => openSafetensors(path));
    expect(await open(safetensors(`{"a":${entry},"a":${entry}}`))).toMatch(/"a" stands twice/);
    expect(await open(safetensors(`{"a":${"[".repeat(1e5)}${"]".repeat(1e5)}}`))).toMatch(/nested deeper/);
    expect(await open(safetensors(`{"${"n".repeat(2 ** 25)}":${entry}}`))).toMatch(/at most 16777216 are read/);
    for (const length of [2n ** 63n, 2n ** 64n - 1n]) {
      const bytes = Buffer.alloc(100, "{");
      bytes.writeBigUInt64LE(length);
      expect(await open(written("a.safetensors", bytes))).toMatch(/longer than the file/);
    }
  });
});

describe("zip archives", () => {
  /** A directory whose entries all name one piece of data. */
  function overlapping(count: number): Buffer {
    const local = Buffer.alloc(30);
    local.writeUInt32LE(0x04034b50);
    const entries = Array.from({ length: count }, (_, i) => {
      const name = Buffer.from(String(i).padStart(6, "0"));
      const entry = Buffer.alloc(46);
      entry.writeUInt32LE(0x02014b50);
      entry.writeUInt32LE(1000, 20);
      entry.writeUInt32LE(1000, 24);
      entry.writeUInt16LE(name.length, 28);
      return Buffer.concat([entry, name]);
    });
    const directory = Buffer.concat(entries);
    const end = Buffer.alloc(22);
    end.writeUInt32LE(0x06054b50);
    end.writeUInt16LE(count, 10);
    end.writeUInt32LE(directory.length, 12);
    end.writeUInt32LE(1030, 16);
    return Buffer.concat([local, Buffer.alloc(1000), directory, end]);
  }

  it("whose entries share their data, or tell of a huge directory", async () => {
    expect(await refused(() => ZipReader.open(written("a.zip", overlapping(3))))).toMatch(/000000 and 000001 overlap/);
    await (await ZipReader.open(written("b.zip", overlapping(1)))).close();
    const end64 = Buffer.alloc(56 + 20 + 22);
    end64.writeUInt32LE(0x06064b50);
    end64.writeBigUInt64LE(2n ** 40n, 32);
    end64.writeBigUInt64LE(2n ** 50n, 40);
    end64.writeUInt32LE(0x07064b50, 56);
    end64.writeUInt32LE(0x06054b50, 76);
    end64.writeUInt16LE(0xffff, 86);
    expect(await refused(() => ZipReader.open(written("c.zip", end64)))).toMatch(/more files than are read/);
  });
});

describe.skipIf(process.platform === "win32")("special files", () => {
  it("are refused wherever a path is read, and nobody waits for them", async () => {
    const folder = tempDir();
    const pipe = join(folder, "pipe.json");
    execFileSync("mkfifo", [pipe]);
    const zero = join(folder, "zero.json");
    symlinkSync("/dev/zero", zero);
    for (const path of [pipe, zero]) {
      expect(await refused(() => readBounded(path))).toMatch(/not a file or folder/);
      expect(await refused(() => readBoundedSync(path))).toMatch(/not a file or folder/);
      expect(await refused(() => openWeights(path))).toMatch(/not a file or folder/);
      for (const args of [
        ["weights", "info", path],
        ["config", "validate", path],
        ["data", "info", path],
        ["data", "info", path, "--map", join(folder, "map.json")],
        ["data", "normalize", path],
        ["data", "normalize", path, "--out", join(folder, "out.zip")],
        ["data", "import", path, "--out", join(folder, "out.zarr")],
        ["train", path, "--out", folder],
      ]) {
        const { code, stderr } = await runCli(...args);
        expect(code, args.join(" ")).toBe(2);
        expect(stderr, args.join(" ")).toMatch(
          /^error: .*(not a file or folder|too large for a configuration|into a folder only)/m,
        );
      }
    }
    expect(readdirSync(folder).sort()).toEqual(["pipe.json", "zero.json"]);
  });
});

describe("damaged rows of metrics", () => {
  it("are named and left out; the run is listed, shown, compared, reported and continued", async () => {
    const out = tempDir();
    await runAll(tinyConfig(), { out, runId: "rows0001", maxSteps: 4 });
    await runAll(tinyConfig(), { out, runId: "rows0002", maxSteps: 1 });
    const path = join(out, "results", "idrows0001", "metrics.jsonl");
    const lines = readFileSync(path, "utf8").split("\n");
    lines[1] = lines[1].replace('"step":2', '"step":\x1b[2J');
    lines[2] = "[1]";
    writeFileSync(path, lines.join("\n"));
    const { rows, fault } = await readMetricsAndFault(path);
    expect(rows.map(({ step }) => step)).toEqual([1, 4, 4]);
    expect(fault).toBe(
      `${path}: rows 2, 3 of 5 cannot be read and are left out; the file was damaged after it was written`,
    );
    expect((await readRun(out, "rows0001")).steps).toBe(4);
    for (const args of [["runs"], ["runs", "show", "rows0001"], ["runs", "compare", "rows0001", "rows0002"]]) {
      const { code, stderr } = await runCli(...args, "--out", out);
      expect(code).toBe(0);
      expect(stderr).toMatch(/^warning: .*rows 2, 3 of 5/m);
    }
    expect((await runCli("runs", "report", "rows0001", "--out", out)).code).toBe(0);
    const report = readFileSync(join(out, "results", "idrows0001", "report_idrows0001.html"), "utf8");
    expect(report).toContain("rows 2, 3 of 5 cannot be read");
    const { events } = await runAll(tinyConfig(), { out, continue: "rows0001", runId: "rows0003", maxSteps: 5 });
    expect(events.flatMap((event) => (event.type === "warning" ? [event.message] : [])).join()).toMatch(
      /row.* 2, 3 of/,
    );
  });
});

describe("a run that died before its first checkpoint", () => {
  it("can be started again under its id, by one of several; what saved anything, or holds a stranger's file, cannot", async () => {
    const out = tempDir();
    const [results, models] = ["results", "models"].map((name) => join(out, name, "iddied0001"));
    mkdirSync(results, { recursive: true });
    mkdirSync(join(models, "checkpoint"), { recursive: true });
    writeFileSync(join(results, "metrics.jsonl"), "");
    writeFileSync(join(results, "end.json"), '{"reason":"failed","epoch":0,"step":0}\n');
    writeFileSync(join(models, "model_iddied0001.json"), "{}");
    writeFileSync(join(models, "training.lock"), '{"host":"elsewhere","pid":1,"began":"1","by":"flock"}\n');
    writeFileSync(join(models, "checkpoint", ".latest.safetensors.tmp-elsewhere-1-1"), "half");
    const start = () => runAll(tinyConfig(), { out, runId: "died0001", maxSteps: 1 });
    writeFileSync(join(results, "notes.txt"), "mine");
    await expect(start()).rejects.toThrow(/a run with this id exists already/);
    expect(readFileSync(join(results, "notes.txt"), "utf8")).toBe("mine");
    execFileSync("rm", [join(results, "notes.txt")]);
    await start();
    expect(readdirSync(join(models, "checkpoint"))).toContain("latest.safetensors");
    expect(JSON.parse(readFileSync(join(results, "end.json"), "utf8")).reason).toBe("max-steps");
    await expect(start()).rejects.toThrow(/a run with this id exists already/);
  });
});

describe("a signal", () => {
  it("leaves nothing of a file that was being written", async () => {
    const folder = tempDir();
    const writing = withAtomicFile(join(folder, "file"), async (file) => {
      await file.write(Buffer.alloc(2 ** 21));
      expect(readdirSync(folder).length).toBe(1);
      removeUnfinished();
      expect(readdirSync(folder)).toEqual([]);
      throw new Error("ended");
    });
    await expect(writing).rejects.toThrow("ended");
  });

  it.skipIf(process.platform === "win32")("ends weights convert with 130 and a word on how to go on", async () => {
    const folder = tempDir();
    const [input, output] = [join(folder, "in.safetensors"), join(folder, "out.safetensors")];
    const bytes = 2 ** 30;
    const header = `{"a":{"dtype":"F32","shape":[${bytes / 4}],"data_offsets":[0,${bytes}]}}`;
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(header.length));
    writeFileSync(input, Buffer.concat([length, Buffer.from(header)]));
    execFileSync("truncate", ["-s", String(8 + header.length + bytes), input]);
    const child = spawn(process.execPath, ["bin/atmorep.js", "weights", "convert", input, output]);
    let stderr = "";
    child.stderr.on("data", (chunk) => {
      stderr += chunk;
    });
    const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
    while (!readdirSync(folder).some((name) => name.startsWith(".out")) && !existsSync(output)) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    child.kill("SIGINT");
    expect(await ended, stderr).toBe(130);
    expect(stderr).toMatch(/^SIGINT: stopped; nothing is left half-written\. Give the command again/m);
    expect(readdirSync(folder)).toEqual(["in.safetensors"]);
  });
});

describe.runIf(existsSync("/dev/full"))("a full disk behind standard output", () => {
  it("is one message and exit 1, and a training goes on to its end mark", () => {
    const out = tempDir();
    const config = join(out, "tiny.json");
    writeFileSync(config, JSON.stringify(tinyConfig()));
    const run = (command: string) => {
      try {
        execFileSync("bash", ["-c", `"${process.execPath}" bin/atmorep.js ${command}`], { stdio: "pipe" });
        return { code: 0, stderr: "" };
      } catch (error) {
        const { status, stderr } = error as { status: number; stderr: Buffer };
        return { code: status, stderr: String(stderr) };
      }
    };
    const said = /^error: standard output: it cannot be written; found the disk is full \(ENOSPC\)/m;
    const shownDocs = run("config docs > /dev/full");
    expect(shownDocs.code).toBe(1);
    expect(shownDocs.stderr.trim().split("\n").length).toBe(1);
    expect(shownDocs.stderr).toMatch(said);
    expect(run("config docs > /dev/null 2> /dev/full").code).toBe(0);
    const trained = run(`train ${config} --out ${out} --run-id full0009 --max-steps 1 > /dev/full`);
    expect(trained.code).toBe(1);
    expect(trained.stderr).toMatch(said);
    expect(JSON.parse(readFileSync(join(out, "results", "idfull0009", "end.json"), "utf8")).reason).toBe("max-steps");
  });
});
