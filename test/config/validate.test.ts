import { describe, expect, it } from "vitest";
import { assertValid, FAULT_CODES, formatFault } from "../../src/config/faults.js";
import { resolveConfig } from "../../src/config/resolve.js";
import { KEYS } from "../../src/config/schema.js";
import { collectFaults, type StoreSummary, validateAgainstStore } from "../../src/config/store.js";
import type { RunConfig } from "../../src/config/types.js";
import { configWarnings, validateConfig } from "../../src/config/validate.js";
import { AtmorepError } from "../../src/errors.js";
import fc from "../support/property.js";
import { NAMES } from "./names.js";

/** Two coupled fields of two levels, as small as the golden ones. */
const BASE = {
  fields: [
    ["velocity_u", [1, 32, ["temperature"], 0], [96, 114], [4, 2, 3], [3, 3, 4], [0.5, 0.9, 0.2, 0.05]],
    ["temperature", [1, 48, [], 0], [0], [4, 2, 3], [3, 3, 4], [0.5, 0.9, 0.2, 0.05], "local"],
  ],
  fields_prediction: [
    ["velocity_u", 1],
    ["temperature", 0.5],
  ],
  n_size: [12, 30, 60],
  encoder_num_heads: 4,
  decoder_num_heads: 4,
  batch_size: 4,
  losses: ["mse_ensemble"],
  file_path: "store.zarr",
};

const build = (set: Record<string, unknown>): RunConfig => resolveConfig({ base: BASE, set }).config;
const STATIC = [BASE.fields[0].with(1, [0, 32, [], 0]), BASE.fields[1].with(5, [0, 0.9, 0.2, 0])];

/** What is set, the path that must be named, what the message must say. */
const BAD: [name: string, set: Record<string, unknown>, path: string, message: RegExp][] = [
  ["a store that is not named", { file_path: "" }, "file_path", /no store is named.*--data/],
  ["a path that is a number", { file_path: 3 }, "file_path", /not a string/],
  ["no fields", { fields: [] }, "fields", /too short/],
  ["fields as text", { fields: "velocity_u" }, "fields", /not a list/],
  ["a field with too few entries", { "fields[0]": ["velocity_u"] }, "fields[0]", /1 entries.*Give 6 to 7 entries/],
  ["a field named by a number", { "fields[0][0]": 3 }, "fields[0][0]", /name: not a string/],
  ["a field name with a slash", { "fields[0][0]": "../u" }, "fields[0][0]", /without blanks or slashes/],
  ["a field listed twice", { "fields[1][0]": "velocity_u" }, "fields[1][0]", /listed twice/],
  [
    "dynamic that is neither 1 nor 0",
    { "fields[0][1][0]": 2 },
    "fields[0][1][0]",
    /dynamic: unknown value.*0 or 1|1 or 0/,
  ],
  ["a width of half a channel", { "fields[0][1][1]": 32.5 }, "fields[0][1][1]", /width: not an integer/],
  ["a width below the token info", { "fields[0][1][1]": 16 }, "fields[0][1][1]", /no channel beside the token info/],
  [
    "an odd width",
    { "fields[0][1][1]": 33, encoder_num_heads: 3, decoder_num_heads: 3 },
    "fields[0][1][1]",
    /even width.*34/,
  ],
  [
    "heads that do not divide the width",
    { encoder_num_heads: 5 },
    "fields[0][1][1]",
    /no multiple of encoder_num_heads = 5.*Set fields\[0\]\[1\]\[1\] to 30/,
  ],
  ["decoder heads that do not divide the width", { decoder_num_heads: 7 }, "fields[1][1][1]", /decoder_num_heads = 7/],
  [
    "axial heads, the coupling head counted",
    { encoder_att_type: "axial" },
    "fields[0][1][1]",
    /coupling_num_heads_per_field \(axial\) = 5/,
  ],
  [
    "axial attention between 4 and 3 time tokens",
    { encoder_att_type: "axial", encoder_num_heads: 3, "fields[1][3][0]": 3, "fields[1][4][0]": 4 },
    "fields[0][1][2][0]",
    /cannot match 4 with 3 tokens along time/,
  ],
  [
    "an unknown coupled field",
    { "fields[0][1][2]": ["temperatur"] },
    "fields[0][1][2][0]",
    /coupled field.*Did you mean "temperature"/,
  ],
  ["a field coupled to itself", { "fields[0][1][2]": ["velocity_u"] }, "fields[0][1][2][0]", /coupled to itself/],
  [
    "a pre-trained run that is no id",
    { "fields[0][1]": [1, 32, [], 0, ["x", -2]] },
    "fields[0][1][4][0]",
    /runId: malformed/,
  ],
  [
    "a pre-trained epoch of -3",
    { "fields[0][1]": [1, 32, [], 0, ["abcd1234", -3]] },
    "fields[0][1][4][1]",
    /epoch: number out of range/,
  ],
  ["no levels", { "fields[0][2]": [] }, "fields[0][2]", /levels: the list is too short/],
  ["levels as text", { "fields[0][2]": ["ml96"] }, "fields[0][2][0]", /levels: not an integer; found "ml96"/],
  ["a level listed twice", { "fields[0][2]": [96, 96] }, "fields[0][2][1]", /listed twice/],
  ["the surface beside levels", { "fields[0][2]": [0, 96] }, "fields[0][2]", /level 0/],
  ["no tokens in time", { "fields[0][3][0]": 0 }, "fields[0][3][0]", /nt: number out of range/],
  ["a token size of zero", { "fields[0][4][2]": 0 }, "fields[0][4][2]", /tx: number out of range/],
  ["two token sizes", { "fields[0][4]": [3, 3] }, "fields[0][4]", /tokenSize: 2 entries/],
  [
    "tokens that do not fill the cube in time",
    { "fields[0][3][0]": 3 },
    "fields[0][3][0]",
    /9 steps.*n_size\[0\] = 12.*to 4/,
  ],
  ["tokens that no count fits in time", { "fields[0][4][0]": 5 }, "fields[0][3][0]", /20 steps.*Set n_size\[0\] to 20/],
  ["fields of other windows", { "fields[1][3][2]": 4 }, "fields[1][3][2]", /16 grid columns, those of velocity_u 12/],
  ["a rate above 1", { "fields[0][5][0]": 1.5 }, "fields[0][5][0]", /total: number out of range/],
  ["a negative rate", { "fields[0][5][2]": -0.1 }, "fields[0][5][2]", /noise: number out of range/],
  ["an unknown normalisation", { "fields[1][6]": "locl" }, "fields[1][6]", /Did you mean "local"/],
  [
    "a predicted field that does not exist",
    { "fields_prediction[0][0]": "velocity" },
    "fields_prediction[0][0]",
    /Did you mean "velocity_u"/,
  ],
  [
    "a field predicted twice",
    { "fields_prediction[1][0]": "velocity_u" },
    "fields_prediction[1][0]",
    /predicted twice/,
  ],
  ["nothing predicted", { fields_prediction: [] }, "fields_prediction", /too short/],
  ["weights of zero only", { fields_prediction: [["velocity_u", 0]] }, "fields_prediction", /every weight is 0/],
  ["a negative weight", { "fields_prediction[0][1]": -1 }, "fields_prediction[0][1]", /weight: number out of range/],
  ["static and unmasked fields only", { fields: STATIC }, "fields_prediction", /nothing to predict/],
  ["a cube without time", { "n_size[0]": 0 }, "n_size[0]", /steps: number out of range/],
  ["a window of no degrees", { "n_size[1]": 0 }, "n_size[1]", /above 0/],
  ["a window of NaN degrees", { "n_size[2]": Number.NaN }, "n_size[2]", /not a finite number/],
  ["years as text", { years_train: "2021" }, "years_train", /not a list/],
  ["no years and no dates", { years_val: [] }, "years_val", /no years, and no dates/],
  ["month 13", { month: [13] }, "month[0]", /from 1 to 12/],
  ["no months", { month: [] }, "month", /too short/],
  [
    "south above north",
    { "geo_range_sampling[0]": [60, 20] },
    "geo_range_sampling[0]",
    /north of the northern.*Write \[20, 60\]/,
  ],
  ["west beyond east", { "geo_range_sampling[1]": [350, 10] }, "geo_range_sampling[1]", /Write \[-10, 10\]/],
  ["more than the globe", { "geo_range_sampling[1]": [-10, 360] }, "geo_range_sampling[1]", /wider than the globe/],
  ["a latitude of 91", { "geo_range_sampling[0][1]": 91 }, "geo_range_sampling[0][1]", /from -90 to 90/],
  ["a time sampling of 0", { time_sampling: 0 }, "time_sampling", /at least 1/],
  [
    "a date that is none",
    { dates_train: [["1996-02-30", "1996-03-01"]], dates_val: [["1997-01-01", "1997-01-02"]] },
    "dates_train[0][0]",
    /not a time; found "1996-02-30"/,
  ],
  [
    "a period backwards",
    { dates_train: [["1996-03-02", "1996-03-01"]], dates_val: [["1997-01-01", "1997-01-02"]] },
    "dates_train[0]",
    /ends before it starts/,
  ],
  [
    "overlapping dates",
    { dates_train: [["1996-01-01", "1996-02-01"]], dates_val: [["1996-02-01", "1996-03-01"]] },
    "dates_val[0]",
    /overlaps training \(dates_train\[0\]\)/,
  ],
  [
    "a test within training",
    { dates_train: [["1996-01-01", "1996-02-01"]], dates_test: [["1996-02-01", "1996-03-01"]] },
    "dates_test[0]",
    /the test overlaps training \(dates_train\[0\]\)/,
  ],
  [
    "dates that overlap years",
    { dates_train: [["2021-06-01", "2021-06-30"]], years_val: [2021] },
    "years_val[0]",
    /overlaps training/,
  ],
  ["a period of three times", { dates_val: [["1996-01-01", "1996-01-02", "1996-01-03"]] }, "dates_val[0]", /3 entries/],
  ["an empty list of dates", { dates_train: [] }, "dates_train", /too short/],
  ["a batch of nothing", { batch_size: 0 }, "batch_size", /at least 1/],
  ["a batch larger than the epoch", { num_samples_per_epoch: 3 }, "batch_size", /larger than the epoch/],
  [
    "a validation batch larger than the validation",
    { num_samples_validate: 1, batch_size_validation: 2 },
    "batch_size_validation",
    /num_samples_validate = 1/,
  ],
  ["an unknown way with missing values", { missing_values: "ignore" }, "missing_values", /"error" or "skip"/],
  ["token info of other size", { size_token_info: 6 }, "size_token_info", /equal to 8/],
  ["class tokens", { with_cls: true }, "with_cls", /not available/],
  ["dropout of everything", { dropout_rate: 1 }, "dropout_rate", /below 1/],
  ["a switch as a number", { with_layernorm: 1 }, "with_layernorm", /not a truth value/],
  ["a switch as text", { with_qk_lnorm: "True" }, "with_qk_lnorm", /not a truth value; found "True"/],
  ["an unknown attention", { encoder_att_type: "axiall" }, "encoder_att_type", /Did you mean "axial"/],
  ["no layers", { decoder_num_layers: 0 }, "decoder_num_layers", /at least 1/],
  ["an MLP of one layer", { encoder_num_mlp_layers: 1 }, "encoder_num_mlp_layers", /at least 2/],
  ["a U-Net step beyond the encoder", { decoder_cross_att_rate: 2 }, "decoder_cross_att_rate", /encoder layer -5/],
  ["a ratio above 1", { decoder_cross_att_ratio: 1.1 }, "decoder_cross_att_ratio", /from 0 to 1/],
  ["no tails", { net_tail_num_nets: 0 }, "net_tail_num_nets", /at least 1/],
  ["an unknown loss", { losses: ["mse_ensembel"] }, "losses[0]", /Did you mean "mse_ensemble"/],
  ["a loss listed twice", { losses: ["mse", "mse"] }, "losses[1]", /listed twice/],
  ["losses the shell has unquoted", { losses: "[mse" }, "losses", /Quote it for the shell: --set 'losses=/],
  ["a name of an object's own machinery as a loss", { losses: ["constructor"] }, "losses[0]", /the name of a loss/],
  [
    "stats of one member",
    { losses: ["stats"], net_tail_num_nets: 1 },
    "losses[0]",
    /stats needs the spread.*at least 2/,
  ],
  [
    "stats_area of one member",
    { losses: ["mse", "stats_area"], net_tail_num_nets: 1 },
    "losses[1]",
    /needs the spread/,
  ],
  ["crps of one member", { losses: ["crps"], net_tail_num_nets: 1 }, "losses[0]", /needs the spread/],
  ["too few loss weights", { losses: ["mse", "crps"], loss_weights: [1] }, "loss_weights", /1 weights for 2 losses/],
  ["loss weights of zero only", { loss_weights: [0] }, "loss_weights", /every weight is 0/],
  ["a learning rate of zero", { lr_start: 0 }, "lr_start", /above 0/],
  ["a negative weight decay", { weight_decay: -0.1 }, "weight_decay", /at least 0/],
  ["a decay that raises the rate", { lr_decay_rate: 0.9 }, "lr_decay_rate", /at least 1/],
  ["no warm-up epochs", { lr_start_epochs: 0 }, "lr_start_epochs", /at least 1/],
  ["a clip of zero", { grad_clip: 0 }, "grad_clip", /above 0/],
  ["an average that never moves", { ema_decay: 1 }, "ema_decay", /below 1/],
  ["an accumulation of none", { grad_accumulation: 0 }, "grad_accumulation", /at least 1/],
  ["an unknown strategy", { BERT_strategy: "bert" }, "BERT_strategy", /Did you mean "BERT"/],
  [
    "a forecast of everything",
    { BERT_strategy: "forecast", forecast_num_tokens: 4 },
    "forecast_num_tokens",
    /hides all 4 time tokens of velocity_u.*below 4/,
  ],
  [
    "a time token that is not there",
    { BERT_strategy: "temporal_interpolation", idx_time_mask: [1, 4] },
    "idx_time_mask[1]",
    /no such time token.*0 to 3/,
  ],
  [
    "an interpolation of everything",
    { BERT_strategy: "temporal_interpolation", idx_time_mask: [0, 1, 2, 3] },
    "idx_time_mask",
    /hides all 4/,
  ],
  [
    "an interpolation of one time token",
    { BERT_strategy: "temporal_interpolation", n_size: [3, 30, 60], "fields[0][3][0]": 1, "fields[1][3][0]": 1 },
    "fields[0][3][0]",
    /more tokens in time/,
  ],
  ["a coarsening that refines", { BERT_mr_max: 0.5 }, "BERT_mr_max", /at least 1/],
  [
    "an unknown transformation",
    { token_infos_transformation: "year" },
    "token_infos_transformation",
    /not the name of a token info transformation/,
  ],
  ["a negative seed", { rng_seed: -1 }, "rng_seed", /at least 0/],
  ["a seed beyond 2^53", { rng_seed: 2 ** 60 }, "rng_seed", /Stay below 2\^53/],
  [
    "more memory than there is",
    { encoder_num_layers: 4096, encoder_num_mlp_layers: 64, "fields[0][1][1]": 16_384, "fields[1][1][1]": 16_384 },
    "encoder_num_layers",
    /need at least|would have/,
  ],
  [
    "many faults of one list",
    { years_train: Array.from({ length: 30 }, (_, i) => -i) },
    "years_train",
    /more faults like these/,
  ],
  ["a malformed run id", { wandb_id: "ABC" }, "wandb_id", /malformed/],
  ["a rank beyond the number of processes", { par_rank: 2, par_size: 2 }, "par_rank", /0 to 1/],
];

describe("validateConfig", () => {
  it("finds nothing wrong with the base of these tests", () => {
    expect(validateConfig(build({}), NAMES)).toEqual([]);
  });

  it("has distinct cases", () => {
    expect(BAD.length).toBeGreaterThanOrEqual(45);
    expect(new Set(BAD.map(([, set]) => JSON.stringify(set))).size).toBe(BAD.length);
  });

  it.each(BAD)("refuses %s", (_, set, path, message) => {
    const faults = validateConfig(build(set), NAMES);
    const fault = faults.find((candidate) => candidate.path === path);
    expect(fault, JSON.stringify(faults)).toBeDefined();
    expect(formatFault(fault!)).toMatch(message);
    expect(fault!.expected).not.toBe("");
    expect(fault!.fix).not.toBe("");
    expect(() => assertValid(faults)).toThrow(AtmorepError);
  });

  it("has a case for every code that needs no store", () => {
    const ofStores = ["not-in-store", "window-off-grid", "window-exceeds-store", "nothing-to-draw", "store-unfit"];
    const told = BAD.flatMap(([, set]) => validateConfig(build(set), NAMES).map(({ code }) => code));
    expect([...new Set(told), ...ofStores].sort()).toEqual(Object.keys(FAULT_CODES).sort());
  });

  it("tells all faults at once", () => {
    const faults = validateConfig(build({ batch_size: 0, losses: ["x"], "fields[0][5][0]": 2, month: "May" }), NAMES);
    expect(faults.map(({ path }) => path).sort()).toEqual(["batch_size", "fields[0][5][0]", "losses[0]", "month"]);
    expect(() => assertValid(faults)).toThrow(/4 faults in the configuration\n {2}fields\[0\]\[5\]\[0\]: /);
  });

  it("exits 2 for one fault, with its parts", () => {
    try {
      assertValid(validateConfig(build({ dropout_rate: 1 }), NAMES));
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({ code: "config", exitCode: 2, details: { where: "dropout_rate", found: 1 } });
    }
  });

  it("never throws, whatever a key holds", () => {
    const anything = fc.oneof(fc.jsonValue({ maxDepth: 3 }), fc.double(), fc.constant(undefined));
    fc.assert(
      fc.property(fc.constantFrom(...KEYS), anything, (key, value) => {
        for (const fault of validateConfig({ ...build({}), [key]: value }, NAMES)) {
          expect(formatFault(fault).length).toBeGreaterThan(20);
        }
      }),
      { numRuns: 300 },
    );
  });

  it("only warns of what is odd", () => {
    const config = build({ lr_min: 0.1, years_train: [2021], years_val: [2021], "fields[1][1][0]": 0 });
    expect(validateConfig(config, NAMES)).toEqual([]);
    const warnings = configWarnings(config).join("\n");
    expect(warnings).toContain("temperature is predicted but never hidden");
    expect(warnings).toContain("lr_min is above lr_max");
    expect(warnings).toContain("share 2021");
  });
});

const STORE: StoreSummary = {
  fields: ["velocity_u"],
  fieldsSfc: ["temperature"],
  levels: [96, 114],
  res: [5, 5],
  numTimes: 352,
  numLats: 37,
  numLons: 72,
  arrays: { global_norm: {}, global_norm_sfc: {}, norm: {}, norm_sfc: {} },
};
const COUNTS = { trainTimes: 100, valTimes: 10, places: 50 };

describe("validateAgainstStore", () => {
  it("accepts what fits", () => {
    expect(validateAgainstStore(build({}), STORE, COUNTS)).toEqual([]);
  });

  it.each<[string, Record<string, unknown>, Partial<StoreSummary>, Partial<typeof COUNTS>, string, RegExp]>([
    ["a field it lacks", {}, { fields: ["velocity_v"] }, {}, "fields[0][0]", /Did you mean velocity_v/],
    ["a surface field asked for on levels", { "fields[1][2]": [96] }, {}, {}, "fields[1][0]", /its levels are \[0\]/],
    ["an upper-air field asked for at the surface", { "fields[0][2]": [0] }, {}, {}, "fields[0][0]", /model levels/],
    ["no surface field at all", {}, { fieldsSfc: [] }, {}, "fields[1][0]", /a store that has any/],
    ["a level it lacks", { "fields[0][2]": [96, 105] }, {}, {}, "fields[0][2][1]", /found 105.*96, 114/],
    [
      "tokens of another resolution",
      {},
      { res: [2.5, 5] },
      {},
      "n_size[1]",
      /make 15 degrees of latitude.*Set n_size\[1\] to 15/,
    ],
    ["a window that is too wide", {}, { numLons: 11 }, {}, "n_size[2]", /12 points.*at most 11/],
    ["a cube that is too long", { time_sampling: 30 }, {}, {}, "n_size[0]", /at most 352 time steps/],
    [
      "no local normalisation",
      {},
      { arrays: { ...STORE.arrays!, norm_sfc: null } },
      {},
      "fields[1][6]",
      /normalize STORE/,
    ],
    [
      "no global normalisation",
      {},
      { arrays: { ...STORE.arrays!, global_norm: null } },
      {},
      "fields[0]",
      /normalize STORE/,
    ],
    ["no training time", {}, {}, { trainTimes: 0 }, "years_train", /no whole cube/],
    [
      "no validation time of the dates",
      { dates_val: [["2022-01-01", "2022-01-02"]] },
      {},
      { valTimes: 0 },
      "dates_val",
      /no whole cube/,
    ],
    ["no place", {}, {}, { places: 0 }, "geo_range_sampling", /Widen it/],
    ["an epoch without a batch", {}, {}, { trainTimes: 3 }, "batch_size", /an epoch has 3 samples.*Lower batch_size/],
  ])("refuses %s", (_, set, store, counts, path, message) => {
    const faults = validateAgainstStore(build(set), { ...STORE, ...store }, { ...COUNTS, ...counts });
    expect(faults.map((fault) => fault.path)).toEqual([path]);
    expect(formatFault(faults[0])).toMatch(message);
  });

  it("turns what checks throw into faults", () => {
    const thrown = new AtmorepError("config", "no time", { where: "years_train", found: [1], expected: "2", fix: "3" });
    const fail = () => {
      throw thrown;
    };
    expect(collectFaults([fail, () => 1])).toEqual([
      { code: "store-unfit", path: "years_train", what: "no time", found: [1], expected: "2", fix: "3" },
    ]);
    expect(() =>
      collectFaults([
        () => {
          throw new RangeError("a fault of the program");
        },
      ]),
    ).toThrow(RangeError);
  });
});
