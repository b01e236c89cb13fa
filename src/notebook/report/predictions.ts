/** What the result stores of a run or an evaluation hold, drawn: samples on the map, ranks, spread against error. */
import { fieldTitle } from "../figure/text.js";
import { readHidden, readPrediction } from "../runs/predictions.js";
import * as views from "../views/index.js";
import { figurePart } from "./figure.js";
import { absent, aside, heading, orWhyNot } from "./html.js";

interface Stored {
  id: string;
  out: string;
  fields: readonly string[];
  /** numbers of samples */
  samples: readonly number[];
}

/** Target, prediction, error and spread of each field and sample. */
export async function samplesPart({ id, out, fields, samples }: Stored): Promise<string> {
  const parts: string[] = [];
  for (const sample of samples) {
    if (samples.length > 1) parts.push(heading(`Sample ${sample}`));
    for (const field of fields) {
      parts.push(
        await orWhyNot(async () =>
          figurePart(views.predictionFigure(await readPrediction(id, { out, field, sample }))),
        ),
      );
    }
  }
  return once(parts);
}

/** Ranks and spread of all hidden points of each field's first level. */
export async function ensemblePart({ id, out, fields }: Stored): Promise<string> {
  const parts: string[] = [];
  for (const field of fields) {
    parts.push(
      await orWhyNot(async () => {
        const { members, target, samples } = await readHidden(id, { out, field });
        const told = `${fieldTitle(field)}, its first level, ${samples} samples`;
        if (members.length < 2) return absent(`${told}: one member, which has neither ranks nor spread.`);
        const figures = [views.rankFigure(members, target), views.spreadSkillFigure(members, target)];
        const drawn = await Promise.all(figures.map((figure) => figurePart(figure)));
        return [heading(told), ...drawn].join("\n");
      }),
    );
  }
  return once(parts);
}

/** What all fields lack for the same reason is said once. */
const once = (parts: readonly string[]): string => [...new Set(parts)].join("\n");

/** Beside scores of stores: their opponents are fewer than those of training. */
export const STORES_NOTE = aside(
  "Scored from the result stores of the last validation. They hold no training data, so that only climatology, persistence and what the network saw stand beside the model: the verdict above has more opponents.",
);
