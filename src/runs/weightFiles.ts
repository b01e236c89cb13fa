/** The weight files of a run: whole state dicts and parts, by the reference's names, and reading them back. */
import { existsSync } from "node:fs";
import { basename, join } from "node:path";
import { parseFields, predictedFields } from "../config/fields.js";
import type { RunConfig } from "../config/types.js";
import { AtmorepError } from "../errors.js";
import { AtomicFile } from "../formats/atomic.js";
import { type TensorSpec, toFloat32 } from "../formats/tensors.js";
import { fillTorch } from "../formats/torch/writer.js";
import { openWeights } from "../formats/weights.js";
import { canonicalName } from "../model/names.js";
import { initParameters } from "../model/parameters.js";
import type { ModelSpec } from "../model/spec.js";
import type { PlainParams } from "../model/types.js";
import { announceWeights, digestOf, type FileDigest, verifyWeights } from "./digests.js";
import { parseRunReference, runFolder } from "./folder.js";
import { INFO_PART, partOf, stateDict, weightParts } from "./stateDict.js";

/** Which of a run's weights: the un-numbered file (also epoch -2), the best, or those of an epoch. */
export type WeightTag = "latest" | "best" | number;

/** Names of fields in the configuration's order. */
export interface WeightNames {
  fields: readonly { name: string }[];
  predicted: readonly { field: { name: string } }[];
}

/** Path of a weights file; `part` as in `weightParts`, or "" for the whole state dict. */
export function weightPath(modelsDir: string, runId: string, tag: WeightTag, part = ""): string {
  const suffix = tag === "latest" || tag === -2 ? "" : tag === "best" ? "_best" : `_epoch${tag}`;
  return join(modelsDir, `AtmoRep${part ? `_${part}` : ""}_id${runId}${suffix}.mod`);
}

/**
 * Writes the whole state dict and its parts, and their digests into the list. All are written aside first; then the
 * list names them, then they appear, parts first: whoever finds the whole file finds the parts.
 * @returns the path of the whole state dict
 */
export async function writeWeightFiles(
  modelsDir: string,
  runId: string,
  tag: WeightTag,
  params: PlainParams,
  { fields, predicted }: WeightNames,
): Promise<string> {
  const tensors = stateDict(params);
  const parts = weightParts(
    fields.map(({ name }) => name),
    predicted.map(({ field }) => field.name),
  );
  const whole = weightPath(modelsDir, runId, tag);
  const aside: AtomicFile[] = [];
  try {
    const digests = new Map<string, FileDigest>();
    const write = async (path: string, content: readonly TensorSpec[]) => {
      const file = await AtomicFile.create(path);
      aside.push(file);
      await fillTorch(file, content);
      digests.set(basename(path), await digestOf(file.readBack()));
    };
    for (const part of parts) await write(weightPath(modelsDir, runId, tag, part.part), partOf(tensors, part));
    await write(whole, tensors);
    await announceWeights(modelsDir, digests);
    while (aside.length > 0) {
      await aside[0].commit();
      aside.shift();
    }
  } finally {
    for (const file of aside) await file.abort();
  }
  return whole;
}

/**
 * Reads a weights file (`.mod` or `.safetensors`), tensor by tensor, converted to float32. Names come back as the
 * network has them; of `embeds.F.*` and `encoders.F.embed.*` the later one counts, as in PyTorch's loading.
 * @throws AtmorepError (input) if the file is damaged, was changed since its run wrote it, or is not a state dict
 */
export async function readWeights(path: string): Promise<PlainParams> {
  await verifyWeights(path);
  const params: PlainParams = new Map();
  const file = await openWeights(path);
  try {
    for (const { name, aliasOf } of file.tensors) {
      if (aliasOf !== undefined && canonicalName(name) === canonicalName(aliasOf)) continue;
      const tensor = await file.read(name);
      params.set(canonicalName(name), { shape: tensor.shape, data: toFloat32(tensor) });
    }
  } finally {
    await file.close();
  }
  return params;
}

/** Puts the part files of a run together, as `readWeights` would give the whole. */
export async function readWeightParts(
  modelsDir: string,
  runId: string,
  tag: WeightTag,
  { fields, predicted }: WeightNames,
): Promise<PlainParams> {
  const params: PlainParams = new Map();
  const parts = weightParts(
    fields.map(({ name }) => name),
    predicted.map(({ field }) => field.name),
  );
  for (const { part, prefix } of parts) {
    for (const [name, value] of await readWeights(weightPath(modelsDir, runId, tag, part))) {
      params.set(canonicalName(prefix + name), value);
    }
  }
  return params;
}

/**
 * Starting weights for `--init-from`: a weights file, or `RUN[@latest|best|EPOCH]` under `out`, taken from the whole
 * state dict or, where that is gone, from the parts.
 * @throws AtmorepError (usage) if there is no such file, (input) if it is damaged or does not fit the network
 */
export async function readInitialWeights(
  out: string,
  from: string,
  config: RunConfig,
  spec: ModelSpec,
  accept: AcceptedDifferences = {},
): Promise<PlainParams> {
  const expected = initParameters(spec, config.torch_seed ?? 0);
  const match = async (found: Promise<PlainParams>, where: string) =>
    matchWeights(expected, await found, where, accept);
  if (existsSync(from) && /\.[a-z]+$/i.test(from)) return match(readWeights(from), from);
  const { id, which } = parseRunReference(from);
  const tag: WeightTag = which === "latest" || which === "best" ? which : Number(which);
  const { modelsDir } = runFolder(out, id);
  const whole = weightPath(modelsDir, id, tag);
  if (existsSync(whole)) return match(readWeights(whole), whole);
  if (!existsSync(weightPath(modelsDir, id, tag, INFO_PART.part))) {
    throw new AtmorepError("usage", "the run has no such weights", {
      where: whole,
      fix: "Name a weights file, or RUN, RUN@best or RUN@EPOCH of a run under --out.",
    });
  }
  const names = { fields: parseFields(config), predicted: predictedFields(config) };
  return match(readWeightParts(modelsDir, id, tag, names), modelsDir);
}

/** Differences between a file and the network that `--init-from` lets pass. */
export interface AcceptedDifferences {
  missing?: boolean;
  unexpected?: boolean;
}

/** Where two sets of parameters differ in names and shapes. */
export interface WeightDifference {
  /** `name [shape]` of what the network has and the file lacks */
  missing: string[];
  /** `name [shape]` of what the file has and the network lacks */
  unexpected: string[];
  /** `name: [shape], expected [shape]` */
  otherShape: string[];
}

/** Compares a file's parameters with those a network expects (name to shape). */
export function compareWeights(
  expected: ReadonlyMap<string, { shape: readonly number[] }>,
  found: ReadonlyMap<string, { shape: readonly number[] }>,
): WeightDifference {
  const text = (shape: readonly number[]) => `[${shape.join(", ")}]`;
  const difference: WeightDifference = { missing: [], unexpected: [], otherShape: [] };
  for (const [name, { shape }] of expected) {
    const other = found.get(name)?.shape;
    if (!other) difference.missing.push(`${name} ${text(shape)}`);
    else if (text(other) !== text(shape)) {
      difference.otherShape.push(`${name}: ${text(other)}, expected ${text(shape)}`);
    }
  }
  for (const [name, { shape }] of found) {
    if (!expected.has(name)) difference.unexpected.push(`${name} ${text(shape)}`);
  }
  return difference;
}

/**
 * The parameters of a file in the network's order, if they are exactly those expected. `embed_token_info.*`, which
 * nothing computes with, may be missing: it is then taken from `expected`.
 * @param accept missing tensors then keep their values of `expected`, unexpected ones are left out; other shapes never fit
 * @throws AtmorepError (input) listing every missing, unexpected and differently shaped tensor
 */
export function matchWeights(
  expected: PlainParams,
  found: PlainParams,
  where: string,
  { missing = false, unexpected = false }: AcceptedDifferences = {},
): PlainParams {
  const completed: PlainParams = new Map(found);
  if (missing) for (const [name, value] of expected) if (!completed.has(name)) completed.set(name, value);
  if (unexpected) for (const name of found.keys()) if (!expected.has(name)) completed.delete(name);
  for (const [name, value] of expected) {
    if (name.startsWith("embed_token_info.") && !completed.has(name)) completed.set(name, value);
  }
  if (![...expected.keys()].some((name) => name.startsWith("embed_token_info."))) {
    for (const name of found.keys()) if (name.startsWith("embed_token_info.")) completed.delete(name);
  }
  assertFits(compareWeights(expected, completed), where);
  return new Map([...expected.keys()].map((name) => [name, completed.get(name)!]));
}

/** @throws AtmorepError (input) listing every tensor that differs */
export function assertFits({ missing, unexpected, otherShape }: WeightDifference, where: string): void {
  const lines = [
    ...missing.map((text) => `missing ${text}`),
    ...unexpected.map((text) => `unexpected ${text}`),
    ...otherShape.map((text) => `other shape ${text}`),
  ];
  if (lines.length === 0) return;
  throw new AtmorepError("input", "the weights do not fit the network", {
    where,
    found: `\n  ${lines.join("\n  ")}\n`,
    fix: `Use the configuration that the weights were trained with; its fields, widths and layers decide the shapes.${acceptHint({ missing, unexpected })}`,
  });
}

/** Which options of `train --init-from` let missing and unexpected tensors pass. */
function acceptHint({ missing, unexpected }: Pick<WeightDifference, "missing" | "unexpected">): string {
  const flags = [
    ...(missing.length > 0 ? ["--accept-missing (they keep their random start)"] : []),
    ...(unexpected.length > 0 ? ["--accept-unexpected (they are left out)"] : []),
  ];
  return flags.length > 0 ? ` With --init-from, ${flags.join(" and ")} lets them pass.` : "";
}
