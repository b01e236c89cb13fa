/**
 * `results/id<NEW>.unfinished`, in which the parts of an evaluation leave their predictions:
 *
 *     request.json       what is evaluated, in how many parts, and seeds for a run that has none
 *     facts.json         weights, data and program of the part that came first
 *     batch-000012.bin   predictions
 */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import { readJsonBounded } from "../budgets.js";
import { drawSeed } from "../config/seeds.js";
import { AtmorepError } from "../errors.js";
import { makeFolder } from "../formats/atomic.js";
import { systemFault } from "../formats/systemFault.js";
import { createWhole } from "../native/index.js";
import { ownerOf } from "../parts.js";
import { isKept } from "../prediction/keptPredictions.js";
import type { Facts } from "../training/agreement.js";
import type { EvaluateRequest } from "./request.js";

const FORM = "atmorep evaluation in parts 1";

/** What all parts are asked alike. */
type Asked = Omit<EvaluateRequest, "out" | "runId" | "signal" | "communicator" | "onProgress" | "onWarning">;

export interface Begun {
  folder: string;
  parts: number;
  asked: Asked;
  seeds: [number, number];
}

/** Seeds for a run that has none, the same in every part. */
export function seedsOf({ seeds }: Begun): () => number {
  let next = 0;
  return () => seeds[next++ % seeds.length];
}

/**
 * Begins an evaluation in parts, or joins what another part has begun.
 * @throws AtmorepError (usage) if that is another evaluation, (failed) if the folder cannot be written
 */
export async function beginParts(resultsDir: string, request: Asked, parts: number): Promise<Begun> {
  const folder = `${resultsDir}.unfinished`;
  const { run, mode, set, data, split, rollout, calibration, stores, engine } = request;
  const asked = { run, mode, set, data, split, rollout, calibration, stores, engine };
  const own = { form: FORM, parts, asked, seeds: [drawSeed(), drawSeed()] };
  await putOnce(join(folder, "request.json"), own);
  const begun = await begunParts(resultsDir);
  const found = { parts: begun.parts, ...begun.asked } as Record<string, unknown>;
  for (const [key, value] of Object.entries({ parts, ...asked })) {
    if (JSON.stringify(found[key]) === JSON.stringify(value)) continue;
    throw new AtmorepError("usage", "this part is asked for something else than the part that came first", {
      where: `${key}, in ${folder}`,
      found: JSON.stringify(value) ?? "not given",
      expected: JSON.stringify(found[key]) ?? "not given",
      fix: "Give all parts the same command but for --part, or choose another --run-id.",
    });
  }
  return begun;
}

/** What has been begun. @throws AtmorepError (usage) if nothing has, or by another version; (input) if it is damaged */
export async function begunParts(resultsDir: string): Promise<Begun> {
  const folder = `${resultsDir}.unfinished`;
  const path = join(folder, "request.json");
  if (!existsSync(path)) {
    throw new AtmorepError("usage", "no part of this evaluation has been begun", {
      where: folder,
      fix: existsSync(resultsDir) ? "It stands there whole already." : "Begin it with --run-id ID --part 1/N.",
    });
  }
  const { form, parts, asked, seeds } = (await readJsonBounded(path)) as Record<string, unknown>;
  const isWhole =
    Number.isInteger(parts) &&
    (parts as number) > 0 &&
    typeof asked === "object" &&
    asked !== null &&
    Array.isArray(seeds) &&
    seeds.length === 2 &&
    seeds.every(Number.isInteger);
  if (form === FORM && isWhole) {
    return { folder, parts: parts as number, asked: asked as Asked, seeds: seeds as [number, number] };
  }
  const isOther = typeof form === "string" && form !== FORM;
  throw new AtmorepError("usage", isOther ? "parts of another version of the program" : "what was begun is damaged", {
    where: path,
    found: String(form),
    expected: FORM,
    fix: "Remove the folder and begin anew, or finish it with the version that began it.",
  });
}

/** Part and end must see the same weights and data. @throws AtmorepError (usage) naming what differs */
export async function assertSameParts(folder: string, facts: Facts): Promise<void> {
  const path = join(folder, "facts.json");
  await putOnce(path, facts);
  const first = (await readJsonBounded(path)) as Facts;
  const differs = Object.keys(facts).find((name) => facts[name] !== first[name]);
  if (differs === undefined) return;
  throw new AtmorepError("usage", "the run, its data or the program are not those of the part that came first", {
    where: differs,
    found: shortened(facts[differs]),
    expected: `${shortened(first[differs])}, as in ${path}`,
    fix: "Remove the folder and evaluate all parts anew, with one program on the same run and data.",
  });
}

const shortened = (value: unknown): string => {
  const text = String(value ?? "nothing");
  return text.length > 200 ? `${text.slice(0, 200)}...` : text;
};

/** Who only reads predictions may have another engine. */
export const withoutEngine = ({ engine: _, ...facts }: Facts): Facts => facts;

/** @throws AtmorepError (usage) naming the parts whose predictions are not all there */
export async function assertAllParts({ folder, parts }: Begun, batches: number): Promise<void> {
  const missing = new Map<number, number>();
  for (let n = 0; n < batches; n++) {
    if (await isKept(folder, n)) continue;
    const owner = ownerOf(n, batches, parts);
    missing.set(owner, (missing.get(owner) ?? 0) + 1);
  }
  if (missing.size === 0) return;
  const named = [...missing].slice(0, 8).map(([part, count]) => `${part}/${parts} lacks ${count}`);
  throw new AtmorepError("usage", "not all parts of the evaluation are there", {
    where: folder,
    found: `${named.join(", ")}${missing.size > 8 ? ", ..." : ""} of ${batches} batches in all`,
    fix: "Give the commands of these parts again: they predict what is not there.",
  });
}

/** Writes a file unless there is one; who reads it then reads what came first. */
async function putOnce(path: string, value: unknown): Promise<void> {
  try {
    await makeFolder(dirname(path));
    await createWhole(path, JSON.stringify(value));
  } catch (error) {
    throw systemFault(error, "failed", "the parts of the evaluation cannot be kept", {
      where: dirname(path),
      fix: "Make room, or choose another folder with --out.",
    });
  }
}
