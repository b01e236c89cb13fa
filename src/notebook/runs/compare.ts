/** Runs side by side: curves and what their configurations differ in. */

import { compareRuns, type RunComparison } from "../../runs/compare.js";
import { type RunReference, runPlace } from "../../runs/locate.js";
import { displayed, figureBundle, type Shown } from "../figure/display.js";
import { showTable, type Table } from "../figure/table.js";
import type { Figure } from "../figure/types.js";
import { comparisonFigure } from "../views/training.js";

export interface Comparison extends RunComparison {
  figure: Figure;
  /** all differences; shows itself where it ends a cell */
  differencesTable: Shown<Table>;
}

const MOST_LINES = 8;

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
  const curves = comparisonFigure(compared.ids, compared.curves);
  const figure = { ...curves, caption: `${curves.caption}\n${differenceLines(compared)}` };
  const differencesTable: Table = {
    title: compared.differences.length === 0 ? "The configurations are the same" : "Differences in the configuration",
    columns: ["key", ...compared.ids],
    rows: compared.differences.map(({ path, values }) => [
      path,
      ...values.map((value) => JSON.stringify(value) ?? "absent"),
    ]),
  };
  return displayed({ ...compared, figure, differencesTable: showTable(differencesTable) }, () => figureBundle(figure));
}

/** Differences as lines under the figure; the table has all of them. */
function differenceLines({ ids, differences }: RunComparison): string {
  const shown = differences.slice(0, MOST_LINES).map(({ path, values }) => {
    const each = values.map((value, r) => `${ids[r]} ${JSON.stringify(value) ?? "absent"}`);
    return `${path}: ${each.join(", ")}`;
  });
  const more = differences.length > MOST_LINES ? [`and ${differences.length - MOST_LINES} more differences`] : [];
  return [...(shown.length > 0 ? shown : ["The configurations are the same."]), ...more].join("\n");
}
