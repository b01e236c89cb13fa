/**
 * Names of a network's parameters, which are the reference's state-dict names: their first parts, the blocks' names,
 * and the second name that a state dict has for an embedding.
 */

/** First part of a name, by what it belongs to, in the order of a state dict; the second part is the field's number. */
export const PARTS = {
  /** token infos of every field; the reference writes it and never reads it. No field's number follows. */
  unusedInfo: "embed_token_info",
  info: "embeds_token_info",
  embed: "embeds",
  encoder: "encoders",
  /** these two by the number among the predicted fields */
  decoder: "decoders",
  tail: "tails",
} as const;

export type Part = keyof typeof PARTS;

/** What the names of a field's part begin with, such as `encoders.0.`; `index` as in `PARTS`. */
export const prefixOf = (part: Part, index: number): string => `${PARTS[part]}.${index}.`;

export const infoName = (f: number): string => `${PARTS.info}.${f}`;
export const embedName = (f: number): string => `${PARTS.embed}.${f}`;
export const encoderHeadsName = (f: number, layer: number): string => `${PARTS.encoder}.${f}.heads.${layer}`;
export const encoderMlpName = (f: number, layer: number): string => `${PARTS.encoder}.${f}.mlps.${layer}`;
export const decoderBlockName = (p: number, index: number): string => `${PARTS.decoder}.${p}.blocks.${index}`;
export const tailName = (p: number, member: number): string => `${PARTS.tail}.${p}.tail_nets.${member}`;

/** Where a block of attention stands, from its name. */
export function placeOfBlock(block: string): { part: "encoder" | "decoder"; index: number; layer: number } {
  const [part, index, , layer] = block.split(".");
  return { part: part === PARTS.decoder ? "decoder" : "encoder", index: Number(index), layer: Number(layer) };
}

const EMBED = new RegExp(`^${PARTS.embed}\\.(\\d+)\\.(weight|bias)$`);
const ALIAS = new RegExp(`^${PARTS.encoder}\\.(\\d+)\\.embed\\.(weight|bias)$`);

/** The name under which the network knows a tensor: `encoders.F.embed.*` is `embeds.F.*`. */
export const canonicalName = (name: string): string => name.replace(ALIAS, `${PARTS.embed}.$1.$2`);

/** The second name of `embeds.F.*` in a state dict; undefined for other tensors, which have one. */
const secondName = (name: string): string | undefined =>
  EMBED.test(name) ? name.replace(EMBED, `${PARTS.encoder}.$1.embed.$2`) : undefined;

/** Every name that a state dict has for the tensor `name`. */
export function namesOf(name: string): string[] {
  const second = secondName(name);
  return second === undefined ? [name] : [name, second];
}
