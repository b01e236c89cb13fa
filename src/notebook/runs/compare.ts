/** Runs side by side: curves and what their configurations differ in. */

import { type RunReference, runPlace } from "../../api/locate.js";
import { compareRuns, type RunComparison } from "../../training/compareRuns.js";
import { displayed, figureBundle, type Shown } from "../figure/display.js";
import { type Table, tableHtml, tableText } from "../figure/table.js";
import type { Figure } from "../figure/types.js";
import { comparisonFigure } from "../views/training.js";

export interface Comparison extends RunComparison {
  figure: Figure;
  differencesTable: Table;
}

/**
 * Loss curves and configuration differences of runs that lie in the same folder.
 * @throws AtmorepError (usage) for fewer than two runs or unknown ones
 * @example await compare("ab12cd34", "ef56gh78");
 */
export async function compare(...runs: RunReference[]): Promise<Shown<Comparison>> {
  const places = runs.map((run) => runPlace(run));
  const compared = await compareRuns(
    places[0]?.out ?? ".",
    places.map(({ id }) => id),
  );
  const figure = comparisonFigure(compared.ids, compared.curves);
  const differencesTable: Table = {
    title: compared.differences.length === 0 ? "The configurations are the same" : "Differences in the configuration",
    columns: ["key", ...compared.ids],
    rows: compared.differences.map(({ path, values }) => [
      path,
      ...values.map((value) => JSON.stringify(value) ?? "absent"),
    ]),
  };
  return displayed({ ...compared, figure, differencesTable }, async () => {
    const drawn = await figureBundle(figure);
    return {
      "text/html": `${String(drawn["image/svg+xml"])}${tableHtml(differencesTable)}`,
      "text/plain": `${String(drawn["text/plain"])}\n${tableText(differencesTable)}`,
    };
  });
}
