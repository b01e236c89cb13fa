/** What each strategy hides of the run's first batch. */
import { prepare } from "../../batches/prepare.js";
import { locateConfig } from "../../config/locate.js";
import { isUrl, resolveConfig } from "../../config/resolve.js";
import type { Field, RunConfig, Strategy } from "../../config/types.js";
import { createMaskStreams, maskBatch } from "../../masking/index.js";
import { fieldTitle, levelTitle } from "../figure/text.js";
import * as views from "../views/index.js";
import { figurePart } from "./figure.js";
import { absent, aside, heading, orWhyNot } from "./html.js";

const BUILT_IN: readonly Strategy[] = ["BERT", "forecast", "temporal_interpolation"];

/** @param data false: the store is not opened; undefined: unless it lies at an address */
export async function masksPart(id: string, out: string, data: boolean | undefined): Promise<string> {
  const { config, folder } = resolveConfig({ file: locateConfig(id, out) });
  if (data === false || (data === undefined && isUrl(config.file_path))) {
    return absent("Not here: the data were not read for this page (runs report --data reads them).");
  }
  const { store, fields, cube, place, ...prepared } = await prepare(config, { folder });
  try {
    const own = prepared.config.BERT_strategy;
    const masked = (strategy: Strategy, shown: readonly Field[]) =>
      orWhyNot(async () => {
        const set: RunConfig = { ...prepared.config, BERT_strategy: strategy };
        const { fields: hidden } = maskBatch(cube, fields, set, createMaskStreams(set, fields).of(place));
        const figures = shown.map((field) => {
          // one level each: the page would be long, and the others differ by chance alone
          const first = { ...field, levels: field.levels.slice(0, 1) };
          const figure = views.masksFigure([{ title: "", field: first, masked: hidden[field.index] }]);
          const name = `${strategy.replaceAll("_", " ")}: ${fieldTitle(field.name)}, ${levelTitle(field.levels[0])}`;
          const panels = figure.panels.map((panel, t) => ({ ...panel, title: `time ${t}` }));
          return figurePart({ ...figure, title: name, panels });
        });
        return (await Promise.all(figures)).join("\n");
      });
    const others = BUILT_IN.filter((strategy) => strategy !== own);
    const parts = [
      aside("One sample of the first training batch, North at the top; the same sample under each strategy."),
      await masked(own, fields),
      heading("Other strategies, for comparison: the first field"),
    ];
    for (const strategy of others) parts.push(await masked(strategy, fields.slice(0, 1)));
    return parts.join("\n");
  } finally {
    await store.close();
  }
}
