/** Registered metrics over the validations of a run. */
import type { MetricsRow } from "../../runs/metrics.js";
import { parseSeries, validationColumns } from "../../runs/series.js";
import { categoryColor } from "../figure/palette.js";
import { fieldTitle } from "../figure/text.js";
import type { Mark, Panel } from "../figure/types.js";
import { rangeOf } from "./maps.js";

/** One panel a metric, one line a field. */
export function metricPanels(rows: readonly MetricsRow[], last: number): Panel[] {
  const names = validationColumns(rows).flatMap((name) => {
    const series = parseSeries(name);
    return series?.kind === "metric" ? [{ name, ...series }] : [];
  });
  const metrics = [...new Set(names.map(({ metric }) => metric))];
  return metrics.map((metric) => {
    const lines = names
      .filter((series) => series.metric === metric)
      .map(({ name, field }, k) => {
        const points = rows.flatMap((row): [number, number][] =>
          typeof row[name] === "number" ? [[row.step, row[name]]] : [],
        );
        const [x, y] = [points.map(([step]) => step), points.map(([, value]) => value)];
        return { name: fieldTitle(field), color: categoryColor(k), x, y };
      });
    const [low, high] = rangeOf(lines.flatMap(({ y }) => y));
    const room = 0.12 * (high - low);
    return {
      title: `validation, ${metric.replaceAll("_", " ")}`,
      x: { label: "optimiser step", unit: "", range: [0, Math.max(1, last) * 1.02] },
      y: { label: metric, unit: "", range: [low - room, high + room] },
      marks: lines.flatMap(({ name, color, x, y }): Mark[] => [
        { kind: "line", name, color, width: 2, x, y },
        { kind: "points", color, x, y },
      ]),
    };
  });
}
