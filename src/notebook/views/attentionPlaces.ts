/** Where one token looks: attention weights back on the map. */
import type { Field } from "../../config/types.js";
import type { AttentionMap } from "../../prediction/attentionMaps.js";
import { categoryColor } from "../figure/palette.js";
import { fieldTitle, levelTitle } from "../figure/text.js";
import type { ColorScale, Figure, Panel } from "../figure/types.js";
import type { Grid } from "../grids.js";
import { gridEdges, inner, mapAspect, mapPanel } from "./maps.js";

export interface AttentionPlaces {
  title: string;
  /** field of the keys */
  keyField: Field;
  /** field of the queries */
  queryField: Field;
  /** `l*N + n` of the query in its field */
  query: number;
  /** matrices over all tokens, of the same queries and keys; their mean is drawn */
  maps: readonly Pick<AttentionMap, "values" | "keys" | "title">[];
  /** time steps of the sample's window [nt * tt] */
  grids: readonly Grid[];
}

/** A map a time token and level of the keys; cells are tokens. The query's own place is outlined. */
export function attentionPlacesFigure(choice: AttentionPlaces): Figure {
  const { keyField, queryField, query, maps, grids } = choice;
  const [nt, ny, nx] = keyField.numTokens;
  const weights = new Float64Array(maps[0].keys);
  for (const { values, keys } of maps) {
    for (let k = 0; k < keys; k++) weights[k] += values[query * keys + k] / maps.length;
  }
  const colors: ColorScale = {
    palette: "viridis",
    range: [0, weights.reduce((a, b) => Math.max(a, b), 0) || 1],
    label: "weight",
    unit: "",
  };
  const place = placeOf(query, queryField);
  const [[west, east], [south, north]] = gridEdges(grids[0]);
  const [dx, dy] = [(east - west) / nx, (north - south) / ny];
  const box = boxOf(place, queryField, west, north, east - west, north - south);
  const tt = keyField.tokenSize[0];
  const rows = keyField.levels.flatMap((level, l) => Array.from({ length: nt }, (_, t) => ({ level, l, t })));
  return {
    title: choice.title,
    columns: nt,
    aspect: mapAspect(grids[0]),
    caption: `Query: token ${query} (${queryLevel(queryField, place.l)}, time ${place.t}, row ${place.y}, column ${place.x}), outlined. Equal weights would be ${(1 / weights.length).toPrecision(3)} each.`,
    panels: rows.map(({ level, l, t }, i): Panel => {
      const at = (l * nt + t) * ny * nx;
      const grid: Grid = {
        ...grids[(t + 1) * tt - 1],
        field: keyField.name,
        level,
        values: weights.slice(at, at + ny * nx),
        lats: Float64Array.from({ length: ny }, (_, y) => north - (y + 0.5) * dy),
        lons: Float64Array.from({ length: nx }, (_, x) => west + (x + 0.5) * dx),
      };
      // fields may be cut into different numbers of time tokens
      const sameTime = Math.floor(((place.t + 0.5) * nt) / queryField.numTokens[0]) === t;
      const here = sameTime && (keyField.name !== queryField.name || l === place.l);
      return mapPanel(grid, {
        title: `${keyField.levels.length > 1 ? `${levelTitle(level)}, ` : ""}time ${t}, to ${grid.time.slice(5)} UTC`,
        colors,
        colorbar: i % nt === nt - 1 && i < nt,
        ...inner(i, nt, rows.length),
        over: here ? [{ kind: "rects", color: categoryColor(1), outline: true, boxes: [box] }] : [],
      });
    }),
  };
}

const queryLevel = (field: Field, l: number) => `${fieldTitle(field.name)}, ${levelTitle(field.levels[l])}`;

function placeOf(query: number, { numTokens: [nt, ny, nx] }: Field) {
  const inPlane = query % (ny * nx);
  const plane = Math.floor(query / (ny * nx));
  return { l: Math.floor(plane / nt), t: plane % nt, y: Math.floor(inPlane / nx), x: inPlane % nx };
}

function boxOf(
  { y, x }: { y: number; x: number },
  { numTokens: [, ny, nx] }: Field,
  west: number,
  north: number,
  width: number,
  height: number,
): [number, number, number, number] {
  const [dx, dy] = [width / nx, height / ny];
  return [west + x * dx, west + (x + 1) * dx, north - (y + 1) * dy, north - y * dy];
}
