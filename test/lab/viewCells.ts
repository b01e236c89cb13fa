/** Cells that show every view of `atmorep/notebook` on the storm and on a short run. */

export const SETUP = [
  `import * as atmorep from "atmorep";
import * as nb from "atmorep/notebook";
const out = ".";
const resolved = atmorep.resolveConfig({ preset: "storm", seed: 1 });
const config = resolved.config;
const prepared = await atmorep.prepare(config, { split: "validate" });
const store = prepared.store;
const bert = await atmorep.prepare(atmorep.resolveConfig({ preset: "storm", seed: 1, set: { BERT_strategy: "BERT" } }).config);`,
  `const run = await nb.train(config, { out, runId: "viewrun1", maxSteps: 24, send: null });
const other = await nb.train({ ...config, losses: ["kernel_crps"] }, { out, runId: "viewrun2", maxSteps: 24, send: null });`,
  `const globe = (shift: number): nb.Grid => ({
  field: "velocity_u",
  level: 105,
  unit: "m/s",
  time: "1996-01-08T00:00",
  lats: Float64Array.from({ length: 9 }, (_, i) => 60 - 3 * i),
  lons: Float64Array.from({ length: 64 }, (_, i) => 5.625 * i),
  values: Float64Array.from({ length: 576 }, (_, i) =>
    [1, 2, 3, 5, 8, 13, 21].reduce((sum, k) => sum + (9 / k) * Math.cos((2 * Math.PI * k * (i % 64)) / 64 + shift * k + i / 64), 0)),
});
const weights = (h: number) => ({
  title: "layer 0, head " + h,
  queries: 36,
  keys: 36,
  values: Float64Array.from({ length: 1296 }, (_, i) => Math.exp(-Math.abs((i % 36) - Math.floor(i / 36)) / (h + 1)) / (2 * h + 2)),
});`,
];

export const VIEWS: Readonly<Record<string, string>> = {
  map: 'await nb.map(store, "mean_sea_level_pressure", 0, "1996-01-08")',
  "map-wind": "await nb.map(store, config.fields[0][0], config.fields[0][2][0], 3)",
  timeline: "nb.timeline(store, config)",
  batch: "await nb.batch(prepared, { sample: 0 })",
  "map-borders": "await nb.map(store, config.fields[0][0], config.fields[0][2][0], 3, { borders: true })",
  "batch-seen": 'await nb.batch(bert, { values: "seen", panels: 6 })',
  slider: "await nb.batch(prepared, { slider: true })",
  tokens: "await nb.tokens(prepared)",
  masks: 'nb.masks(prepared, { strategies: ["BERT", "forecast", "temporal_interpolation"] })',
  "mask-summary": "nb.maskSummary(bert.config, 5)",
  prediction: "await nb.prediction(run)",
  members: "await nb.members(run)",
  "spread-skill": "await nb.spreadSkill(run)",
  ranks: "await nb.ranks(run)",
  spectra:
    'nb.show(nb.views.spectraFigure([{ name: "target", grid: globe(0) }, { name: "prediction", grid: globe(0.3) }]))',
  attention: "nb.attention([0, 1, 2, 3].map(weights))",
  parameters: "await nb.parameters(run)",
  gradients:
    'nb.gradients(["encoders.0.heads.0.weight", "encoders.0.mlps.0.weight", "decoders.0.heads.0.weight", "tails.0.net.weight"].map((name, k) => [name, globe(k).values] as const))',
  training: "nb.show(run.figure)",
  losses: "await nb.losses(run)",
  watch: 'await nb.watch("viewrun1", { out, send: null })',
  "learning-rate": "nb.learningRate(config)",
  compare: "await nb.compare(run, other)",
};

export const TABLES: Readonly<Record<string, string>> = {
  config: 'nb.config(atmorep.resolveConfig({ preset: "storm", set: { dropout_rate: 0.2, losses: ["kernel_crps"] } }))',
  batch: "nb.describe(prepared)",
  scores: "nb.scores(run.finished.skill)",
  files: "await nb.files(run)",
  differences: "(await nb.compare(run, other)).differencesTable",
  metrics: "await nb.metrics(run)",
};
