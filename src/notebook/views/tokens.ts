/** The tokens that a window is cut into. */
import type { Field } from "../../config/types.js";
import { fieldTitle, levelTitle } from "../figure/text.js";
import type { Figure, Mark } from "../figure/types.js";
import type { Grid } from "../grids.js";
import { amounts, gridEdges, inner, mapAspect, mapPanel } from "./maps.js";

/**
 * The token grid over the window, one panel a time token, drawn on the token's last step. Tokens carry their number
 * n in [nt, ny, nx].
 * @param grids the sample's time steps [nt * tt]
 */
export function tokenGridFigure(field: Field, grids: readonly Grid[]): Figure {
  const [nt, ny, nx] = field.numTokens;
  const [tt, ty, tx] = field.tokenSize;
  const colors = amounts(...grids);
  const columns = nt === 4 ? 2 : Math.min(nt, 3);
  return {
    title: `${fieldTitle(field.name)}, ${levelTitle(grids[0].level)}: ${nt} x ${ny} x ${nx} tokens of ${tt} steps x ${ty} x ${tx} points`,
    columns,
    aspect: mapAspect(grids[0]),
    panels: Array.from({ length: nt }, (_, t) => {
      const grid = grids[(t + 1) * tt - 1];
      return mapPanel(grid, {
        title: `time token ${t}, ending ${grid.time} UTC`,
        colors,
        colorbar: t === columns - 1,
        ...inner(t, columns, nt),
        over: tokenMarks(grid, t, ny, nx, colors.palette === "RdBu" ? "#222222" : "#ffffff"),
      });
    }),
  };
}

function tokenMarks(grid: Grid, t: number, ny: number, nx: number, color: string): Mark[] {
  const [[west, east], [south, north]] = gridEdges(grid);
  const [dx, dy] = [(east - west) / nx, (north - south) / ny];
  const cells = Array.from({ length: ny * nx }, (_, i) => ({ y: Math.floor(i / nx), x: i % nx }));
  return [
    {
      kind: "rects",
      color,
      outline: true,
      boxes: cells.map(({ x, y }) => [west + x * dx, west + (x + 1) * dx, north - (y + 1) * dy, north - y * dy]),
    },
    {
      kind: "labels",
      color,
      x: cells.map(({ x }) => west + (x + 0.5) * dx),
      y: cells.map(({ y }) => north - (y + 0.5) * dy),
      text: cells.map((_, i) => String(t * ny * nx + i)),
    },
  ];
}
