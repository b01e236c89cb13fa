/** Run ids: 8 characters of a-z and 0-9. What they look like stands here only, what is named by them in `runs/folder.ts`. */
import { createHash, randomInt } from "node:crypto";
import { AtmorepError } from "../errors.js";

export const RUN_ID = /^[a-z0-9]{8}$/;
const ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789";

/** Run ids that this process has drawn from ATMOREP_RUN_ID_SEED. */
let drawnIds = 0;

/**
 * A random run id. With ATMOREP_RUN_ID_SEED in the environment the same sequence of ids in every process, so that
 * outputs which name them can be compared.
 */
export function drawRunId(seed = process.env.ATMOREP_RUN_ID_SEED): string {
  if (seed) {
    const digest = createHash("sha256").update(`${seed}/${drawnIds++}`).digest();
    return Array.from(digest.subarray(0, 8), (byte) => ALPHABET[byte % ALPHABET.length]).join("");
  }
  return Array.from({ length: 8 }, () => ALPHABET[randomInt(ALPHABET.length)]).join("");
}

/** @throws AtmorepError `usage`, naming the option or argument `where`, unless `id` is a run id */
export function assertRunId(id: string, where = "--run-id"): void {
  if (RUN_ID.test(id)) return;
  throw new AtmorepError("usage", "malformed run id", {
    where,
    found: id,
    expected: "8 characters of a-z, 0-9",
    fix: where === "--run-id" ? "Leave it out to have one drawn" : "List the runs with: npx atmorep runs --out DIR",
  });
}

/** The run ids among names of folders, `id<ID>` each. */
export const runIdsOf = (folders: readonly string[]): string[] =>
  folders.filter((name) => name.startsWith("id") && RUN_ID.test(name.slice(2))).map((name) => name.slice(2));
