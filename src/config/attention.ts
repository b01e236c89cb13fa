/**
 * The kinds of attention by name, with what checks and the reference page need of each; `model/attention/table.ts`
 * gives each its blocks. Loads no TensorFlow.js.
 */

export interface AttentionInfo {
  /** what is attended to, in words that follow "attention" */
  doc: string;
  /**
   * in the encoder the heads that look at coupled fields divide the embedding's width together with the own ones; as in
   * the reference they count even where no field is coupled
   */
  couplingHeadsCount: boolean;
  /** tokens of coupled fields pair up along each axis, so that their numbers need a whole ratio */
  pairsTokens: boolean;
}

export const ATTENTION_INFO = {
  dense: { doc: "over all tokens", couplingHeadsCount: false, pairsTokens: false },
  axial: { doc: "along one axis after another", couplingHeadsCount: true, pairsTokens: true },
  axial_parallel: { doc: "along all axes in parallel", couplingHeadsCount: true, pairsTokens: true },
} as const satisfies Record<string, AttentionInfo>;

export type AttentionType = keyof typeof ATTENTION_INFO;

export const ATTENTION_NAMES = Object.keys(ATTENTION_INFO) as AttentionType[];

/** The kinds in one sentence. */
export const ATTENTION_DOC = `Attention ${ATTENTION_NAMES.map((name) => ATTENTION_INFO[name].doc).join(", or ")}.`;

/** Number of heads that the embedding is divided by in an encoder of this kind. */
export const encoderHeads = (kind: AttentionType, own: number, coupling: number): number =>
  own + (ATTENTION_INFO[kind].couplingHeadsCount ? coupling : 0);
