/** One flipped bit anywhere in what a run continues from or starts from: noticed, or harmless because the bits read are equal. */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { AtmorepError } from "../../src/errors.js";
import { defaultRng } from "../../src/random/index.js";
import { loadCheckpoint, readCheckpoint } from "../../src/runs/checkpoint.js";
import { runFolder } from "../../src/runs/folder.js";
import { readWeights } from "../../src/runs/weightFiles.js";
import { runAll, temporaryFolder, tinyConfig } from "../support/tinyRun.js";

const FLIPS = Number(process.env.ATMOREP_FLIPS ?? 150);
const TIMEOUT = 60_000 + FLIPS * 200;

let out = "";
const folder = () => runFolder(out, "flips001");

beforeAll(async () => {
  out = temporaryFolder();
  await runAll(tinyConfig({ ema_decay: 0.9 }), { out, runId: "flips001", maxSteps: 5, engine: "wasm" });
});

/** Calls `check` with one bit of the file flipped, and puts the bit back. */
async function withFlip(path: string, bytes: Buffer, bit: number, check: () => Promise<void>): Promise<void> {
  bytes[bit >> 3] ^= 1 << (bit & 7);
  writeFileSync(path, bytes);
  try {
    await check();
  } catch (error) {
    throw new Error(`bit ${bit} of ${path}`, { cause: error });
  } finally {
    bytes[bit >> 3] ^= 1 << (bit & 7);
    writeFileSync(path, bytes);
  }
}

/** The bits to flip: a third of them among the first 5,000 bytes, where names, shapes and state stand. */
function chosenBits(seed: number, size: number, count: number): number[] {
  const rng = defaultRng(seed);
  return Array.from({ length: count }, (_, i) =>
    Math.floor(rng.random() * 8 * (i % 3 === 0 ? Math.min(size, 5000) : size)),
  );
}

describe("single flipped bits", () => {
  it(`in checkpoint/latest (${FLIPS}): the one before is used, and the file is named`, {
    timeout: TIMEOUT,
  }, async () => {
    const { checkpointDir } = folder();
    const path = join(checkpointDir, "latest.safetensors");
    const before = await readCheckpoint(join(checkpointDir, "latest.previous.safetensors"));
    const bytes = readFileSync(path);
    for (const bit of chosenBits(1, bytes.length, FLIPS)) {
      await withFlip(path, bytes, bit, async () => {
        const { fault, state } = await loadCheckpoint(checkpointDir, "latest");
        expect(fault).toMatch(/latest\.safetensors/);
        expect(state).toEqual(before.state);
      });
    }
    expect((await loadCheckpoint(checkpointDir, "latest")).fault).toBe(null);
  });

  it(`in weights, their parts and the digests (${FLIPS}): refused, or read as they were`, {
    timeout: TIMEOUT,
  }, async () => {
    const { modelsDir } = folder();
    const weights = readdirSync(modelsDir).filter((name) => name.endsWith(".mod"));
    const read = async () =>
      new Map(await Promise.all(weights.map(async (name) => [name, await outcome(name)] as const)));
    const outcome = (name: string) =>
      readWeights(join(modelsDir, name)).catch((error) => {
        expect(error).toBeInstanceOf(AtmorepError);
        return "refused" as const;
      });
    const expected = await read();
    const files = [...weights, "digests.json"];
    for (const [k, name] of files.entries()) {
      const path = join(modelsDir, name);
      const bytes = readFileSync(path);
      for (const bit of chosenBits(k, bytes.length, Math.ceil(FLIPS / files.length))) {
        await withFlip(path, bytes, bit, async () => {
          if (name !== "digests.json") {
            expect(await outcome(name)).toBe("refused");
            return;
          }
          for (const [weight, found] of await read())
            if (found !== "refused") expect(found).toEqual(expected.get(weight));
        });
      }
    }
  });
});
