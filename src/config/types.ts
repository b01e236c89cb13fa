/** Types of a run's configuration. The keys are the reference's own; `schema.ts` documents each one. */
import type { AttentionType } from "./attention.js";

export type { AttentionType };
export type Strategy = "BERT" | "forecast" | "temporal_interpolation";
export type Normalization = "global" | "local";

/** One entry of `fields` as it stands in the file (positional, as in the reference). */
export type FieldEntry = [
  name: string,
  embedding: [
    dynamic: 0 | 1,
    width: number,
    coupled: string[],
    device: number | string,
    pretrained?: [runId: string, epoch: number],
  ],
  levels: number[],
  numTokens: [nt: number, ny: number, nx: number],
  tokenSize: [tt: number, ty: number, tx: number],
  rates: [total: number, mask: number, noise: number, coarse: number],
  normalization?: Normalization,
];

/** A region of scores: a known name, or a name and a box of degrees. */
export type ScoreRegion =
  | "global"
  | "tropics"
  | "nh"
  | "sh"
  | [name: string, box: [[south: number, north: number], [west: number, east: number]]];

/** A run's complete configuration: every key of the schema is present; unknown keys of a file are kept. */
export interface RunConfig {
  file_path: string;
  fields: FieldEntry[];
  fields_prediction: [name: string, weight: number][];
  fields_targets: unknown[];
  n_size: [steps: number, degreesLat: number, degreesLon: number];
  years_train: number[];
  years_val: number[];
  dates_train: [string, string][] | null;
  dates_val: [string, string][] | null;
  month: number[] | null;
  geo_range_sampling: [[south: number, north: number], [west: number, east: number]];
  time_sampling: number;
  num_samples_per_epoch: number;
  num_samples_validate: number;
  samples_per_time: number;
  num_loader_workers: number;
  batch_size: number;
  batch_size_validation: number;
  missing_values: "error" | "skip";

  with_ddp: boolean;
  num_accs_per_task: number;
  par_rank: number;
  par_size: number;
  optimizer_zero: boolean;
  slurm_job_id?: string;

  torch_seed: number | null;
  rng_seed: number | null;

  size_token_info: number;
  size_token_info_net: number;
  with_cls: boolean;

  with_mixed_precision: boolean;
  with_layernorm: boolean;
  coupling_num_heads_per_field: number;
  dropout_rate: number;
  with_qk_lnorm: boolean;
  grad_checkpointing: boolean;

  encoder_num_layers: number;
  encoder_num_heads: number;
  encoder_num_mlp_layers: number;
  encoder_att_type: AttentionType;
  decoder_num_layers: number;
  decoder_num_heads: number;
  decoder_num_mlp_layers: number;
  decoder_self_att: boolean;
  decoder_cross_att_ratio: number;
  decoder_cross_att_rate: number;
  decoder_att_type: AttentionType;
  net_tail_num_nets: number;
  net_tail_num_layers: number;

  losses: string[];
  loss_weights: number[] | null;

  lr_start: number;
  lr_max: number;
  lr_min: number;
  weight_decay: number;
  lr_decay_rate: number;
  lr_start_epochs: number;
  num_epochs: number;
  model_log_frequency: number;
  grad_clip: number | null;
  grad_accumulation: number;
  ema_decay: number | null;
  freeze: string[];

  BERT_strategy: Strategy;
  BERT_strategy_mix: Partial<Record<Strategy, number>> | null;
  forecast_num_tokens: number;
  idx_time_mask: number[] | null;
  BERT_fields_synced: boolean;
  BERT_mr_max: number;
  token_infos_transformation: string | null;

  log_test_num_ranks: number;
  save_grads: boolean;
  profile: boolean;
  test_initial: boolean;
  attention: boolean;
  metrics: string[];
  score_regions: ScoreRegion[];

  with_wandb: boolean;
  wandb_id: string;

  [unknown: string]: unknown;
}

/** One entry of `fields`, by name. N = nt*ny*nx tokens a level, D = tt*ty*tx grid points a token. */
export interface Field {
  index: number;
  name: string;
  dynamic: boolean;
  /** embedding width d */
  width: number;
  coupled: string[];
  pretrained: { runId: string; epoch: number } | null;
  /** level 0 is the surface array */
  levels: number[];
  numTokens: [nt: number, ny: number, nx: number];
  tokenSize: [tt: number, ty: number, tx: number];
  rates: { total: number; mask: number; noise: number; coarse: number };
  normalization: Normalization;
  /** number of levels L */
  L: number;
  /** tokens a level */
  N: number;
  /** grid points a token */
  D: number;
}

export interface PredictedField {
  /** position in `fields_prediction` */
  index: number;
  field: Field;
  weight: number;
}
