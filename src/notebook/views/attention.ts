/** Attention weights, head by head. */
import type { Figure } from "../figure/types.js";
import { inner } from "./maps.js";

/** One head's weights [queries, keys]; each row sums to 1. */
export interface AttentionMatrix {
  /** such as `layer 0, head 2` */
  title: string;
  values: ArrayLike<number>;
  queries: number;
  keys: number;
}

/** Small multiples of attention matrices on one colour scale. */
export function attentionFigure(title: string, matrices: readonly AttentionMatrix[], columns = 4): Figure {
  const most = matrices.reduce(
    (max, { values }) =>
      Math.max(
        max,
        Array.from(values).reduce((a, b) => Math.max(a, b), 0),
      ),
    0,
  );
  const across = Math.min(columns, matrices.length);
  return {
    title,
    columns: across,
    aspect: 1,
    panels: matrices.map(({ title: own, values, queries, keys }, i) => {
      const { hideX, hideY } = inner(i, across, matrices.length);
      return {
        title: own,
        x: { label: "key token", unit: "", range: [-0.5, keys - 0.5], hidden: hideX },
        y: { label: "query token", unit: "", range: [queries - 0.5, -0.5], hidden: hideY },
        marks: [
          {
            kind: "heatmap",
            values,
            rows: queries,
            columns: keys,
            x: [0, 1],
            y: [0, 1],
            colors: { palette: "viridis", range: [0, most || 1], label: "weight", unit: "" },
            colorbar: i === across - 1,
          },
        ],
      };
    }),
  };
}
