/** Tables: a batch, a configuration, metrics, files. */
import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Prepared } from "../batches/prepare.js";
import { describeConfig } from "../config/describe.js";
import { diffConfigs } from "../config/diff.js";
import { type ResolvedConfig, resolveConfig } from "../config/resolve.js";
import type { RunConfig } from "../config/types.js";
import { formatTime } from "../data/time.js";
import { displayUnit } from "../data/units.js";
import { evaluationTable } from "../evaluation/table.js";
import type { FieldSkill } from "../runs/events.js";
import { runFolder } from "../runs/folder.js";
import { type RunReference, runPlace } from "../runs/locate.js";
import { MIN_BLOCKS, type ScoreReport } from "../scores/index.js";
import type { Shown } from "./figure/display.js";
import { showTable, type Table } from "./figure/table.js";
import { formatNumber, levelTitle } from "./figure/text.js";

export interface ConfigTableOptions {
  /** preset to compare with; null for none */
  preset?: string | null;
  /** all keys, not only those that differ or that the file sets */
  all?: boolean;
}

/** A configuration with what each key means; differences from its preset, or from the defaults, come first. */
export function configTable(given: RunConfig | ResolvedConfig, options: ConfigTableOptions = {}): Table {
  const resolved = "origins" in given ? (given as ResolvedConfig) : null;
  const config = resolved ? resolved.config : (given as RunConfig);
  const preset = options.preset === undefined ? presetOf(resolved) : options.preset;
  const reference = resolveConfig({ preset: preset ?? undefined }).config;
  const differences = new Map(diffConfigs(reference, config).map(({ path, a }) => [path.split("[")[0], a]));
  const described = describeConfig(config, resolved?.origins ?? {});
  const shown = described.filter(({ key }) => options.all || differences.has(key));
  const base = describeConfig(reference);
  const rows = shown.map(({ key, text, doc, origin }) => [
    key,
    text,
    differences.has(key) ? (base.find((other) => other.key === key)?.text ?? "absent") : "same",
    ...(resolved ? [origin] : []),
    doc,
  ]);
  const against = preset ? `preset ${preset}` : "defaults";
  return {
    title:
      differences.size === 0
        ? `Configuration: equal to the ${against}`
        : `Configuration: ${differences.size} keys differ from the ${against}`,
    columns: ["key", "value", against, ...(resolved ? ["from"] : []), "meaning"],
    rows,
    caption: options.all ? undefined : "Only keys that differ are listed; config(cfg, { all: true }) lists every key.",
  };
}

function presetOf(resolved: ResolvedConfig | null): string | null {
  const origin = Object.values(resolved?.origins ?? {}).find((from) => from.startsWith("preset:"));
  return origin ? origin.slice("preset:".length) : null;
}

/** The axes, shapes and units of a prepared batch, and what of it is hidden. */
export function batchTable({ config, fields, cube, masked, store }: Prepared): Table {
  const { time } = cube.windows[0];
  const rows = fields.map((field, f) => {
    const { L, B, N, D, target } = masked.fields[f];
    const { unit } = displayUnit(field.name);
    return [
      field.name,
      unit || "as stored",
      field.levels.map(levelTitle).join(", "),
      `[${[L, B, ...field.numTokens, ...field.tokenSize].join(", ")}]`,
      `[${[B, L, N, D].join(", ")}]`,
      `[${[target.length / D, D].join(", ")}]`,
      `${formatNumber((100 * target.length) / D / (B * L * N))} %`,
    ];
  });
  return {
    title: `One batch of ${cube.windows.length} samples, strategy ${config.BERT_strategy}`,
    columns: [
      "field",
      "unit",
      "levels",
      "tokens [L, B, nt, ny, nx, tt, ty, tx]",
      "seen [B, L, N, D]",
      "targets [M, D]",
      "chosen",
    ],
    rows,
    caption: `Times ${formatTime(store.times[time[0]])} to ${formatTime(store.times[time[time.length - 1]])}; L levels, B samples, nt ny nx tokens of tt ty tx grid points, N = nt ny nx, D = tt ty tx, M chosen tokens.`,
  };
}

/** Scores of the model and the simple baselines, in physical units and in standard deviations. */
export function skillTable(
  skill: readonly FieldSkill[],
  title = "Root mean square error on the validation points",
): Table {
  const names = [...new Set(skill.flatMap(({ rmse }) => Object.keys(rmse)))];
  return {
    title,
    columns: ["field", "tokens", "points", ...names.flatMap((name) => [name.replaceAll("_", " "), "normalised"])],
    rows: skill.map(({ field, kind, points, unit, rmse, rmseNormalized }) => [
      field,
      kind,
      points,
      ...names.flatMap((name) => [
        name in rmse ? `${formatNumber(rmse[name])} ${unit}`.trim() : "",
        name in rmseNormalized ? formatNumber(rmseNormalized[name]) : "",
      ]),
    ]),
    caption:
      "Lower is better. One seed, one short period: a difference here proves nothing about other times and places.",
  };
}

/** Files that differ from one execution to the next. */
const HOLD_TIMES = /^(console\.log|metrics\.jsonl)$/;

/** An evaluation's scores as `atmorep evaluate` prints them. */
export function evaluationScores({ scores, about }: { scores: ScoreReport; about?: Record<string, unknown> }): Table {
  const [[columns, ...rows]] = evaluationTable(scores);
  const notes = [
    typeof about?.verdict === "string" ? about.verdict : undefined,
    typeof about?.told_on === "string" ? about.told_on : undefined,
    `95 %: Student's t over independent blocks of initial times; blocks: how many of how many times each. Below ${MIN_BLOCKS} blocks intervals prove nothing.`,
  ];
  return {
    title: `Scores${typeof about?.run === "string" ? ` of run ${about.run}` : ""}${typeof about?.mode === "string" ? `, ${about.mode.replaceAll("_", " ")}` : ""}`,
    columns,
    rows,
    caption: notes.filter(Boolean).join(" "),
  };
}

/** The files of a run with sizes and the first half of their SHA-256. */
export async function filesTable(run: RunReference, out?: string): Promise<Shown<Table>> {
  const place = runPlace(run, out);
  const { resultsDir, modelsDir } = runFolder(place.out, place.id);
  const rows: string[][] = [];
  for (const [label, dir] of [
    [`results/id${place.id}`, resultsDir],
    [`models/id${place.id}`, modelsDir],
  ]) {
    const names = (await readdir(dir, { recursive: true }).catch(() => [])).sort();
    for (const name of names) {
      const path = join(dir, name);
      const facts = await stat(path);
      if (!facts.isFile()) continue;
      const timed = HOLD_TIMES.test(name);
      rows.push([
        `${label}/${name}`,
        timed ? "" : `${facts.size.toLocaleString("en-US")} bytes`,
        timed ? "holds times of day" : (await sha256(path)).slice(0, 32),
      ]);
    }
  }
  return showTable({
    title: `Files of run ${place.id}`,
    columns: ["file", "size", "SHA-256, first half"],
    rows,
    caption: "Files that hold no times repeat byte for byte under the same run id.",
  });
}

async function sha256(path: string): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of createReadStream(path)) hash.update(chunk);
  return hash.digest("hex");
}
