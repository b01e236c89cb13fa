/**
 * Fields that start from a run of their own (`fields[i][1][4]`): its encoder, token-info embedding, decoder and tail,
 * put where this network has the field.
 */
import { existsSync } from "node:fs";
import { parseFields, predictedFields } from "../config/fields.js";
import { locateConfig } from "../config/locate.js";
import { readConfigFile } from "../config/text/files.js";
import type { Field, RunConfig } from "../config/types.js";
import { AtmorepError, isAtmorepError } from "../errors.js";
import { canonicalName, prefixOf } from "../model/names.js";
import type { PlainParams } from "../model/types.js";
import { derive } from "../random/index.js";
import { runFolder } from "./folder.js";
import { fieldPart, INFO_PART } from "./stateDict.js";
import { readWeights, weightPath } from "./weightFiles.js";

/** Values that a pre-trained network has no counterpart of start below this, as in the reference. */
const SMALL = 0.01;

/**
 * Replaces, of `params`, everything that belongs to fields with a pre-trained run. A wider `proj_out` takes the old
 * columns and small random values in the new ones; what the run lacks (cross heads of newly coupled fields) starts
 * uniform from 0 to 0.01.
 *
 * @param params initial values of the whole network
 * @throws AtmorepError `usage` if a run or its weights are not in `models/`, `input` listing tensors that do not fit
 */
export async function withPretrained(out: string, config: RunConfig, params: PlainParams): Promise<PlainParams> {
  const started: PlainParams = new Map(params);
  const faults: string[] = [];
  for (const field of parseFields(config)) {
    if (!field.pretrained) continue;
    const own = await readFieldWeights(out, field);
    const p = predictedFields(config).find((entry) => entry.field.index === field.index)?.index ?? null;
    const taken = new Set<string>();
    for (const [name, { shape }] of params) {
      const general = generalName(name, field.index, p);
      if (general === null) continue;
      const found = own.get(general);
      taken.add(general);
      const data = fitted(name, shape, found, config.torch_seed ?? 0);
      if (data) started.set(name, { shape, data });
      else
        faults.push(`${field.name}: other shape ${name}: [${found?.shape.join(", ")}], expected [${shape.join(", ")}]`);
    }
    const unpredicted = p === null ? /^(decoder|tail)\./ : /^$/;
    for (const [name, { shape }] of own) {
      if (!taken.has(name) && !unpredicted.test(name))
        faults.push(`${field.name}: unexpected ${name} [${shape.join(", ")}]`);
    }
  }
  if (faults.length === 0) return started;
  throw new AtmorepError("input", "pre-trained weights do not fit the network", {
    where: "fields[i][1][4]",
    found: `\n  ${faults.join("\n  ")}\n`,
    fix: "Give the field the width, heads, layers and tokens that its run was trained with.",
  });
}

/** `encoder.REST`, `embed.REST`, `info.REST`, `decoder.REST`, `tail.REST` of a field's parameter; null for others. */
function generalName(name: string, f: number, p: number | null): string | null {
  const numbers = { encoder: f, embed: f, info: f, decoder: p, tail: p };
  for (const part of ["encoder", "embed", "info", "decoder", "tail"] as const) {
    const index = numbers[part];
    if (index === null) continue;
    const prefix = prefixOf(part, index);
    if (name.startsWith(prefix)) return `${part}.${name.slice(prefix.length)}`;
  }
  return null;
}

/** The values of a parameter, from what was found; null if they do not fit. */
function fitted(
  name: string,
  shape: readonly number[],
  found: { shape: readonly number[]; data: Float32Array } | undefined,
  seed: number,
): Float32Array | null {
  if (found?.shape.join() === shape.join()) return found.data;
  const generator = derive(seed, "pretrained", name);
  const size = shape.reduce((a, b) => a * b, 1);
  const small = Float32Array.from({ length: size }, () => SMALL * generator.random());
  if (!found) return small;
  const [rows, columns] = shape;
  const wider = name.endsWith(".proj_out.weight") && found.shape[0] === rows && found.shape[1] < columns;
  if (!wider) return null;
  for (let r = 0; r < rows; r++) {
    small.set(found.data.subarray(r * found.shape[1], (r + 1) * found.shape[1]), r * columns);
  }
  return small;
}

/** A field's tensors of its pre-trained run by general names, from the whole state dict or else from the parts. */
async function readFieldWeights(out: string, { name, index, pretrained }: Field): Promise<PlainParams> {
  const { runId, epoch } = pretrained!;
  const { modelsDir } = runFolder(out, runId);
  const place = placeInRun(out, runId, name);
  const whole = weightPath(modelsDir, runId, epoch);
  const params: PlainParams = new Map();
  const take = (found: PlainParams, prefix: string) => {
    for (const [own, value] of found) {
      const general = generalName(canonicalName(prefix + own), place.f, place.p);
      if (general) params.set(general, value);
    }
  };
  if (existsSync(whole)) {
    take(await readWeights(whole), "");
    return params;
  }
  const parts = [
    INFO_PART,
    fieldPart("encoder", name, place.f),
    fieldPart("decoder", name, place.p),
    fieldPart("tail", name, place.p),
  ];
  for (const { part, prefix } of parts) {
    const path = weightPath(modelsDir, runId, epoch, part);
    // a field that its run did not predict has no decoder and no tail
    if (existsSync(path)) take(await readWeights(path), prefix);
    else if (part.startsWith("encoder_")) {
      throw new AtmorepError("usage", `the pre-trained run of ${name} has no such weights`, {
        where: `fields[${index}][1][4]`,
        found: [runId, epoch],
        expected: `${whole}, or the parts beside it such as ${path}`,
        fix: `Put them there, or leave the entry out: --set 'fields[${index}][1]=[...]'.`,
      });
    }
  }
  return params;
}

/** The field's numbers in its own run; a run without a configuration file has this field alone. */
function placeInRun(out: string, runId: string, name: string): { f: number; p: number } {
  let values: Record<string, unknown>;
  try {
    ({ values } = readConfigFile(locateConfig(runId, out)));
  } catch (error) {
    if (isAtmorepError(error) && error.code === "usage") return { f: 0, p: 0 };
    throw error;
  }
  const numberIn = (list: unknown) => (Array.isArray(list) ? list.findIndex((entry) => entry?.[0] === name) : -1);
  const f = numberIn(values.fields);
  if (f >= 0) return { f, p: Math.max(0, numberIn(values.fields_prediction ?? values.fields)) };
  throw new AtmorepError("input", "the pre-trained run has no such field", { where: `models/id${runId}`, found: name });
}
