/**
 * Every key of a configuration: what it may be, its default, what it means.
 * The order is that in which the reference writes its file; our own keys follow.
 * Defaults are those of the reference's single-field run.
 */
import {
  anything,
  boolean,
  choice,
  either,
  integer,
  type Kind,
  list,
  nameOf,
  nullable,
  real,
  sharesOf,
  text,
  tuple,
} from "./kinds.js";

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

export interface SchemaEntry {
  key: string;
  group: Group;
  kind: Kind;
  default: unknown;
  /** one sentence, with the unit */
  doc: string;
  /** whose key it is; the reference ignores our own */
  from: "reference" | "own";
  /** left out of written files while null, because the reference asks whether the key is there */
  omitNull: boolean;
}

export const RUN_ID = /^[a-z0-9]{8}$/;
const SEED = nullable(integer(0));
const ATTENTION = choice("dense", "axial", "axial_parallel");
const NOT_AVAILABLE: Kind = { kind: "constant", value: false };
const PERIODS = nullable(list(tuple({ start: text(), end: text() }), 1));
const BOX = tuple({
  latitudes: tuple({ south: real({ min: -90, max: 90 }), north: real({ min: -90, max: 90 }) }),
  longitudes: tuple({ west: real({ min: -360, max: 720 }), east: real({ min: -360, max: 720 }) }),
});
const RATE = real({ min: 0, max: 1 });
const FIELD = tuple(
  {
    name: text(/^[^/\\\s]+$/, "a name without blanks or slashes"),
    embedding: tuple(
      {
        dynamic: choice(0, 1),
        width: integer(1),
        coupled: list(text(), 0, true),
        device: either(integer(), text()),
        pretrained: tuple({ runId: text(RUN_ID, "a run id (8 of a-z, 0-9)"), epoch: integer(-2) }),
      },
      1,
    ),
    levels: list(integer(0), 1, true),
    numTokens: tuple({ nt: integer(1), ny: integer(1), nx: integer(1) }),
    tokenSize: tuple({ tt: integer(1), ty: integer(1), tx: integer(1) }),
    rates: tuple({ total: RATE, mask: RATE, noise: RATE, coarse: RATE }),
    normalization: choice("global", "local"),
  },
  1,
);
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);

const theirs = (key: string, group: Group, kind: Kind, fallback: unknown, doc: string, omitNull = false) =>
  ({ key, group, kind, default: fallback, doc, from: "reference", omitNull }) satisfies SchemaEntry;
const ours = (key: string, group: Group, kind: Kind, fallback: unknown, doc: string) =>
  ({ key, group, kind, default: fallback, doc, from: "own", omitNull: false }) satisfies SchemaEntry;

export const SCHEMA: readonly SchemaEntry[] = [
  theirs("with_ddp", "parallel", boolean, true, "Share the work between processes when there are several."),
  theirs("num_accs_per_task", "parallel", integer(1), 1, "Accelerators of a process; written by the run."),
  theirs("par_rank", "parallel", integer(0), 0, "Number of this process; written by the run."),
  theirs("par_size", "parallel", integer(1), 1, "Number of processes; written by the run."),
  theirs("slurm_job_id", "parallel", nullable(text()), null, "Job number; written by the run under Slurm.", true),
  theirs(
    "fields",
    "data",
    list(FIELD, 1),
    [["velocity_u", [1, 1024, [], 0], [96, 105, 114, 123, 137], [12, 3, 6], [3, 18, 18], [0.5, 0.9, 0.2, 0.05]]],
    "Each field: name, [dynamic 1 or 0, embedding width, coupled fields, device, (pre-trained run and epoch, -2 for its un-numbered weights)], model levels (0 is the surface array), tokens in time, latitude, longitude, grid points of a token, [rate of chosen tokens, of these the rates masked, noised, coarsened], (normalisation, global unless given).",
  ),
  theirs(
    "fields_prediction",
    "data",
    list(tuple({ name: text(), weight: real({ min: 0 }) }), 1),
    [["velocity_u", 1]],
    "Predicted fields with their weights in the loss; absent from a file: every field that is masked, with weight 1.",
  ),
  theirs("fields_targets", "data", list(anything), [], "Not read, as in the reference; kept in files."),
  theirs(
    "years_train",
    "data",
    list(integer(1), 0, true),
    range(1979, 2020),
    "Years of training; unused with dates_train.",
  ),
  theirs("years_val", "data", list(integer(1), 0, true), [2021], "Years of validation; unused with dates_val."),
  theirs(
    "month",
    "data",
    nullable(list(integer(1, 12), 1, true)),
    null,
    "Months (1 to 12) that times are drawn from; null is all.",
  ),
  theirs(
    "geo_range_sampling",
    "data",
    BOX,
    [
      [-90, 90],
      [0, 360],
    ],
    "[[south, north], [west, east]] in degrees, bounds of the window centres.",
  ),
  theirs("time_sampling", "data", integer(1), 1, "Steps of the store between two time steps of the cube."),
  theirs(
    "torch_seed",
    "seeds",
    SEED,
    null,
    "Seed of initial weights and dropout; null is drawn and written by the run.",
  ),
  theirs("batch_size_validation", "data", integer(1), 1, "Samples of a validation batch."),
  theirs("batch_size", "data", integer(1), 96, "Samples of a training batch, all at one time."),
  theirs("num_epochs", "optimiser", integer(1), 400, "Epochs of the run."),
  theirs(
    "num_samples_per_epoch",
    "data",
    integer(1),
    4096 * 12,
    "Most samples of a training epoch, over all processes.",
  ),
  theirs("num_samples_validate", "data", integer(1), 128 * 12, "Most samples of a validation."),
  theirs("num_loader_workers", "data", integer(0), 8, "Workers that prepare batches; the numbers do not depend on it."),
  theirs(
    "size_token_info",
    "token info",
    integer(8, 8),
    8,
    "Numbers that describe a token (year, day, hour, level, place).",
  ),
  theirs("size_token_info_net", "token info", integer(1), 16, "Channels of the embedding that carry the token info."),
  theirs(
    "grad_checkpointing",
    "network",
    boolean,
    true,
    "Compute activations again in the backward pass to save memory.",
  ),
  theirs("with_cls", "token info", NOT_AVAILABLE, false, "Class tokens; not available."),
  theirs("with_mixed_precision", "network", boolean, true, "Kept in files; float32 is used and a warning says so."),
  theirs("with_layernorm", "network", boolean, true, "Layer norms in the encoder's attention and in all MLPs."),
  theirs("coupling_num_heads_per_field", "network", integer(1), 1, "Cross-attention heads for each coupled field."),
  theirs("dropout_rate", "network", real({ min: 0, below: 1 }), 0.05, "Share of activations dropped in training."),
  theirs("with_qk_lnorm", "network", boolean, false, "Layer norm of queries and keys in the encoder."),
  theirs("encoder_num_layers", "encoder", integer(1), 6, "Layers of each field's encoder."),
  theirs("encoder_num_heads", "encoder", integer(1), 16, "Self-attention heads of the encoder."),
  theirs("encoder_num_mlp_layers", "encoder", integer(2), 2, "Linear layers of an encoder MLP."),
  theirs(
    "encoder_att_type",
    "encoder",
    ATTENTION,
    "dense",
    "Attention over all tokens, or along one axis after another, or along all axes in parallel.",
  ),
  theirs("decoder_num_layers", "decoder", integer(1), 6, "Layers of each predicted field's decoder."),
  theirs("decoder_num_heads", "decoder", integer(1), 16, "Heads of the decoder, cross and self together."),
  theirs("decoder_num_mlp_layers", "decoder", integer(2), 2, "Linear layers of a decoder MLP."),
  theirs("decoder_self_att", "decoder", boolean, false, "A self-attention block before each cross block."),
  theirs("decoder_cross_att_ratio", "decoder", RATE, 0.5, "Share of the decoder's heads that attend to the encoder."),
  theirs(
    "decoder_cross_att_rate",
    "decoder",
    real({ min: 0 }),
    1,
    "Encoder layers that a decoder layer steps back (U-Net order).",
  ),
  theirs("decoder_att_type", "decoder", ATTENTION, "dense", "The decoder's attention, as for the encoder."),
  theirs("net_tail_num_nets", "tail", integer(1), 16, "Ensemble members: tail networks of a predicted field."),
  theirs("net_tail_num_layers", "tail", integer(0), 0, "Hidden layers of a tail network."),
  theirs("losses", "loss", list(nameOf("losses"), 1, true), ["mse_ensemble", "stats"], "Loss terms."),
  theirs("optimizer_zero", "parallel", boolean, false, "Share the optimiser's state between processes."),
  theirs("lr_start", "optimiser", real({ above: 0 }), 5e-6, "Learning rate of the first epoch."),
  theirs("lr_max", "optimiser", real({ above: 0 }), 1.5e-4, "Learning rate at the end of the warm-up."),
  theirs("lr_min", "optimiser", real({ min: 0 }), 4e-5, "Least learning rate after the warm-up."),
  theirs("weight_decay", "optimiser", real({ min: 0 }), 0.05, "Decoupled weight decay of AdamW."),
  theirs(
    "lr_decay_rate",
    "optimiser",
    real({ min: 1 }),
    1.025,
    "The learning rate is divided by this after each epoch.",
  ),
  theirs("lr_start_epochs", "optimiser", integer(1), 3, "Epochs of the warm-up."),
  theirs("model_log_frequency", "optimiser", integer(1), 256, "Batches between two savings of the latest weights."),
  theirs("BERT_strategy", "strategy", nameOf("strategies"), "BERT", "What is hidden from the network and predicted."),
  theirs("forecast_num_tokens", "strategy", integer(1), 2, "Tokens in time that a forecast hides."),
  theirs("BERT_fields_synced", "strategy", boolean, false, "The same tokens are chosen in every field."),
  theirs("BERT_mr_max", "strategy", real({ min: 1, whole: true }), 2, "Largest factor of coarsening."),
  theirs(
    "idx_time_mask",
    "strategy",
    nullable(list(integer(0), 1, true)),
    null,
    "Tokens in time that temporal interpolation hides, counted from 0; null is the middle one.",
    true,
  ),
  theirs(
    "token_infos_transformation",
    "strategy",
    nullable(nameOf("transformations")),
    null,
    "A change of the years that the network is told; null is none.",
    true,
  ),
  theirs("log_test_num_ranks", "debug", integer(0), 0, "Processes that write validation results; 0 writes none."),
  theirs("save_grads", "debug", boolean, false, "Write gradients and second moments."),
  theirs("profile", "debug", boolean, false, "Record a few steps."),
  theirs("test_initial", "debug", boolean, false, "Validate once before training."),
  theirs("attention", "debug", boolean, false, "Write attention maps in validation."),
  theirs("rng_seed", "seeds", SEED, null, "Seed of sampling, masks and noise; null is drawn and written by the run."),
  theirs("with_wandb", "run", boolean, true, "Kept in files; no remote logger is used."),
  theirs(
    "wandb_id",
    "run",
    text(/^([a-z0-9]{8})?$/, "a run id (8 of a-z, 0-9), or empty"),
    "",
    "Run id; empty is drawn by the run.",
  ),
  theirs(
    "file_path",
    "data",
    text(),
    "",
    "The Zarr store: a folder, a zip or an http address; a relative path is taken from the configuration's folder, then from the current one.",
  ),
  theirs(
    "n_size",
    "data",
    tuple({ steps: integer(1), degreesLat: real({ above: 0 }), degreesLon: real({ above: 0 }) }),
    [36, 0.25 * 9 * 6, 0.25 * 9 * 12],
    "The cube: time steps, degrees of latitude, degrees of longitude.",
  ),
  ours(
    "dates_train",
    "data",
    PERIODS,
    null,
    "Periods [[start, end], ...] of training in ISO time (UTC, ends included; a bare date at the end is its last hour); the whole cube lies in them; null uses years_train.",
  ),
  ours("dates_val", "data", PERIODS, null, "Periods of validation, as dates_train; null uses years_val."),
  ours(
    "samples_per_time",
    "data",
    integer(1),
    1,
    "Most samples of an epoch for each admissible time (the reference: 1).",
  ),
  ours(
    "missing_values",
    "data",
    choice("error", "skip"),
    "error",
    "What to do with missing values: stop, or leave them out.",
  ),
  ours(
    "loss_weights",
    "loss",
    nullable(list(real({ min: 0 }), 1)),
    null,
    "One weight for each entry of losses; null is 1 for each.",
  ),
  ours(
    "grad_clip",
    "optimiser",
    nullable(real({ above: 0 })),
    null,
    "Largest norm of the gradient; null does not clip.",
  ),
  ours("grad_accumulation", "optimiser", integer(1), 1, "Batches whose gradients are averaged for one step."),
  ours(
    "ema_decay",
    "optimiser",
    nullable(real({ above: 0, below: 1 })),
    null,
    "Decay of the moving average of the weights; null keeps none.",
  ),
  ours(
    "freeze",
    "optimiser",
    list(text(), 0, true),
    [],
    "Patterns of parameter names that stay as they start, such as encoders.* or decoders.0.*; * stands for any characters.",
  ),
  ours(
    "BERT_strategy_mix",
    "strategy",
    nullable(sharesOf("strategies")),
    null,
    "Shares of the strategies that training batches draw from; validation keeps BERT_strategy. null: BERT_strategy alone.",
  ),
  ours(
    "metrics",
    "debug",
    list(nameOf("metrics"), 0, true),
    [],
    "Registered metrics that validation logs and evaluation scores.",
  ),
  ours(
    "score_regions",
    "debug",
    list(either(choice("global", "tropics", "nh", "sh"), tuple({ name: text(), box: BOX })), 1),
    ["global", "tropics", "nh", "sh"],
    "Regions that evaluation scores: names, or [name, [[south, north], [west, east]]] in degrees.",
  ),
];

const BY_KEY = new Map(SCHEMA.map((entry) => [entry.key, entry]));

/** The schema's entry of a key, or undefined for an unknown key. */
export function schemaEntry(key: string): SchemaEntry | undefined {
  return BY_KEY.get(key);
}

/** All keys, in the order of files. */
export const KEYS: readonly string[] = SCHEMA.map((entry) => entry.key);
