/**
 * Hidden points with what is visible around them in time: what regression on neighbours and errors of persistence are
 * made of. A point's pattern, the distances to the visible steps next to it, says which map is its own.
 */
import type { FieldCube } from "../../data/types.js";
import type { MaskedField } from "../../masking/types.js";
import { hiddenTokens, type Layout, layoutOf, targetTokens, valueIndex } from "../layout.js";

/** One hidden point; the next one overwrites it. */
export interface Gap {
  /** in [M, D] */
  at: number;
  l: number;
  b: number;
  step: number;
  /** grid point within the window */
  y: number;
  x: number;
  /** the nearest and the second visible step before and after: [before, before2, after, after2]; -1 if none */
  steps: Int32Array;
  /** one number for the distances to these steps */
  pattern: number;
  /** [steps, H, W] of the sample and level */
  values: Float32Array;
  /** 1 where a value is visible and counts */
  seen: Uint8Array;
  H: number;
  W: number;
}

const MOST_STEPS = 4096;

/** Values of one level and sample as a grid, and which of them are visible. */
function fillPlane(cube: FieldCube, g: Layout, hidden: Uint8Array, gap: Gap): void {
  const { l, b, values, seen, W } = gap;
  for (let s = 0; s < g.steps; s++) {
    for (let place = 0; place < g.places; place++) {
      const token = (l * g.B + b) * g.N + Math.floor(s / g.tt) * g.places + place;
      const y = Math.floor(place / g.nx) * g.ty;
      const x = (place % g.nx) * g.tx;
      for (let point = 0; point < g.points; point++) {
        const to = (s * gap.H + y + Math.floor(point / g.tx)) * W + x + (point % g.tx);
        const from = valueIndex(g, l, b, s, place, point);
        values[to] = cube.tokens[from];
        seen[to] = hidden[token] || (cube.valid && !cube.valid[from]) ? 0 : 1;
      }
    }
  }
}

/** The first visible step from `step` on in a direction; -1 if there is none. */
function nextSeen({ seen, H, W, y, x }: Gap, steps: number, step: number, direction: 1 | -1): number {
  if (step < 0) return -1;
  for (let s = step + direction; s >= 0 && s < steps; s += direction) if (seen[(s * H + y) * W + x]) return s;
  return -1;
}

/** Visits every hidden point of a field whose own value counts or not, in the order of its targets. */
export function visitGaps(cube: FieldCube, masked: MaskedField, visit: (gap: Gap) => void): void {
  const g = layoutOf(cube);
  const hidden = hiddenTokens(g, masked);
  const [H, W] = [g.ny * g.ty, g.nx * g.tx];
  const size = g.steps * H * W;
  const [values, seen] = [new Float32Array(size), new Uint8Array(size)];
  const gap: Gap = {
    at: 0,
    l: -1,
    b: -1,
    step: 0,
    y: 0,
    x: 0,
    steps: new Int32Array(4),
    pattern: 0,
    values,
    seen,
    H,
    W,
  };
  for (const { m, l, b, n } of targetTokens(masked)) {
    if (l !== gap.l || b !== gap.b) {
      [gap.l, gap.b] = [l, b];
      fillPlane(cube, g, hidden, gap);
    }
    const place = n % g.places;
    for (let i = 0; i < g.D; i++) {
      const point = i % g.points;
      gap.at = m * g.D + i;
      gap.step = Math.floor(n / g.places) * g.tt + Math.floor(i / g.points);
      gap.y = Math.floor(place / g.nx) * g.ty + Math.floor(point / g.tx);
      gap.x = (place % g.nx) * g.tx + (point % g.tx);
      const before = nextSeen(gap, g.steps, gap.step, -1);
      const after = nextSeen(gap, g.steps, gap.step, 1);
      gap.steps[0] = before;
      gap.steps[1] = nextSeen(gap, g.steps, before, -1);
      gap.steps[2] = after;
      gap.steps[3] = nextSeen(gap, g.steps, after, 1);
      gap.pattern = 0;
      for (const s of gap.steps) gap.pattern = gap.pattern * MOST_STEPS + (s < 0 ? 0 : Math.abs(s - gap.step));
      visit(gap);
    }
  }
}
