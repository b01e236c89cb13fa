/** What a masking configuration realises, and what its neighbours give away. */
import type { LevelSummary, MaskingSummary } from "../../masking/index.js";
import { categoryColor } from "../figure/palette.js";
import { fieldTitle, levelTitle } from "../figure/text.js";
import type { Axis, Bars, Figure } from "../figure/types.js";
import { MASK_KINDS } from "./masks.js";

const TWINS: readonly [kind: keyof LevelSummary["visibleTwin"], label: string][] = [
  ["level", "next level"],
  ["time", "time before or after"],
  ["place", "place beside it"],
  ["field", "another field"],
];

const MOST_NAMES = 8;

/** Shares of tokens by what is done to them, and of hidden tokens by which neighbour stays visible. */
export function maskSummaryFigure({ strategy, draws, batchSize, levels }: MaskingSummary): Figure {
  const shares: [keyof Pick<LevelSummary, "masked" | "noised" | "coarsened">, number][] = [
    ["masked", 1],
    ["noised", 2],
    ["coarsened", 3],
  ];
  const slot = (k: number, n: number) => (k - (n - 1) / 2) * (0.8 / n);
  const bars = (values: readonly number[], k: number, n: number, name: string, color: string): Bars => ({
    kind: "bars",
    name,
    color,
    width: 0.8 / n,
    x: levels.map((_, i) => i + slot(k, n)),
    y: values,
  });
  const oneField = levels.every(({ field, level }) => field === levels[0].field && level !== 0);
  // names of many fields and levels would run into each other: levels only, and the fields in their order
  const many = !oneField && levels.length > MOST_NAMES;
  const fields = [...new Set(levels.map(({ field }) => fieldTitle(field)))];
  const x: Axis = {
    label: oneField || many ? `level of ${fields.join(", then ")}` : "field and level",
    unit: "",
    range: [-0.6, levels.length - 0.4],
    ticks: levels.map(({ field, level }, i) => ({
      value: i,
      label: oneField || many ? String(level) : tickLabel(field, level, levels),
    })),
  };
  const present = TWINS.filter(([kind]) => levels.some(({ visibleTwin }) => visibleTwin[kind] !== null));
  return {
    title: `Masks of ${strategy.replaceAll("_", " ")} over ${draws} draws of ${batchSize} samples`,
    // many names need the whole width
    columns: oneField || levels.length <= 4 ? 2 : 1,
    aspect: oneField || levels.length <= 4 ? 0.7 : 0.3,
    caption:
      "Second: of the hidden tokens that have such a neighbour, the share with at least one that the network sees. A high bar next to a smooth field means that the task is easier than its mask suggests.",
    panels: [
      {
        title: "what is done to tokens",
        x,
        y: { label: "share of tokens", unit: "", range: [0, 1] },
        marks: [
          ...shares.map(([key, kind], k) =>
            bars(
              levels.map((level) => level[key]),
              k,
              3,
              MASK_KINDS.categories[kind].label,
              MASK_KINDS.categories[kind].color,
            ),
          ),
          {
            kind: "points",
            name: "chosen, as asked",
            color: "#000000",
            size: 7,
            x: levels.map((_, i) => i),
            y: levels.map(({ asked }) => asked),
          },
        ],
      },
      {
        title: "hidden tokens with a visible neighbour",
        x,
        y: { label: "share of hidden tokens", unit: "", range: [0, 1.02] },
        marks: present.map(([kind, label], k) =>
          bars(
            levels.map(({ visibleTwin }) => visibleTwin[kind] ?? 0),
            k,
            present.length,
            label,
            categoryColor([1, 3, 4, 6][k]),
          ),
        ),
      },
    ],
  };
}

function tickLabel(field: string, level: number, levels: readonly LevelSummary[]): string {
  const name = fieldTitle(field);
  const short =
    levels.length > 2 && name.length > 10
      ? name
          .split(" ")
          .map((word) => word[0])
          .join("")
      : name;
  return level === 0 ? short : `${short} ${levelTitle(level).replace("level ", "")}`;
}
