/** Both curves in one plot, a panel a run. */
import { categoryColor } from "../../src/notebook/figure/palette.js";
import { svgFigure } from "../../src/notebook/figure/svg.js";
import type { Panel } from "../../src/notebook/figure/types.js";
import { rangeOf } from "../../src/notebook/views/maps.js";
import type { StepLosses } from "./ours.js";

export interface Curves {
  run: string;
  ours: readonly StepLosses[];
  original: readonly StepLosses[];
}

/** An SVG document. */
export function curvesFigure(curves: readonly Curves[]): Promise<string> {
  return svgFigure({
    title: "The same weights, the same batches",
    caption: "Loss of each training batch on the storm sample; the original's curve lies on ours.",
    columns: 2,
    aspect: 0.6,
    panels: curves.map(panel),
  });
}

function panel({ run, ours, original }: Curves): Panel {
  const line = (losses: readonly StepLosses[]) => ({
    kind: "line" as const,
    x: losses.map((_, k) => k + 1),
    y: losses.map(({ total }) => total),
  });
  return {
    title: run,
    x: { label: "optimiser step", unit: "", range: [0, ours.length] },
    y: { label: "total loss", unit: "", range: rangeOf([...ours, ...original].map(({ total }) => total)) },
    marks: [
      { ...line(ours), name: "ours, TypeScript on WASM", color: categoryColor(0), width: 3 },
      { ...line(original), name: "the original, PyTorch", color: categoryColor(1), dash: true, width: 1 },
    ],
  };
}
