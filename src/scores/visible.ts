/** What a baseline may look at along time: steps of tokens that were not chosen, at points that count. */
import type { FieldCube } from "../data/types.js";
import type { MaskedField } from "../masking/types.js";
import { hiddenTokens, type Layout, layoutOf, valueIndex } from "./layout.js";

export interface Column {
  l: number;
  b: number;
  place: number;
  point: number;
}

/** Reads a field's visible values; hidden tokens and filled or missing points are never given out. */
export interface VisibleField {
  layout: Layout;
  /** [L, B, N] */
  hidden: Uint8Array;
  /** the nearest visible step before (`direction` -1) or after (1) `step` in a grid point's column; -1 if none */
  nearest(column: Column, step: number, direction: 1 | -1): number;
  /** the value at a step that `nearest` gave */
  value(column: Column, step: number): number;
}

export function visibleField(cube: FieldCube, masked: MaskedField): VisibleField {
  const layout = layoutOf(cube);
  const hidden = hiddenTokens(layout, masked);
  const { tokens, valid } = cube;
  const { B, N, tt, places, steps } = layout;

  const at = ({ l, b, place, point }: Column, step: number) => valueIndex(layout, l, b, step, place, point);
  const nearest = (column: Column, step: number, direction: 1 | -1): number => {
    const { l, b, place } = column;
    for (let s = step + direction; s >= 0 && s < steps; s += direction) {
      if (hidden[(l * B + b) * N + Math.floor(s / tt) * places + place]) continue;
      // A filled point was interpolated in time, so it may carry the hidden steps' values.
      if (valid && !valid[at(column, s)]) continue;
      return s;
    }
    return -1;
  };
  return { layout, hidden, nearest, value: (column, step) => tokens[at(column, step)] };
}
