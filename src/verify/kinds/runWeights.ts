/** A run's `.mod` files: read bit for bit, shared storages, parts, and the state dict that ours would write. */
import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { basename, join } from "node:path";
import { parseFields, predictedFields } from "../../config/fields.js";
import type { RunConfig } from "../../config/types.js";
import type { TensorFile } from "../../formats/tensors.js";
import { openTorch } from "../../formats/torch/reader.js";
import { canonicalName } from "../../model/names.js";
import { stateDict, weightParts } from "../../runs/stateDict.js";
import { readWeights, weightPath } from "../../runs/weightFiles.js";
import { compareJson } from "../compare.js";
import type { Comparison, GoldenCase } from "../types.js";

/** Nothing to compare if the case has no weight files and names none. */
export async function compareWeightFiles(golden: GoldenCase): Promise<Comparison[]> {
  const config = golden.config as RunConfig;
  const runId = String(golden.values.run_id ?? config.wandb_id);
  const comparisons = compareNames(golden, config, runId);
  const dir = join(golden.dir, "models", `id${runId}`);
  if (!existsSync(dir)) return comparisons;
  const whole = weightPath(dir, runId, "latest");
  const file = await openTorch(whole);
  try {
    comparisons.push(...(await compareWhole(golden, file)));
    comparisons.push(await compareOurStateDict(whole, file));
    for (const part of partsOf(config)) {
      const path = weightPath(dir, runId, "latest", part.part);
      if (existsSync(path)) comparisons.push(await comparePart(path, part.prefix, file));
    }
    for (const name of (await readdir(dir)).sort()) {
      if (name.startsWith(`AtmoRep_id${runId}_epoch`)) comparisons.push(await compareLayout(join(dir, name), file));
    }
  } finally {
    await file.close();
  }
  return comparisons;
}

function partsOf(config: RunConfig) {
  return weightParts(
    parseFields(config).map(({ name }) => name),
    predictedFields(config).map(({ field }) => field.name),
  );
}

/** The names of the files that the original wrote are those that ours writes. */
function compareNames(golden: GoldenCase, config: RunConfig, runId: string): Comparison[] {
  const written = golden.values.files_written;
  if (!Array.isArray(written)) return [];
  const theirs = written.map(String).filter((name) => name.endsWith(".mod"));
  const tags = [...new Set(theirs.map((name) => /_epoch(\d+)\.mod$/.exec(name)?.[1]))];
  const parts = ["", ...partsOf(config).map(({ part }) => part)];
  const ours = tags.flatMap((tag) =>
    parts.map((part) => weightPath(`models/id${runId}`, runId, tag === undefined ? "latest" : Number(tag), part)),
  );
  const posix = ours.map((name) => name.replaceAll("\\", "/"));
  return [compareJson("files_written (.mod)", posix.sort(), theirs.sort())];
}

async function compareWhole(golden: GoldenCase, file: TensorFile): Promise<Comparison[]> {
  const names = file.tensors.map(({ name }) => name);
  const comparisons = [compareJson("state_dict_keys", names, golden.values.state_dict_keys ?? names)];
  const shared = file.tensors.filter(({ aliasOf }) => aliasOf !== undefined);
  const expected = names.filter((name) => canonicalName(name) !== name);
  comparisons.push(
    compareJson(
      "shared storages",
      shared.map(({ name, aliasOf }) => [name, aliasOf]),
      expected.map((name) => [name, canonicalName(name)]),
    ),
  );
  for (const [key, { dtype, shape, bytes }] of golden.tensors) {
    if (!key.startsWith("mod.")) continue;
    const name = key.slice("mod.".length);
    if (!names.includes(name)) {
      comparisons.push(compareJson(key, "missing", "present"));
      continue;
    }
    const ours = await file.read(name);
    comparisons.push(compareBits(key, { dtype, shape, bytes }, ours));
  }
  return comparisons;
}

interface Bits {
  dtype: string;
  shape: number[];
  bytes: Uint8Array;
}

function compareBits(name: string, expected: Bits, actual: Bits): Comparison {
  const describe = ({ dtype, shape }: Bits) => ({ dtype, shape });
  if (Buffer.compare(expected.bytes, actual.bytes) === 0) {
    return compareJson(name, describe(actual), describe(expected));
  }
  return compareJson(name, { ...describe(actual), bits: "differ" }, { ...describe(expected), bits: "equal" });
}

/** Read into the network's parameters and written again: the same names, order and sharing. */
async function compareOurStateDict(path: string, file: TensorFile): Promise<Comparison> {
  const describe = ({ name, dtype, shape, aliasOf }: TensorFile["tensors"][number]) => [
    name,
    dtype,
    shape,
    aliasOf ?? null,
  ];
  return compareJson("our state dict", stateDict(await readWeights(path)).map(describe), file.tensors.map(describe));
}

async function comparePart(path: string, prefix: string, whole: TensorFile): Promise<Comparison> {
  const name = basename(path);
  const part = await openTorch(path);
  try {
    const expected = whole.tensors.filter((tensor) => tensor.name.startsWith(prefix));
    const names = compareJson(
      name,
      part.tensors.map((tensor) => prefix + tensor.name),
      expected.map((tensor) => tensor.name),
    );
    if (!names.ok) return names;
    for (const tensor of part.tensors) {
      const bits = compareBits(
        `${name}: ${tensor.name}`,
        await whole.read(prefix + tensor.name),
        await part.read(tensor.name),
      );
      if (!bits.ok) return bits;
    }
    return names;
  } finally {
    await part.close();
  }
}

async function compareLayout(path: string, whole: TensorFile): Promise<Comparison> {
  const file = await openTorch(path);
  await file.close();
  const layout = ({ tensors }: TensorFile) => tensors.map(({ name, dtype, shape }) => [name, dtype, shape]);
  return compareJson(basename(path), layout(file), layout(whole));
}
