/** What masking did to each token, strategy by strategy, over time and level. */
import type { Field } from "../../config/types.js";
import { type MaskedField, TOKEN_KIND } from "../../masking/types.js";
import { levelTitle } from "../figure/text.js";
import type { CategoryScale, Figure, Line } from "../figure/types.js";

export const MASK_KINDS: CategoryScale = {
  categories: [
    { label: "untouched", color: "#e6e6e6" },
    { label: "masked (set to 0)", color: "#0072b2" },
    { label: "noised", color: "#e69f00" },
    { label: "coarsened", color: "#009e73" },
    { label: "chosen, left as it is", color: "#cc79a7" },
  ],
};

/** What was done to each token of one sample and level, as an index of `MASK_KINDS`. @returns [nt, ny, nx] */
export function tokenKinds(masked: MaskedField, l: number, sample: number): Uint8Array {
  const kinds = new Uint8Array(masked.N);
  for (const [m, index] of masked.idx[l].entries()) {
    if (Math.floor(index / masked.N) === sample) kinds[index % masked.N] = categoryOf(masked.kind[l][m]);
  }
  return kinds;
}

function categoryOf(bits: number): number {
  if (bits & TOKEN_KIND.masked) return 1;
  if (bits & TOKEN_KIND.noised) return 2;
  if (bits & TOKEN_KIND.coarsened) return 3;
  return 4;
}

export interface MaskEntry {
  /** such as the strategy's name */
  title: string;
  field: Field;
  masked: MaskedField;
  sample?: number;
}

/** A row of panels for each entry and level, a column for each time token; all entries have the same number of them. */
export function masksFigure(entries: readonly MaskEntry[]): Figure {
  const columns = Math.max(...entries.map(({ field }) => field.numTokens[0]));
  const rows = entries.flatMap((entry) => entry.field.levels.map((level, l) => ({ ...entry, level, l })));
  return {
    title: "What the network does not see, token by token",
    columns,
    aspect: 0.75,
    caption: "Each box is one token of the window, North at the top.",
    panels: rows.flatMap(({ title, field, masked, sample = 0, level, l }, r) => {
      const [nt, ny, nx] = field.numTokens;
      const kinds = tokenKinds(masked, l, sample);
      return Array.from({ length: nt }, (_, t) => ({
        title: `${title}${field.levels.length > 1 ? `, ${levelTitle(level)}` : ""}, time ${t}`,
        x: tokenAxis("token column", nx, r < rows.length - 1),
        y: { ...tokenAxis("token row", ny, t > 0), range: [ny - 0.5, -0.5] as [number, number] },
        marks: [
          {
            kind: "heatmap" as const,
            values: kinds.subarray(t * ny * nx, (t + 1) * ny * nx),
            rows: ny,
            columns: nx,
            x: [0, 1] as [number, number],
            y: [0, 1] as [number, number],
            colors: MASK_KINDS,
          },
          tokenEdges(ny, nx),
        ],
      }));
    }),
  };
}

/** White lines between tokens, as one line with breaks. */
function tokenEdges(ny: number, nx: number): Line {
  const inside = (n: number) => Array.from({ length: n - 1 }, (_, k) => k + 0.5);
  const edges = [
    ...inside(nx).flatMap(
      (x) =>
        [
          [x, -0.5],
          [x, ny - 0.5],
          [null, null],
        ] as const,
    ),
    ...inside(ny).flatMap(
      (y) =>
        [
          [-0.5, y],
          [nx - 0.5, y],
          [null, null],
        ] as const,
    ),
  ];
  return { kind: "line", color: "#ffffff", width: 1, x: edges.map(([x]) => x), y: edges.map(([, y]) => y) };
}

function tokenAxis(label: string, n: number, hidden: boolean) {
  const step = Math.ceil(n / 6);
  const ticks = Array.from({ length: Math.ceil(n / step) }, (_, k) => ({ value: k * step, label: String(k * step) }));
  return { label, unit: "", range: [-0.5, n - 0.5] as [number, number], hidden, ticks };
}
