/**
 * Readers of files from elsewhere: whatever the bytes, they end quickly, with a value or with an AtmorepError.
 * ATMOREP_FUZZ sets how many inputs each reader gets, ATMOREP_SEED which.
 */
import { cpSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { knownNames } from "../../src/checks/knownNames.js";
import { resolveConfig } from "../../src/config/resolve.js";
import { parseConfig } from "../../src/config/text/files.js";
import { validateConfig } from "../../src/config/validate.js";
import { openStore } from "../../src/data/store.js";
import { isAtmorepError } from "../../src/errors.js";
import { openWeights } from "../../src/formats/weights.js";
import { defaultRng } from "../../src/random/index.js";
import { readCheckpoint } from "../../src/runs/checkpoint.js";
import { runFolder } from "../../src/runs/folder.js";
import { weightPath } from "../../src/runs/weightFiles.js";
import { tinyStore } from "../data/support.js";
import { tempDir } from "../support/tempDir.js";
import { countFromEnv } from "../support/tinyProgram.js";
import { runAll, temporaryFolder, tinyConfig } from "../support/tinyRun.js";

const INPUTS = countFromEnv("ATMOREP_FUZZ", 100);
/** A reader that takes longer on a few kilobytes hangs, for a user. */
const MILLISECONDS = 5000;
const rng = defaultRng(Number(process.env.ATMOREP_SEED ?? 1));
const below = (n: number) => Math.floor(rng.random() * n);

/** Pieces that readers stumble over: numbers at their bounds, brackets, opcodes. */
const PIECES = [
  "-1",
  "0",
  "1e308",
  "9007199254740993",
  "4294967295",
  "null",
  "[",
  "]",
  "{",
  "}",
  '"',
  ",",
  "NaN",
  "\\u0000",
];

/** Changes, removes, repeats or inserts a few bytes; `upTo` bounds where. */
function mutate(bytes: Buffer, upTo = bytes.length): Buffer {
  let out = Buffer.from(bytes);
  for (let n = 1 + below(4); n > 0; n--) {
    const at = below(Math.min(upTo, Math.max(1, out.length)));
    const rest = out.subarray(at);
    const kind = below(6);
    if (kind === 0) out[at] = below(256);
    else if (kind === 1) out[at] ^= 1 << below(8);
    else if (kind === 2) out = out.subarray(0, at);
    else if (kind === 3) out = Buffer.concat([out.subarray(0, at), rest.subarray(1 + below(8))]);
    else if (kind === 4) out = Buffer.concat([out.subarray(0, at), rest.subarray(0, 8), rest]);
    else out = Buffer.concat([out.subarray(0, at), Buffer.from(PIECES[below(PIECES.length)]), rest.subarray(below(8))]);
  }
  return Buffer.from(out);
}

/** Gives `read` mutated inputs. @returns how many of them it refused */
async function fuzz(
  bytes: Buffer,
  upTo: number,
  read: (mutated: Buffer) => Promise<unknown> | unknown,
  count = INPUTS,
): Promise<number> {
  let refused = 0;
  for (let i = 0; i < count; i++) {
    const mutated = mutate(bytes, upTo);
    const began = performance.now();
    try {
      await read(mutated);
    } catch (error) {
      if (!isAtmorepError(error)) {
        throw new Error(`input ${i} in base64: ${mutated.subarray(0, 6000).toString("base64")}`, { cause: error });
      }
      refused++;
    }
    expect(performance.now() - began, `input ${i}: ${mutated.toString("base64").slice(0, 8000)}`).toBeLessThan(
      MILLISECONDS,
    );
  }
  return refused;
}

let base: string;
let store: string;
beforeAll(async () => {
  base = temporaryFolder();
  await runAll(tinyConfig(), { out: base, runId: "fuzz0001", maxSteps: 1 });
  store = await tinyStore(join(base, "store.zarr"));
});

async function readAllTensors(path: string): Promise<void> {
  const file = await openWeights(path);
  try {
    for (const { name } of file.tensors) await file.read(name);
  } finally {
    await file.close();
  }
}

// a thousand inputs take longer than a test usually may
describe("mutated inputs are read or refused", { timeout: 600_000 }, () => {
  it(`.mod files, the pickle above all (${INPUTS})`, async () => {
    const bytes = readFileSync(weightPath(runFolder(base, "fuzz0001").modelsDir, "fuzz0001", "latest"));
    const path = join(tempDir(), "fuzz.mod");
    const read = (mutated: Buffer) => {
      writeFileSync(path, mutated);
      return readAllTensors(path);
    };
    const pickleEnd = bytes.indexOf("fuzz0001/data/", 200) + 200;
    expect(await fuzz(bytes, pickleEnd > 200 ? pickleEnd : 8000, read)).toBeGreaterThan(0);
    expect(await fuzz(bytes, bytes.length, read)).toBeGreaterThan(0);
  });

  it(`checkpoints and safetensors (${INPUTS})`, async () => {
    const bytes = readFileSync(join(runFolder(base, "fuzz0001").checkpointDir, "latest.safetensors"));
    const path = join(tempDir(), "fuzz.safetensors");
    const headerEnd = 8 + Number(bytes.readBigUInt64LE(0));
    const refused = await fuzz(bytes, headerEnd, async (mutated) => {
      writeFileSync(path, mutated);
      await readAllTensors(path).catch((error) => {
        if (!isAtmorepError(error)) throw error;
      });
      await readCheckpoint(path);
    });
    expect(refused).toBeGreaterThan(0);
  });

  it(`configurations (${INPUTS})`, async () => {
    const bytes = Buffer.from(JSON.stringify(tinyConfig()));
    const refused = await fuzz(bytes, bytes.length, (mutated) => {
      const { values } = parseConfig(mutated.toString("utf8"), "fuzz.json");
      validateConfig(resolveConfig({ base: values }).config, knownNames());
    });
    expect(refused).toBeGreaterThan(0);
  });

  it(`metadata and axes of stores (${INPUTS})`, async () => {
    const copy = join(tempDir(), "store.zarr");
    cpSync(store, copy, { recursive: true });
    const files = readdirSync(copy, { recursive: true })
      .map(String)
      .filter((name) => /\.z\w+$|^(lats|lons|time)\/0$/.test(name) && statSync(join(copy, name)).isFile());
    let refused = 0;
    for (const name of files) {
      const path = join(copy, name);
      const bytes = readFileSync(path);
      const read = async (mutated: Buffer) => {
        writeFileSync(path, mutated);
        await (await openStore(copy)).close();
      };
      refused += await fuzz(bytes, bytes.length, read, Math.ceil(INPUTS / files.length));
      writeFileSync(path, bytes);
    }
    expect(refused).toBeGreaterThan(0);
  });
});
