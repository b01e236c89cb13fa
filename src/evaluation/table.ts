/** Scores as rows for people: one line a field, level, lead time, region and kind of hidden token. */
import { formatScore, type ScoreEntry, type ScoreLeaf, type ScoreReport } from "../scores/index.js";

/** Lead times of which all are shown; of more, about as many. */
const MOST_LEADS = 12;

/** Header and rows, and the columns that hold numbers. */
export function evaluationTable(report: ScoreReport): [rows: string[][], numbers: number[]] {
  const rows: string[][] = [];
  for (const [field, levels] of Object.entries(report)) {
    const levelNames = Object.keys(levels).filter((level) => level !== "all");
    const shown: [string, string, string, ScoreLeaf][] = [];
    const all = levels.all?.all ?? {};
    for (const [region, leaf] of Object.entries(all)) shown.push(["all", "all", region, leaf]);
    const [first] = Object.keys(all);
    if (levelNames.length > 1) {
      for (const level of levelNames) shown.push([level, "all", first, levels[level].all[first]]);
    }
    const leads = Object.keys(levels.all ?? {}).filter((lead) => lead !== "all");
    const every = Math.ceil(leads.length / MOST_LEADS);
    if (leads.length > 1) {
      for (const lead of leads.filter((_, i) => i % every === 0)) {
        shown.push(["all", lead, first, levels.all[lead][first]]);
      }
    }
    for (const [level, lead, region, leaf] of shown) {
      if (!leaf) continue;
      rows.push([field, level, lead, region, "all", ...cells(leaf)]);
      for (const [kind, own] of Object.entries(lead === "all" && level === "all" ? (leaf.kinds ?? {}) : {})) {
        rows.push([field, level, lead, region, kind, ...cells(own)]);
      }
    }
  }
  const header = [
    "field",
    "level",
    "lead",
    "region",
    "tokens",
    "points",
    "RMSE",
    "95 %",
    "best baseline",
    "",
    "bias",
    "ACC",
    "CRPS",
    "spread/skill",
    "blocks",
  ];
  return [
    [header, ...rows],
    [5, 6, 8, 10, 11, 12, 13, 14],
  ];
}

function cells(leaf: ScoreLeaf): string[] {
  const entry = (name: string) => leaf[name] as ScoreEntry | undefined;
  const show = (name: string) => {
    const value = entry(name)?.value;
    return value === null || value === undefined ? "-" : formatScore(value);
  };
  const rmse = entry("rmse")!;
  const interval = leaf.note ?? (rmse.low == null ? "-" : `${formatScore(rmse.low)} to ${formatScore(rmse.high!)}`);
  const best = rmse.minusBest?.baseline;
  return [
    String(leaf.points),
    `${show("rmse")}${rmse.unit ? ` ${rmse.unit}` : ""}`,
    interval,
    best ? formatScore(rmse.baselines![best]) : "-",
    best?.replaceAll("_", " ") ?? "",
    show("bias"),
    show("acc"),
    show("crps"),
    show("spread_skill_ratio"),
    `${leaf.blocks} of ${leaf.blockLength}`,
  ];
}
