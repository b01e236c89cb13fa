/** When the store has values, and which of them train, validate and test. */
import type { RunConfig } from "../../config/types.js";
import { usualStep } from "../../data/gaps.js";
import { admissibleTimes, type Split } from "../../data/sampling.js";
import type { Store } from "../../data/store.js";
import type { Figure, Rects } from "../figure/types.js";

export interface TimelineRow {
  name: string;
  /** milliseconds since 1970, both ends included */
  spans: [start: number, end: number][];
}

const MS = 1_000_000n;

/** The spans of time that the store holds and that the cubes of each split touch. */
export function timelineRows(store: Store, config: RunConfig): TimelineRow[] {
  const all = Array.from(store.times, () => true);
  return [
    { name: "store", spans: spans(store, all) },
    { name: "training", spans: spans(store, touched(store, config, "train")) },
    { name: "validation", spans: spans(store, touched(store, config, "validate")) },
    ...(config.dates_test ? [{ name: "test", spans: spans(store, touched(store, config, "test")) }] : []),
  ];
}

function touched(store: Store, config: RunConfig, split: Split): boolean[] {
  const used = new Array<boolean>(store.times.length).fill(false);
  const span = config.n_size[0] * config.time_sampling;
  for (const i of admissibleTimes(config, store, split)) used.fill(true, i - span, i);
  return used;
}

function spans({ times }: Store, used: readonly boolean[]): [number, number][] {
  const usual = usualStep(times);
  const out: [number, number][] = [];
  let last = -2;
  for (const [i, wanted] of used.entries()) {
    if (!wanted) continue;
    const ms = Number(times[i] / MS);
    if (last === i - 1 && i > 0 && times[i] - times[i - 1] <= usual) out[out.length - 1][1] = ms;
    else out.push([ms, ms]);
    last = i;
  }
  return out;
}

const COLORS: Readonly<Record<string, string>> = {
  store: "#9a9a9a",
  training: "#0072b2",
  validation: "#d55e00",
};
const HALF = 0.32;

/** The rows over time; what lies between training and validation is the gap that keeps them apart. */
export function timelineFigure(rows: readonly TimelineRow[], stepHours: number): Figure {
  const all = rows.flatMap(({ spans }) => spans.flat());
  const [first, last] = [Math.min(...all), Math.max(...all)];
  const room = Math.max((last - first) * 0.02, stepHours * 3_600_000);
  const marks = rows.map(({ name, spans }, r): Rects => {
    const y = rows.length - 1 - r;
    const halfStep = (stepHours * 3_600_000) / 2;
    return {
      kind: "rects",
      name,
      color: COLORS[name] ?? "#009e73",
      boxes: spans.map(([a, b]) => [a - halfStep, b + halfStep, y - HALF, y + HALF]),
    };
  });
  return {
    title: `Times of the store, of training${rows.some(({ name }) => name === "test") ? ", of validation and of the test" : " and of validation"}`,
    columns: 1,
    aspect: 0.16,
    caption: gapText(rows),
    panels: [
      {
        title: "",
        x: { label: "time", unit: "UTC", type: "time", range: [first - room, last + room] },
        y: {
          label: "",
          unit: "",
          range: [-0.6, rows.length - 0.4],
          ticks: rows.map(({ name }, r) => ({ value: rows.length - 1 - r, label: name })),
        },
        marks,
      },
    ],
  };
}

function gapText(rows: readonly TimelineRow[]): string {
  const [train, val] = ["training", "validation"].map((name) => rows.find((row) => row.name === name)?.spans ?? []);
  if (train.length === 0 || val.length === 0) return "";
  const hours = Math.min(...train.flatMap(([a, b]) => val.map(([c, d]) => Math.max(c - b, a - d) / 3_600_000)));
  if (hours <= 0) return "Training and validation overlap: scores on such times prove nothing.";
  return `${Number((hours / 24).toFixed(2))} days lie between the nearest training and validation times.`;
}
