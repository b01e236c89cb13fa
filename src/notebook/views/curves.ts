/** Curves over optimiser steps: thinned, smoothed over raw, on axes that may be linear or logarithmic. */
import type { Axis, Line, Mark, Panel } from "../figure/types.js";
import { rangeOf } from "./maps.js";

export type Point = readonly [step: number, value: number];

/** Points a line; more are averaged, so that a live frame stays small. */
const MOST_POINTS = 300;
/** Points of all lines of a figure. */
const MOST_OF_ALL = 2400;

/** How many steps one point of a curve stands for, in a figure of so many curves. */
export const stepsAPoint = (steps: number, curves: number): number =>
  Math.max(1, Math.ceil(steps / Math.min(MOST_POINTS, Math.ceil(MOST_OF_ALL / Math.max(1, curves)))));

export interface Curve {
  /** legend entry; a curve that is alone in its panel needs none */
  name?: string;
  color: string;
  points: readonly Point[];
}

/** Means over `group` points each, at the last of their steps. */
export function thinned(points: readonly Point[], group: number): { x: number[]; y: number[] } {
  const x: number[] = [];
  const y: number[] = [];
  for (let i = 0; i < points.length; i += group) {
    const own = points.slice(i, i + group);
    x.push(own[own.length - 1][0]);
    y.push(Number((own.reduce((sum, [, value]) => sum + value, 0) / own.length).toPrecision(5)));
  }
  return { x, y };
}

/** Fewer points need no smoothing. */
const SMOOTH_FROM = 10;
/** A mean over this share of the curve, around each point. */
const SMOOTH_SHARE = 1 / 12;

function smoothed(y: readonly number[]): number[] {
  const half = Math.max(1, Math.round((y.length * SMOOTH_SHARE) / 2));
  return y.map((_, i) => {
    // as many ahead as behind, so that the steep beginning is not flattened; at the end what is behind is all there is
    const behind = Math.min(half, i);
    const own = y.slice(i - behind, i + Math.min(behind, y.length - 1 - i) + 1);
    return Number((own.reduce((sum, value) => sum + value, 0) / own.length).toPrecision(5));
  });
}

/** What was logged, pale, and its running mean over it. */
export function curveMarks({ name, color, points }: Curve, group: number): Line[] {
  const raw = thinned(points, group);
  const line = { kind: "line" as const, color, ...(name && { name }) };
  if (raw.y.length < SMOOTH_FROM) return [{ ...line, ...raw }];
  return [
    { kind: "line", color, width: 1, opacity: 0.35, ...raw },
    { ...line, width: 2, x: raw.x, y: smoothed(raw.y) },
  ];
}

/** Steps from the first, linear; a button makes them logarithmic. */
export function stepAxis(last: number): Axis {
  const end = Math.max(1, last) * 1.02;
  return { label: "optimiser step", unit: "", range: [0, end], also: { type: "log", range: [1, Math.max(2, end)] } };
}

/** Values this far apart begin on a logarithmic axis. */
const FAR_APART = 5;

/** An axis for some values; a button takes the other scale, where all are positive. */
export function valueAxis(label: string, unit: string, values: readonly number[], prefer?: "linear" | "log"): Axis {
  const [bottom, top] = rangeOf(values);
  const room = 0.05 * (top - bottom);
  const linear = { type: "linear", range: [bottom - room, top + room] } as const;
  const positive = values.filter((value) => value > 0);
  if (positive.length === 0 || positive.length < values.length) return own(label, unit, linear);
  const [low, high] = [Math.min(...positive), Math.max(...positive)];
  const log = { type: "log", range: [low * 0.8, high * 1.25] } as const;
  const byLog = prefer === undefined ? high / low > FAR_APART : prefer === "log";
  const [first, other] = byLog ? [log, linear] : [linear, log];
  return { ...own(label, unit, first), also: { type: other.type, range: [...other.range] } };
}

const own = (
  label: string,
  unit: string,
  { type, range }: { type: "linear" | "log"; range: readonly [number, number] },
): Axis => ({ label, unit, type, range: [...range] });

export interface CurvePanel {
  title: string;
  label: string;
  unit: string;
  curves: readonly Curve[];
  last: number;
  group: number;
  prefer?: "linear" | "log";
}

/** A panel of smoothed curves. */
export function curvePanel({ title, label, unit, curves, last, group, prefer }: CurvePanel): Panel {
  const marks = curves.map((curve) => curveMarks(curve, group));
  const values = marks.flat().flatMap(({ y }) => y.filter((value): value is number => value !== null));
  // what is smoothed lies over all that is raw
  const drawn: Mark[] = [...marks.flatMap((own) => own.slice(0, 1)), ...marks.flatMap((own) => own.slice(1))];
  return { title, x: stepAxis(last), y: valueAxis(label, unit, values, prefer), marks: drawn };
}
