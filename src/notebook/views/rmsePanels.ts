/** The error of validations over steps in the units people read, with the baselines that are known. */
import type { FieldSkill } from "../../runs/events.js";
import type { MetricsRow } from "../../runs/metrics.js";
import { parseSeries } from "../../runs/series.js";
import { fieldTitle } from "../figure/text.js";
import type { Panel, Rule } from "../figure/types.js";
import { baselineColor, MODEL_COLOR } from "./colors.js";
import { type Point, stepAxis, valueAxis } from "./curves.js";

export interface Validations {
  rows: readonly MetricsRow[];
  baselines?: readonly FieldSkill[];
  skills?: readonly { step: number; skill: readonly FieldSkill[] }[];
}

const ofAll = (skill: readonly FieldSkill[], field: string) =>
  skill.find((row) => row.kind === "all" && row.field === field);

/** Fields that were validated or will be, in the order of the run. */
export function validatedFields({ rows, baselines = [] }: Validations): string[] {
  const logged = rows.flatMap((row) => Object.keys(row).flatMap((name) => fieldOf(name) ?? []));
  return [...new Set([...baselines.map(({ field }) => field), ...logged])];
}

/** The field whose validation loss a series is, if it is one field's. */
function fieldOf(name: string): string | undefined {
  const series = parseSeries(name);
  return series?.kind === "validation" ? (series.field ?? undefined) : undefined;
}

/** The best of the baselines are lines of a panel; tables have them all. */
const MOST_BASELINES = 4;

/**
 * RMSE of a field's validations.
 * @returns the panel, and whether some points were logged in standard deviations alone and are scaled to its unit
 */
export function rmsePanel(field: string, view: Validations, last: number): { panel: Panel; scaled: boolean } {
  const { rows, baselines = [], skills = [] } = view;
  const base = ofAll(baselines, field);
  const known = new Map(
    skills.flatMap(({ step, skill }) => {
      const own = ofAll(skill, field);
      return own?.rmse.model === undefined ? [] : [[step, own] as const];
    }),
  );
  const normalised = rows.flatMap((row): Point[] => {
    const name = Object.keys(row).find((key) => fieldOf(key) === field);
    return name === undefined || row[name] === null ? [] : [[row.step, Math.sqrt(Number(row[name]))]];
  });
  const first = known.values().next().value;
  const unit = first?.unit ?? base?.unit ?? "";
  // Rows of a former process hold standard deviations. Both are known of the first validation of this one.
  const factor = first ? first.rmse.model / first.rmseNormalized.model : null;
  const physical = factor !== null && Number.isFinite(factor) && unit !== "";
  const noneYet = normalised.length === 0 && base !== undefined && base.unit !== "";
  const inUnits = physical || noneYet;
  const points = normalised.map(([step, value]): Point => {
    const own = known.get(step);
    if (!physical) return [step, value];
    return [step, own ? own.rmse.model : value * (factor as number)];
  });
  const scaled = physical && normalised.some(([step]) => !known.has(step));
  const lines = baselineRules((inUnits ? base?.rmse : base?.rmseNormalized) ?? {});
  const values = [...points.map(([, y]) => y), ...lines.map(({ value }) => value)];
  const [x, y] = [points.map(([step]) => step), points.map(([, value]) => value)];
  const panel: Panel = {
    title: `validation, ${fieldTitle(field)}`,
    x: stepAxis(last),
    y: valueAxis("RMSE", inUnits ? unit : "standard deviations", values, "linear"),
    marks: [
      ...lines,
      { kind: "line", name: "model", color: MODEL_COLOR, width: 2, x, y },
      { kind: "points", color: MODEL_COLOR, x, y },
    ],
  };
  return { panel, scaled };
}

function baselineRules(rmse: Readonly<Record<string, number>>): Rule[] {
  return Object.entries(rmse)
    .filter(([name]) => name !== "model")
    .sort(([, a], [, b]) => a - b)
    .slice(0, MOST_BASELINES)
    .map(([name, value]) => ({
      kind: "rule",
      name: name.replaceAll("_", " "),
      axis: "y",
      value,
      color: baselineColor(name),
      dash: true,
    }));
}
