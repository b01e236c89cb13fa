/** How an ensemble's spread fits its errors. */
import { type Members, rankHistogram } from "../../scores/index.js";
import { categoryColor } from "../figure/palette.js";
import type { Figure } from "../figure/types.js";
import type { Grid } from "../grids.js";
import { rangeOf } from "./maps.js";
import { sharesFigure } from "./scores.js";

/** Values of points, on a grid or not. */
export type Points = Pick<Grid, "values" | "unit">;

/** Members and target of the points that both have; NaN points are left out. */
function valid(
  members: readonly Points[],
  target: Points,
): { members: Members & { values: Float64Array }; target: Float64Array } {
  const points = [...target.values.keys()].filter((i) => !Number.isNaN(target.values[i]));
  const E = members.length;
  return {
    members: {
      values: Float64Array.from(
        { length: points.length * E },
        (_, k) => members[k % E].values[points[Math.floor(k / E)]],
      ),
      E,
    },
    target: Float64Array.from(points, (i) => target.values[i]),
  };
}

/** One point a bin of equal counts: root mean square spread and error, in the target's unit. */
export interface SpreadSkillBin {
  spread: number;
  error: number;
}

/**
 * Points sorted by spread and cut into bins of equal counts; the spread is widened by (E+1)/E, so that a reliable
 * ensemble lies on the diagonal (Fortin et al. 2014).
 */
export function spreadSkillBins(members: readonly Points[], target: Points, bins = 10): SpreadSkillBin[] {
  const E = members.length;
  const own = valid(members, target);
  const points = Array.from(own.target, (truth, i) => {
    const values = own.members.values.slice(i * E, (i + 1) * E);
    const mean = values.reduce((a, b) => a + b, 0) / E;
    const variance = values.reduce((sum, value) => sum + (value - mean) * (value - mean), 0) / Math.max(1, E - 1);
    return { variance, squared: (mean - truth) * (mean - truth) };
  }).sort((a, b) => a.variance - b.variance);
  const count = Math.min(bins, points.length);
  return Array.from({ length: count }, (_, k) => {
    const bin = points.slice(Math.floor((k * points.length) / count), Math.floor(((k + 1) * points.length) / count));
    const mean = (of: (point: (typeof points)[number]) => number) =>
      bin.reduce((sum, p) => sum + of(p), 0) / bin.length;
    return { spread: Math.sqrt(((E + 1) / E) * mean((p) => p.variance)), error: Math.sqrt(mean((p) => p.squared)) };
  });
}

/** Error over spread, with the line of a reliable ensemble. */
export function spreadSkillFigure(members: readonly Points[], target: Points): Figure {
  const bins = spreadSkillBins(members, target);
  const most = 1.08 * rangeOf(bins.flatMap(({ spread, error }) => [spread, error]))[1];
  return {
    title: `Spread and error of ${members.length} members`,
    columns: 1,
    width: 460,
    aspect: 0.9,
    caption:
      "Each point holds the same number of grid points, sorted by spread. Above the line the ensemble is too sure.",
    panels: [
      {
        title: "",
        x: { label: "spread", unit: target.unit, range: [0, most] },
        y: { label: "RMSE of the mean", unit: target.unit, range: [0, most] },
        marks: [
          { kind: "line", name: "reliable", color: "#888888", dash: true, x: [0, most], y: [0, most] },
          {
            kind: "points",
            name: "bins of equal counts",
            color: categoryColor(0),
            size: 8,
            x: bins.map(({ spread }) => spread),
            y: bins.map(({ error }) => error),
          },
        ],
      },
    ],
  };
}

/** Where the target stands among the sorted members; flat for a reliable ensemble. */
export function rankFigure(members: readonly Points[], target: Points): Figure {
  const own = valid(members, target);
  const counts = rankHistogram(own.members, own.target);
  const total = counts.reduce((a, b) => a + b, 0);
  return sharesFigure(
    Array.from(counts, (count) => count / total),
    `Rank histogram of ${members.length} members`,
    `${total.toLocaleString("en-US")} grid points, which are not independent of each other.`,
  );
}
