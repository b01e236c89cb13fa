/**
 * A network's parameters as the reference's state dict: order, the second names `encoders.F.embed.*` of `embeds.F.*`,
 * and the parts that have files of their own.
 */
import { bytesOf, type TensorSpec } from "../formats/tensors.js";
import { canonicalName, namesOf, PARTS, prefixOf } from "../model/names.js";
import type { PlainParams } from "../model/types.js";

/** Modules in the order in which the reference's constructors make them; a name not listed comes last. */
const ORDER = {
  top: Object.values(PARTS) as string[],
  encoder: ["embed", "heads", "mlps"],
  selfAttention: ["proj_out", "proj_heads", "proj_heads_other", "axial_attentions", "to_outs"],
  crossAttention: [
    "proj_heads",
    "proj_heads_o_q",
    "proj_heads_o_kv",
    "ln_q",
    "ln_k",
    "proj_out",
    "axial_attentions",
    "to_outs",
  ],
  projections: ["to_q", "to_kv"],
  values: ["weight", "bias"],
} as const;

/**
 * Names in the order of the reference's state dict, whatever their order before. Holds for dense, axial and coupled
 * networks, since it follows the modules and not a list of names.
 */
export function stateDictOrder(names: Iterable<string>): string[] {
  const all = [...names];
  // A decoder's self-attention block is made by the encoder's class: it has no ln_q, and proj_out comes first.
  const crossBlocks = new Set(all.filter((name) => name.includes(".ln_q.")).map((name) => name.split(".ln_q.")[0]));
  const keys = new Map(all.map((name) => [name, sortKey(name, crossBlocks)]));
  return all.sort((a, b) => compareKeys(keys.get(a)!, keys.get(b)!));
}

function sortKey(name: string, crossBlocks: Set<string>): number[] {
  const parts = name.split(".");
  return parts.map((part, i) => {
    if (/^\d+$/.test(part)) return Number(part);
    const order = orderAt(parts, i, crossBlocks).indexOf(part);
    return order < 0 ? Number.MAX_SAFE_INTEGER : order;
  });
}

function orderAt(parts: string[], i: number, crossBlocks: Set<string>): readonly string[] {
  if (i === 0) return ORDER.top;
  if (i === parts.length - 1) return ORDER.values;
  if (parts[i - 1] === "fn") return ORDER.projections;
  if (parts[0] === PARTS.encoder && i === 2) return ORDER.encoder;
  if (i !== 4) return [parts[i]];
  return crossBlocks.has(parts.slice(0, 4).join(".")) ? ORDER.crossAttention : ORDER.selfAttention;
}

function compareKeys(a: number[], b: number[]): number {
  for (let i = 0; i < Math.min(a.length, b.length); i++) if (a[i] !== b[i]) return a[i] - b[i];
  return a.length - b.length;
}

/** The whole state dict, in order, each second name sharing the first one's storage. */
export function stateDict(params: PlainParams): TensorSpec[] {
  return stateDictOrder([...params.keys()].flatMap(namesOf)).map((name) => {
    const original = canonicalName(name);
    const { shape, data } = params.get(original)!;
    const spec: TensorSpec = { name, dtype: "F32", shape, read: () => bytesOf(data) };
    return original === name ? spec : { ...spec, aliasOf: original };
  });
}

/** A part of the network that has a file of its own. */
export interface WeightPart {
  /** as in the file's name: `embeds_token_info`, `encoder_<field>`, `decoder_<field>`, `tail_<field>` */
  part: string;
  /** of the state dict's names; left out in the file */
  prefix: string;
}

/** The token infos of every field. */
export const INFO_PART: WeightPart = { part: PARTS.info, prefix: `${PARTS.info}.` };

/** @param index of the field; of decoder and tail its number among the predicted ones */
export const fieldPart = (part: "encoder" | "decoder" | "tail", field: string, index: number): WeightPart => ({
  part: `${part}_${field}`,
  prefix: prefixOf(part, index),
});

/** The parts of a run: `fields` and `predicted` are names in the configuration's order. */
export function weightParts(fields: readonly string[], predicted: readonly string[]): WeightPart[] {
  return [
    INFO_PART,
    ...fields.map((name, f) => fieldPart("encoder", name, f)),
    ...predicted.map((name, p) => fieldPart("decoder", name, p)),
    ...predicted.map((name, p) => fieldPart("tail", name, p)),
  ];
}

/** The tensors of one part, without the prefix. */
export function partOf(tensors: readonly TensorSpec[], { prefix }: WeightPart): TensorSpec[] {
  return tensors
    .filter(({ name }) => name.startsWith(prefix))
    .map(({ aliasOf: _alias, ...spec }) => ({ ...spec, name: spec.name.slice(prefix.length) }));
}
