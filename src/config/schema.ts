/**
 * Every key of a configuration: what it may be, its default, what it means.
 * The order is that in which the reference writes its file; our own keys follow.
 * Defaults are those of the reference's single-field run.
 */
import { ATTENTION_DOC } from "./attention.js";
import {
  anything,
  boolean,
  choice,
  constant,
  either,
  integer,
  type Kind,
  list,
  nameOf,
  nullable,
  place,
  real,
  sharesOf,
  text,
  tuple,
} from "./kinds.js";
import { because } from "./limits.js";
import {
  ACCELERATORS,
  ACCUMULATED,
  ATTENTION,
  BATCH,
  BATCHES,
  BOX,
  DEGREES,
  EPOCHS,
  FACTOR,
  FIELD,
  HEADS,
  LAYERS,
  LEARNING_RATE,
  MEMBERS,
  MLP_LAYERS,
  PERIODS,
  PROCESSES,
  RATE,
  SAMPLES,
  SAMPLES_PER_TIME,
  SEED,
  STEPS,
  TOKENS,
  WORKERS,
  YEAR,
} from "./pieces.js";

export type Group =
  | "data"
  | "parallel"
  | "seeds"
  | "token info"
  | "network"
  | "encoder"
  | "decoder"
  | "tail"
  | "loss"
  | "optimiser"
  | "strategy"
  | "debug"
  | "run";

/** What is known of a key; `T` is the TypeScript type of its value. */
export interface KeyEntry<G extends Group = Group, T = unknown> {
  group: G;
  kind: Kind<T>;
  default: T;
  /** one sentence, with the unit */
  doc: string;
  /** whose key it is; the reference ignores our own */
  from: "reference" | "own";
  /** left out of written files while null, because the reference asks whether the key is there */
  omitNull: boolean;
}

export interface SchemaEntry extends KeyEntry {
  key: string;
}

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

/** A default says nothing about the type: the kind alone does. */
type Entry = <G extends Group, T>(
  group: G,
  kind: Kind<T>,
  fallback: NoInfer<T>,
  doc: string,
  omitNull?: boolean,
) => KeyEntry<G, T>;

const theirs: Entry = (group, kind, fallback, doc, omitNull = false) => {
  return { group, kind, default: fallback, doc, from: "reference", omitNull };
};
const ours: Entry = (group, kind, fallback, doc, omitNull = false) => {
  return { group, kind, default: fallback, doc, from: "own", omitNull };
};

/** Every key. `RunConfig` (types.ts), checks, pages and `configs/schema.json` follow from these lines. */
export const CONFIG_KEYS = {
  with_ddp: theirs(
    "parallel",
    boolean,
    true,
    "Share the work between processes when there are several; false is refused there.",
  ),
  num_accs_per_task: theirs("parallel", integer(1, ACCELERATORS), 1, "Accelerators of a process; written by the run."),
  par_rank: theirs("parallel", integer(0, PROCESSES), 0, "Number of this process; written by the run."),
  par_size: theirs("parallel", integer(1, PROCESSES), 1, "Number of processes; written by the run."),
  slurm_job_id: theirs("parallel", nullable(text()), null, "Job number; written by the run under Slurm.", true),
  fields: theirs(
    "data",
    list(FIELD, 1, { most: 256 }),
    [["velocity_u", [1, 1024, [], 0], [96, 105, 114, 123, 137], [12, 3, 6], [3, 18, 18], [0.5, 0.9, 0.2, 0.05]]],
    "Each field: name, [dynamic 1 or 0, embedding width, coupled fields, device, (pre-trained run and epoch, -2 for its un-numbered weights)], model levels (0 is the surface array), tokens in time, latitude, longitude, grid points of a token, [rate of chosen tokens, of these the rates masked, noised, coarsened], (normalisation, global unless given).",
  ),
  fields_prediction: theirs(
    "data",
    list(tuple([place("name", text()), place("weight", real({ min: 0, limit: FACTOR }))]), 1, { most: 256 }),
    [["velocity_u", 1]],
    "Predicted fields with their weights in the loss; absent from a file: every field that is masked, with weight 1.",
  ),
  fields_targets: theirs("data", list(anything), [], "Not read, as in the reference; kept in files."),
  years_train: theirs(
    "data",
    list(integer(1, YEAR), 0, { unique: true, most: 9999 }),
    range(1979, 2020),
    "Years of training; unused with dates_train.",
  ),
  years_val: theirs(
    "data",
    list(integer(1, YEAR), 0, { unique: true, most: 9999 }),
    [2021],
    "Years of validation; unused with dates_val.",
  ),
  month: theirs(
    "data",
    nullable(list(integer(1, 12), 1, { unique: true })),
    null,
    "Months (1 to 12) that times are drawn from; null is all.",
  ),
  geo_range_sampling: theirs(
    "data",
    BOX,
    [
      [-90, 90],
      [0, 360],
    ],
    "[[south, north], [west, east]] in degrees, bounds of the window centres.",
  ),
  time_sampling: theirs(
    "data",
    integer(1, STEPS),
    1,
    "Steps of the store between two time steps of the cube; cubes across gaps in its times are not drawn.",
  ),
  torch_seed: theirs("seeds", SEED, null, "Seed of initial weights and dropout; null is drawn and written by the run."),
  batch_size_validation: theirs("data", integer(1, BATCH), 1, "Samples of a validation batch."),
  batch_size: theirs("data", integer(1, BATCH), 96, "Samples of a training batch, all at one time."),
  num_epochs: theirs("optimiser", integer(1, EPOCHS), 400, "Epochs of the run."),
  num_samples_per_epoch: theirs(
    "data",
    integer(1, SAMPLES),
    4096 * 12,
    "Most samples of a training epoch, over all processes.",
  ),
  num_samples_validate: theirs("data", integer(1, SAMPLES), 128 * 12, "Most samples of a validation."),
  num_loader_workers: theirs(
    "data",
    integer(0, WORKERS),
    8,
    "Workers that prepare batches; the numbers do not depend on it.",
  ),
  size_token_info: theirs(
    "token info",
    integer(8, 8),
    8,
    "Numbers that describe a token (year, day, hour, level, place).",
  ),
  size_token_info_net: theirs(
    "token info",
    integer(1, HEADS),
    16,
    "Channels of the embedding that carry the token info.",
  ),
  grad_checkpointing: theirs(
    "network",
    boolean,
    true,
    "Compute activations again in the backward pass to save memory.",
  ),
  with_cls: theirs("token info", constant(false), false, "Class tokens; not available."),
  with_mixed_precision: theirs("network", boolean, true, "Kept in files; float32 is used and a warning says so."),
  with_layernorm: theirs("network", boolean, true, "Layer norms in the encoder's attention and in all MLPs."),
  coupling_num_heads_per_field: theirs(
    "network",
    integer(1, HEADS),
    1,
    "Cross-attention heads for each coupled field.",
  ),
  dropout_rate: theirs("network", real({ min: 0, below: 1 }), 0.05, "Share of activations dropped in training."),
  with_qk_lnorm: theirs("network", boolean, false, "Layer norm of queries and keys in the encoder."),
  encoder_num_layers: theirs("encoder", integer(1, LAYERS), 6, "Layers of each field's encoder."),
  encoder_num_heads: theirs("encoder", integer(1, HEADS), 16, "Self-attention heads of the encoder."),
  encoder_num_mlp_layers: theirs("encoder", integer(2, MLP_LAYERS), 2, "Linear layers of an encoder MLP."),
  encoder_att_type: theirs("encoder", ATTENTION, "dense", ATTENTION_DOC),
  decoder_num_layers: theirs("decoder", integer(1, LAYERS), 6, "Layers of each predicted field's decoder."),
  decoder_num_heads: theirs("decoder", integer(1, HEADS), 16, "Heads of the decoder, cross and self together."),
  decoder_num_mlp_layers: theirs("decoder", integer(2, MLP_LAYERS), 2, "Linear layers of a decoder MLP."),
  decoder_self_att: theirs("decoder", boolean, false, "A self-attention block before each cross block."),
  decoder_cross_att_ratio: theirs("decoder", RATE, 0.5, "Share of the decoder's heads that attend to the encoder."),
  decoder_cross_att_rate: theirs(
    "decoder",
    real({ min: 0, limit: because(4096, "no encoder has that many layers") }),
    1,
    "Encoder layers that a decoder layer steps back (U-Net order).",
  ),
  decoder_att_type: theirs("decoder", ATTENTION, "dense", "The decoder's attention, as for the encoder."),
  net_tail_num_nets: theirs("tail", integer(1, MEMBERS), 16, "Ensemble members: tail networks of a predicted field."),
  net_tail_num_layers: theirs("tail", integer(0, MLP_LAYERS), 0, "Hidden layers of a tail network."),
  losses: theirs("loss", list(nameOf("losses"), 1, { unique: true }), ["mse_ensemble", "stats"], "Loss terms."),
  optimizer_zero: theirs(
    "parallel",
    boolean,
    false,
    "Share the optimiser's state between processes: each keeps its part of moments and averages, with the same numbers.",
  ),
  reduction: ours(
    "parallel",
    choice("tree", "fast"),
    "tree",
    "Order in which gradients of several batches are added up: tree, one binary tree over the batches of a step, with the same bits on any number of processes; fast, by the MPI library, with bits that depend on their number.",
  ),
  lr_start: theirs("optimiser", real({ above: 0, limit: LEARNING_RATE }), 5e-6, "Learning rate of the first epoch."),
  lr_max: theirs(
    "optimiser",
    real({ above: 0, limit: LEARNING_RATE }),
    1.5e-4,
    "Learning rate at the end of the warm-up.",
  ),
  lr_min: theirs("optimiser", real({ min: 0, limit: LEARNING_RATE }), 4e-5, "Least learning rate after the warm-up."),
  weight_decay: theirs(
    "optimiser",
    real({ min: 0, limit: because(1000, "it would push every weight past 0 in one step") }),
    0.05,
    "Decoupled weight decay of AdamW.",
  ),
  lr_decay_rate: theirs(
    "optimiser",
    real({ min: 1, limit: FACTOR }),
    1.025,
    "The learning rate is divided by this after each epoch.",
  ),
  lr_start_epochs: theirs("optimiser", integer(1, EPOCHS), 3, "Epochs of the warm-up."),
  model_log_frequency: theirs(
    "optimiser",
    integer(1, BATCHES),
    256,
    "Batches between two savings of the latest weights.",
  ),
  keep_epochs: ours(
    "optimiser",
    nullable(integer(1, EPOCHS)),
    null,
    "Numbered weights that are kept, of the latest epochs; null: of all.",
  ),
  BERT_strategy: theirs("strategy", nameOf("strategies"), "BERT", "What is hidden from the network and predicted."),
  forecast_num_tokens: theirs("strategy", integer(1, TOKENS), 2, "Tokens in time that a forecast hides."),
  BERT_fields_synced: theirs("strategy", boolean, false, "The same tokens are chosen in every field."),
  mask_streams: ours(
    "strategy",
    choice("run", "batch"),
    "run",
    "Random streams of masking: run, generators that go on from batch to batch, as older runs have them; batch, streams of each batch's own, so that any worker or process makes any batch.",
  ),
  BERT_mr_max: theirs(
    "strategy",
    real({ min: 1, whole: true, limit: because(65_536, "no token has that many points") }),
    2,
    "Largest factor of coarsening.",
  ),
  idx_time_mask: theirs(
    "strategy",
    nullable(list(integer(0, TOKENS), 1, { unique: true })),
    null,
    "Tokens in time that temporal interpolation hides, counted from 0; null is the middle one.",
    true,
  ),
  token_infos_transformation: theirs(
    "strategy",
    nullable(nameOf("transformations")),
    null,
    "A change of the years that the network is told; null is none.",
    true,
  ),
  token_infos: ours(
    "token info",
    choice("raw", "scaled"),
    "raw",
    "What the network is told of when and where a token lies: raw, year, day, hour, degrees as they are, as the reference and older runs; scaled, the same as numbers of size 1, day and hour as points of a circle.",
  ),
  log_test_num_ranks: theirs(
    "debug",
    integer(0, PROCESSES),
    0,
    "Processes that write validation results; 0 writes none.",
  ),
  save_grads: theirs("debug", boolean, false, "Write gradients and second moments."),
  profile: theirs("debug", boolean, false, "Record a few steps."),
  test_initial: theirs("debug", boolean, false, "Validate once before training."),
  attention: theirs("debug", boolean, false, "Write attention maps in validation."),
  rng_seed: theirs("seeds", SEED, null, "Seed of sampling, masks and noise; null is drawn and written by the run."),
  with_wandb: theirs(
    "run",
    boolean,
    true,
    "Writes the run for Weights & Biases too, offline, into wandb/ beside results/; wandb sync sends it. No network is used.",
  ),
  wandb_id: theirs(
    "run",
    text(/^([a-z0-9]{8})?$/, "a run id (8 of a-z, 0-9), or empty"),
    "",
    "Run id; empty is drawn by the run.",
  ),
  file_path: theirs(
    "data",
    text(),
    "",
    "The data: a Zarr store (folder, zip, http address, #GROUP within one), NetCDF or GRIB files by a pattern, or a mapping file; a relative path is taken from the configuration's folder, then from the current one.",
  ),
  n_size: theirs(
    "data",
    tuple([
      place("steps", integer(1, STEPS)),
      place("degreesLat", real({ above: 0, limit: DEGREES })),
      place("degreesLon", real({ above: 0, limit: DEGREES })),
    ]),
    [36, 0.25 * 9 * 6, 0.25 * 9 * 12],
    "The cube: time steps, degrees of latitude, degrees of longitude.",
  ),
  dates_train: ours(
    "data",
    PERIODS,
    null,
    "Periods [[start, end], ...] of training in ISO time (UTC, ends included; a bare date at the end is its last hour); the whole cube lies in them; null uses years_train.",
  ),
  dates_val: ours("data", PERIODS, null, "Periods of validation, as dates_train; null uses years_val."),
  dates_test: ours(
    "data",
    PERIODS,
    null,
    "Periods of the test, as dates_train: best is chosen on validation, final scores and verdict are told on these; null tells them on validation.",
  ),
  samples_per_time: ours(
    "data",
    integer(1, SAMPLES_PER_TIME),
    1,
    "Most samples of an epoch for each admissible time (the reference: 1).",
  ),
  statistics: ours(
    "data",
    nullable(text()),
    null,
    "A normalisation that data normalize --out wrote, in place of the source's own; null: its own, or one computed on first use from the training period. Paths as in file_path.",
    true,
  ),
  missing_values: ours(
    "data",
    choice("error", "skip"),
    "error",
    "What to do with missing values: stop, or leave them out.",
  ),
  loss_weights: ours(
    "loss",
    nullable(list(real({ min: 0, limit: FACTOR }), 1)),
    null,
    "One weight for each entry of losses; null is 1 for each.",
  ),
  grad_clip: ours(
    "optimiser",
    nullable(real({ above: 0, limit: FACTOR })),
    null,
    "Largest norm of the gradient; null does not clip.",
  ),
  grad_accumulation: ours(
    "optimiser",
    integer(1, ACCUMULATED),
    1,
    "Batches whose gradients are averaged for one step.",
  ),
  ema_decay: ours(
    "optimiser",
    nullable(real({ above: 0, below: 1 })),
    null,
    "Decay of the moving average of the weights; null keeps none.",
  ),
  freeze: ours(
    "optimiser",
    list(text(), 0, { unique: true }),
    [],
    "Patterns of parameter names that stay as they start, such as encoders.* or decoders.0.*; * stands for any characters.",
  ),
  BERT_strategy_mix: ours(
    "strategy",
    nullable(sharesOf("strategies")),
    null,
    "Shares of the strategies that training batches draw from; validation keeps BERT_strategy. null: BERT_strategy alone.",
  ),
  metrics: ours(
    "debug",
    list(nameOf("metrics"), 0, { unique: true }),
    [],
    "Registered metrics that validation logs and evaluation scores.",
  ),
  trackers: ours(
    "run",
    list(choice("tensorboard", "mlflow"), 0, { unique: true }),
    [],
    "What else is told of every step and validation: tensorboard writes tensorboard/id<ID>/ beside results/, mlflow sends to MLFLOW_TRACKING_URI.",
  ),
  score_regions: ours(
    "debug",
    list(either(choice("global", "tropics", "nh", "sh"), tuple([place("name", text()), place("box", BOX)])), 1),
    ["global", "tropics", "nh", "sh"],
    "Regions that evaluation scores: names, or [name, [[south, north], [west, east]]] in degrees.",
  ),
};

/** The keys with their entries, in the order of files. */
export const SCHEMA: readonly SchemaEntry[] = Object.entries(CONFIG_KEYS).map(([key, entry]) => ({ key, ...entry }));

const BY_KEY = new Map(SCHEMA.map((entry) => [entry.key, entry]));

/** The schema's entry of a key, or undefined for an unknown key. */
export function schemaEntry(key: string): SchemaEntry | undefined {
  return BY_KEY.get(key);
}

/** The names of the keys of some groups. */
export type KeyOf<G extends Group> = {
  [K in keyof typeof CONFIG_KEYS]: (typeof CONFIG_KEYS)[K] extends KeyEntry<G, infer _> ? K : never;
}[keyof typeof CONFIG_KEYS];

/** All keys, in the order of files. */
export const KEYS: readonly string[] = SCHEMA.map((entry) => entry.key);
