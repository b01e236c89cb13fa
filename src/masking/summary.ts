/** What a masking configuration does, counted over many draws, without any data. */
import { parseFields } from "../config/fields.js";
import type { Field, RunConfig, Strategy } from "../config/types.js";
import { emptyChoice, isUnmasked } from "./choice.js";
import { getStrategy } from "./registry.js";
import { createMaskStreams } from "./streams.js";
import { neighbourhood, TWIN_KINDS, type TwinKind } from "./twins.js";
import { TOKEN_KIND } from "./types.js";

const ALTERED = TOKEN_KIND.masked | TOKEN_KIND.noised | TOKEN_KIND.coarsened;

/** One level of one field. Shares lie in [0, 1]. */
export interface LevelSummary {
  field: string;
  /** level as in the store, 0 is the surface */
  level: number;
  /** mean share of tokens the configuration asks to choose (of BERT: over its uniform share, rounded up to whole tokens) */
  asked: number;
  /** share of tokens chosen in the draws */
  realised: number;
  /** share of tokens set to 0 */
  masked: number;
  /** share of tokens noised */
  noised: number;
  /** share of tokens coarsened */
  coarsened: number;
  /** share of tokens of which the network does not see the true values (masked, noised or coarsened) */
  hidden: number;
  /**
   * Of the hidden tokens that have such a twin: the share with at least one twin that is not hidden. null if none has one.
   * `level`: same time and place, next level of the list above or below; `time`: the time token before or after;
   * `place`: the token to the North, South, West or East; `field`: another field with this level, same time and place.
   */
  visibleTwin: Record<TwinKind, number | null>;
}

export interface MaskingSummary {
  strategy: Strategy;
  draws: number;
  /** samples a draw, `batch_size` */
  batchSize: number;
  levels: LevelSummary[];
}

interface Tally {
  chosen: number;
  masked: number;
  noised: number;
  coarsened: number;
  hidden: number;
  having: Record<TwinKind, number>;
  seeing: Record<TwinKind, number>;
}

/**
 * Draws the masks of the first `draws` batches from `rng_seed` and counts what they hide.
 * Costs about a second per 10^7 tokens.
 * @throws AtmorepError `config` for a bad strategy, its settings, or no seed
 */
export function maskingSummary(config: RunConfig, draws: number): MaskingSummary {
  const fields = parseFields(config);
  const B = config.batch_size;
  const strategy = getStrategy(config.BERT_strategy);
  const streams = createMaskStreams(config, fields);
  const near = fields.map((field) => field.levels.map((_, l) => neighbourhood(fields, field, l)));
  const tallies = fields.map((field) => field.levels.map(emptyTally));
  for (let k = 0; k < draws; k++) {
    const generators = streams.of({ split: "train", epoch: 0, batch: k });
    const hidden = fields.map((field, f) =>
      field.levels.map((_, l) => {
        const choice = isUnmasked(field) ? emptyChoice(B) : strategy.choose(field, B, config, generators.choice[f][l]);
        return countKinds(tallies[f][l], choice.idx, choice.kind, B * field.N);
      }),
    );
    for (const [f, field] of fields.entries()) {
      for (let l = 0; l < field.L; l++) countTwins(tallies[f][l], near[f][l], hidden, hidden[f][l], fields, field, B);
    }
  }
  return {
    strategy: config.BERT_strategy,
    draws,
    batchSize: B,
    levels: fields.flatMap((field, f) =>
      field.levels.map((level, l) => ({
        field: field.name,
        level,
        asked: isUnmasked(field) ? 0 : strategy.askedShare(field, config),
        ...shares(tallies[f][l], draws * B * field.N),
      })),
    ),
  };
}

function emptyTally(): Tally {
  const zeros = () => Object.fromEntries(TWIN_KINDS.map((kind) => [kind, 0])) as Record<TwinKind, number>;
  return { chosen: 0, masked: 0, noised: 0, coarsened: 0, hidden: 0, having: zeros(), seeing: zeros() };
}

/** Adds a choice to the tally and gives [B*N], 1 where the true values are not seen. */
function countKinds(tally: Tally, idx: Int32Array, kind: Uint8Array, size: number): Uint8Array {
  const hidden = new Uint8Array(size);
  tally.chosen += idx.length;
  for (let m = 0; m < idx.length; m++) {
    if (kind[m] & TOKEN_KIND.masked) tally.masked++;
    if (kind[m] & TOKEN_KIND.noised) tally.noised++;
    if (kind[m] & TOKEN_KIND.coarsened) tally.coarsened++;
    if (!(kind[m] & ALTERED)) continue;
    hidden[idx[m]] = 1;
    tally.hidden++;
  }
  return hidden;
}

/** Adds, for each hidden token, whether it has twins of each kind and whether one of them is visible. */
function countTwins(
  tally: Tally,
  near: ReturnType<typeof neighbourhood>,
  hidden: Uint8Array[][],
  own: Uint8Array,
  fields: Field[],
  { N }: Field,
  B: number,
): void {
  for (let b = 0; b < B; b++) {
    for (let n = 0; n < N; n++) {
      if (!own[b * N + n]) continue;
      for (const kind of TWIN_KINDS) {
        const twins = near[kind][n];
        if (twins.length === 0) continue;
        tally.having[kind]++;
        for (const { field, level, token } of twins) {
          if (hidden[field][level][b * fields[field].N + token]) continue;
          tally.seeing[kind]++;
          break;
        }
      }
    }
  }
}

function shares(tally: Tally, total: number): Omit<LevelSummary, "field" | "level" | "asked"> {
  const visible = TWIN_KINDS.map((kind) => [
    kind,
    tally.having[kind] > 0 ? tally.seeing[kind] / tally.having[kind] : null,
  ]);
  return {
    realised: tally.chosen / total,
    masked: tally.masked / total,
    noised: tally.noised / total,
    coarsened: tally.coarsened / total,
    hidden: tally.hidden / total,
    visibleTwin: Object.fromEntries(visible) as Record<TwinKind, number | null>,
  };
}
