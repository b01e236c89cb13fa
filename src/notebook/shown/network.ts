/** Inside a network: attention, weights, gradients. */
import type { Prepared } from "../../batches/prepare.js";
import type { Field } from "../../config/types.js";
import { AtmorepError } from "../../errors.js";
import type { AttentionMap } from "../../prediction/attentionMaps.js";
import { runFolder } from "../../runs/folder.js";
import { type RunReference, runPlace } from "../../runs/locate.js";
import type { WeightTag } from "../../runs/weightFiles.js";
import { type Shown, show } from "../figure/display.js";
import { fieldTitle } from "../figure/text.js";
import type { Figure } from "../figure/types.js";
import { batchGrids, chosenField } from "../grids.js";
import * as views from "../views/index.js";

/**
 * Attention weights, one panel a head.
 * @example attention([{ title: "layer 0, head 0", values, queries: 36, keys: 36 }]);
 */
export function attention(matrices: readonly views.AttentionMatrix[], title = "Attention weights"): Shown<Figure> {
  return show(views.attentionFigure(title, matrices));
}

/**
 * Where one token of a sample looks, on the map: the mean over the given heads, a panel a time token and level.
 * @param maps of `LoadedModel.attention`, all of one field and key field, over all tokens
 * @param choice.query `l*N + n` of the token; default the first hidden one
 * @throws AtmorepError (usage) for axial or mixed heads, or a token that is not there
 * @example await attentionPlaces(batch, maps.filter(({ block }) => block === "decoders.0.blocks.0"));
 */
export async function attentionPlaces(
  prepared: Prepared,
  maps: readonly AttentionMap[],
  choice: { sample?: number; query?: number; title?: string } = {},
): Promise<Shown<Figure>> {
  const [first] = maps;
  if (
    !first ||
    maps.some((map) => map.axis !== "all" || map.field !== first.field || map.keyField !== first.keyField)
  ) {
    throw new AtmorepError("usage", "these heads cannot be drawn on one map", {
      where: "maps",
      found: first ? [...new Set(maps.map(({ title }) => title))].slice(0, 4).join("; ") : "no head",
      expected: "heads of dense attention from one field to one field",
      fix: 'Filter them, for example by block: maps.filter(({ block }) => block === "encoders.0.heads.0").',
    });
  }
  const { sample = 0 } = choice;
  const { field: queryField } = chosenField(prepared, { field: first.field, sample });
  const { field: keyField } = chosenField(prepared, { field: first.keyField, sample });
  const query = choice.query ?? firstHidden(prepared, queryField, sample);
  if (!(Number.isInteger(query) && query >= 0 && query < first.queries)) {
    throw new AtmorepError("usage", "there is no such token", {
      where: "query",
      found: query,
      expected: `0 to ${first.queries - 1}`,
    });
  }
  const grids = await batchGrids(prepared, { field: keyField.name, sample });
  const title = choice.title ?? `Where a token of ${fieldTitle(queryField.name)} looks (mean of ${maps.length} heads)`;
  return show(views.attentionPlacesFigure({ title, keyField, queryField, query, maps, grids }));
}

/** The first hidden token of a sample, of the first level that has one; 0 if nothing is hidden. */
function firstHidden({ masked }: Prepared, { index, N }: Field, sample: number): number {
  for (const [l, level] of masked.fields[index].idx.entries()) {
    const own = level.find((i) => Math.floor(i / N) === sample);
    if (own !== undefined) return l * N + (own % N);
  }
  return 0;
}

/**
 * Distributions of a run's weights, part by part.
 * @example await parameters("ab12cd34");
 */
export async function parameters(
  run: RunReference,
  options: { out?: string; epoch?: WeightTag } = {},
): Promise<Shown<Figure>> {
  const { id, out } = runPlace(run, options.out);
  const { readWeights, weightPath } = await import("../../runs/weightFiles.js");
  const weights = await readWeights(weightPath(runFolder(out, id).modelsDir, id, options.epoch ?? "latest"));
  const groups = views.groupByPart([...weights].map(([name, { data }]) => [name, data]));
  return show(views.histogramFigure(`Weights of run ${id}`, groups, "weight"));
}

/**
 * Distributions of gradients by state-dict name, such as `trainStep` returns them.
 * @example gradients(Object.entries(byName));
 */
export function gradients(byName: Iterable<readonly [name: string, values: ArrayLike<number>]>): Shown<Figure> {
  return show(views.histogramFigure("Gradients", views.groupByPart(byName), "gradient"));
}
