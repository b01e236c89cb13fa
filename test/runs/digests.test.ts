import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { announceWeights, digestOf, verifyWeights } from "../../src/runs/digests.js";
import { tempDir } from "../support/tempDir.js";

async function* piecesOf(text: string) {
  yield Buffer.from(text);
}

it("a file passes that was announced, or that two announced ones were to replace and never did", async () => {
  const dir = tempDir();
  const path = join(dir, "AtmoRep_idabcd0123.mod");
  const announce = async (text: string) =>
    announceWeights(dir, new Map([["AtmoRep_idabcd0123.mod", await digestOf(piecesOf(text))]]));
  await announce("first");
  writeFileSync(path, "first");
  // killed twice between the list and the file
  await announce("second");
  await announce("third");
  await verifyWeights(path);
  writeFileSync(path, "third");
  await verifyWeights(path);
  writeFileSync(path, "second");
  await expect(verifyWeights(path)).rejects.toThrow(/do not match their digest/);
  // what somebody changed is not taken for what was there
  await announce("fourth");
  await expect(verifyWeights(path)).rejects.toThrow(/do not match their digest/);
});
