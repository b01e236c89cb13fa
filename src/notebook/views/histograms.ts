/** Distributions of weights and gradients, part by part of the network. */

import { categoryColor } from "../figure/palette.js";
import { formatNumber } from "../figure/text.js";
import type { Figure, Panel } from "../figure/types.js";
import { rangeOf } from "./maps.js";

export interface Histogram {
  /** centres of the bins */
  x: number[];
  /** share of values in each */
  share: number[];
  width: number;
  count: number;
  mean: number;
  std: number;
}

/** Shares of values in equal bins over their range; values that are not finite are left out. */
export function histogram(values: ArrayLike<number>, bins = 40): Histogram {
  const [low, high] = rangeOf(values);
  const width = (high - low) / bins;
  const share = new Array<number>(bins).fill(0);
  let [count, sum, squares] = [0, 0, 0];
  for (let i = 0; i < values.length; i++) {
    if (!Number.isFinite(values[i])) continue;
    share[Math.min(bins - 1, Math.floor((values[i] - low) / width))]++;
    count++;
    sum += values[i];
    squares += values[i] * values[i];
  }
  const mean = count > 0 ? sum / count : 0;
  return {
    x: share.map((_, k) => low + (k + 0.5) * width),
    share: share.map((n) => (count > 0 ? n / count : 0)),
    width,
    count,
    mean,
    std: Math.sqrt(Math.max(0, count > 0 ? squares / count - mean * mean : 0)),
  };
}

/** Joins the tensors of each part of the network: the first two parts of the state-dict name. */
export function groupByPart(
  tensors: Iterable<readonly [name: string, values: ArrayLike<number>]>,
): Map<string, number[]> {
  const groups = new Map<string, number[]>();
  for (const [name, values] of tensors) {
    const part = name.split(".").slice(0, 2).join(".");
    const group = groups.get(part) ?? [];
    for (let i = 0; i < values.length; i++) group.push(values[i]);
    groups.set(part, group);
  }
  return groups;
}

/** One histogram a group. @param label of the x axis, such as `weight` or `gradient` */
export function histogramFigure(
  title: string,
  groups: Iterable<readonly [name: string, values: ArrayLike<number>]>,
  label: string,
): Figure {
  const panels = [...groups].map(([name, values]): Panel => {
    const { x, share, width, count, std } = histogram(values);
    const low = x[0] - width / 2;
    return {
      title: `${name}: ${count.toLocaleString("en-US")}, std ${formatNumber(std)}`,
      x: { label, unit: "", range: [low, low + width * x.length] },
      y: { label: "share", unit: "", range: [0, 1.05 * Math.max(...share, 1e-9)] },
      marks: [{ kind: "bars", color: categoryColor(0), x, y: share, width }],
    };
  });
  return { title, columns: Math.min(3, panels.length), aspect: 0.55, panels };
}
