/** The notebook that `atmorep notebook new` writes: a small run from configuration to scores. */

interface Cell {
  cell_type: "code" | "markdown";
  id: string;
  metadata: Record<string, never>;
  source: string;
  execution_count?: null;
  outputs?: never[];
}

const CELLS: readonly [Cell["cell_type"], string, string][] = [
  [
    "markdown",
    "title",
    "# A run of my own\n\nRun the cells from the top. Interrupting the training saves a checkpoint; its cell can be run again.",
  ],
  [
    "code",
    "import",
    'import * as atmorep from "atmorep";\nimport * as nb from "atmorep/notebook";\n\nconst { config } = atmorep.resolveConfig({ preset: "storm", seed: 1, set: { num_samples_per_epoch: 48 } });\nnb.config(config)',
  ],
  ["code", "data", 'const prepared = await atmorep.prepare(config, { split: "validate" });\nnb.describe(prepared)'],
  ["code", "masks", 'nb.masks(prepared, { strategies: ["BERT", "temporal_interpolation"] })'],
  [
    "code",
    "train",
    'const run = await nb.train(config, { out: ".", maxSteps: 20 });\nrun // nb.train(config, { continue: run.runId }) goes on',
  ],
  ["code", "scores", "nb.scores(run.finished.skill)"],
];

/** The file's text. */
export function starterNotebook(): string {
  const cells = CELLS.map(([cell_type, id, source]): Cell => {
    const common = { cell_type, id, metadata: {}, source };
    return cell_type === "code" ? { ...common, execution_count: null, outputs: [] } : common;
  });
  const kernelspec = { display_name: "TypeScript (AtmoRep)", language: "typescript", name: "atmorep" };
  const language_info = { file_extension: ".ts", mimetype: "text/typescript", name: "typescript" };
  const notebook = { cells, metadata: { kernelspec, language_info }, nbformat: 4, nbformat_minor: 5 };
  return `${JSON.stringify(notebook, null, 1)}\n`;
}
