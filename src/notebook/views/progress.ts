/** How fast a run goes, from its rows. */
import type { MetricsRow } from "../../runs/metrics.js";
import { TRAINING_LOSS } from "../../runs/series.js";
import type { Point } from "./curves.js";

/** Longer between two rows, in medians: the run stood still, as between a run and its continuation. */
const PAUSE = 50;

/** Samples a second of each step, from the times of rows; validations are left out, and pauses between processes. */
export function speeds(rows: readonly MetricsRow[]): Point[] {
  const times = rows.map(({ time }) => Date.parse(time));
  let samples = 0;
  const steps = rows.flatMap((row, i) => {
    if (!(TRAINING_LOSS in row)) return [];
    const [seconds, seen] = [(times[i] - times[i - 1]) / 1000, row.samples - samples];
    samples = row.samples;
    return seconds > 0 && seen > 0 ? [{ step: row.step, seconds, seen }] : [];
  });
  const median = steps.map(({ seconds }) => seconds).sort((a, b) => a - b)[steps.length >> 1] ?? 0;
  return steps
    .filter(({ seconds }) => seconds <= PAUSE * median)
    .map(({ step, seconds, seen }): Point => [step, seen / seconds]);
}

/** `2 h 5 min`, `12 min`, `40 s` */
export function durationText(seconds: number): string {
  if (seconds < 100) return `${Math.max(1, Math.round(seconds))} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 100) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`;
}
